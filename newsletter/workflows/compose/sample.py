"""The email for one reader: a subscriber, a reviewer, or a sample reader about whom nothing is known.

It is personalized by the same code as the messages of a broadcast.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from newsletter.config import Config
from newsletter.model.broadcast import Envelope, Mailing, Recipient
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.readership import Reader
from newsletter.model.rendered import RenderedVariant
from newsletter.providers.mime import compile_message
from newsletter.render.merge import Personalizer

SAMPLE_TOKEN = "sample"  # noqa: S105 - the token in unsubscribe links that belong to no subscriber
_LONG_AGO = datetime.fromtimestamp(0, UTC)  # links that expire belong to no one here


class SampleMail(Struct, frozen=True, kw_only=True):
    """One email as its reader would receive it."""

    subject: str
    preheader: str
    html: str
    text: str


def envelope_of(config: Config) -> Envelope:
    """Return the sender that `newsletter.toml` sets."""
    identity = config.settings.newsletter
    return Envelope(
        from_name=identity.from_name,
        from_email=identity.from_email,
        reply_to=identity.reply_to or "",
        list_name=identity.name,
        list_id=identity.list_id or f"newsletter.{identity.from_email.rpartition('@')[2]}",
        service_url=config.settings.service.url,
        mailbox=config.settings.mailbox.address if config.settings.mailbox else "",
    )


def sample_reader(config: Config, values: Mapping[str, str] | None = None, *, id: int = 0) -> Reader:  # noqa: A002
    """Return a reader who is not on the list, with these merge values. The default address is the sender's own."""
    fields = {"email": config.settings.newsletter.from_email, **(values or {})}
    return Reader(email=fields["email"], id=id, token=SAMPLE_TOKEN, fields=fields)


def recipient_of(
    config: Config, variant: RenderedVariant, reader: Reader, *, made_at: datetime = _LONG_AGO
) -> Recipient:
    """Return a reader as the recipient that a broadcast created at this time would have."""
    fields, known = Personalizer.fields_of(variant.slots), reader.fields
    claimed = ClaimedDelivery(
        subscriber=reader.id,
        email=reader.email,
        first_name=known.get("first_name", ""),
        last_name=known.get("last_name", ""),
        token=reader.token,
        values=tuple(known.get(name, "") for name in fields),
    )
    (recipient,) = Personalizer(variant.slots, fields, envelope_of(config), made_at=made_at).recipients([claimed])
    return recipient


def mail_of(config: Config, variant: RenderedVariant, reader: Reader, *, made_at: datetime = _LONG_AGO) -> SampleMail:
    """Return the email that a reader receives from a broadcast created at this time."""
    filled = recipient_of(config, variant, reader, made_at=made_at).values
    return SampleMail(
        subject=variant.subject.fill(filled),
        preheader=variant.preheader.fill(filled),
        html=variant.html.fill(filled),
        text=variant.text.fill(filled),
    )


def sample_mail(config: Config, variant: RenderedVariant, values: Mapping[str, str] | None = None) -> SampleMail:
    """Return the email for a sample reader with these merge values. Without values, every default text is used."""
    return mail_of(config, variant, sample_reader(config, values))


def message_of(config: Config, variant: RenderedVariant, reader: Reader, *, now: datetime) -> bytes:
    """Return the complete message (RFC 5322) for a reader."""
    envelope = envelope_of(config)
    mailing = Mailing(
        broadcast="sample", category="build", envelope=envelope, variant_key="build", variant=variant, nonce="build"
    )
    return compile_message(mailing, now).render(recipient_of(config, variant, reader, made_at=now))


def sample_message(config: Config, variant: RenderedVariant, *, now: datetime) -> bytes:
    """Return the complete message for a sample reader about whom nothing is known."""
    return message_of(config, variant, sample_reader(config), now=now)
