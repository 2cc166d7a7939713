"""Mail for people who are not on the list: a reviewer, or a reader of whom only a little is known.

It is personalised by the same code as every message of a broadcast; only the unsubscribe link is a sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.config import Config
from newsletter.model.broadcast import Envelope, Mailing, Recipient
from newsletter.model.ledger import ClaimedDelivery
from newsletter.model.rendered import RenderedVariant
from newsletter.providers.mime import compile_message
from newsletter.render.personalise import Personaliser

SAMPLE_TOKEN = "sample"  # noqa: S105 - what stands in unsubscribe links that belong to nobody
NOBODY = 0  # no subscriber has this id


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMail:
    """One mail as somebody would receive it."""

    subject: str
    preheader: str
    html: str
    text: str


def envelope_of(config: Config) -> Envelope:
    """Who sends, as `newsletter.toml` says."""
    identity = config.settings.newsletter
    return Envelope(
        from_name=identity.from_name,
        from_email=identity.from_email,
        reply_to=identity.reply_to or "",
        list_name=identity.name,
        list_id=identity.list_id or f"newsletter.{identity.from_email.rpartition('@')[2]}",
        service_url=config.settings.service.url,
    )


def sample_recipient(
    config: Config, variant: RenderedVariant, values: Mapping[str, str], *, delivery: int = NOBODY
) -> Recipient:
    """A recipient with these merge values, at the sender's own address where `email` is not among them."""
    envelope, fields = envelope_of(config), Personaliser.fields_of(variant.slots)
    claimed = ClaimedDelivery(
        subscriber=delivery,
        email=values.get("email", envelope.from_email),
        first_name=values.get("first_name", ""),
        last_name=values.get("last_name", ""),
        token=SAMPLE_TOKEN,
        values=tuple(values.get(name, "") for name in fields),
    )
    (recipient,) = Personaliser(variant.slots, fields, envelope).recipients([claimed])
    return recipient


def sample_mail(config: Config, variant: RenderedVariant, values: Mapping[str, str] | None = None) -> SampleMail:
    """The mail of somebody with these merge values; of somebody of whom nothing is known without them."""
    filled = sample_recipient(config, variant, values or {}).values
    return SampleMail(
        subject=variant.subject.fill(filled),
        preheader=variant.preheader.fill(filled),
        html=variant.html.fill(filled),
        text=variant.text.fill(filled),
    )


def sample_message(config: Config, variant: RenderedVariant, *, now: datetime) -> bytes:
    """The whole message (RFC 5322) of somebody of whom nothing is known."""
    mailing = Mailing(
        broadcast="sample",
        category="build",
        envelope=envelope_of(config),
        variant_key="build",
        variant=variant,
        nonce="build",
    )
    return compile_message(mailing, now).render(sample_recipient(config, variant, {}))
