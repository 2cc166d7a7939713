"""Send test emails to reviewers. They are rendered, personalized and sent exactly like a broadcast."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parseaddr

from msgspec import Struct
from msgspec.structs import replace

from newsletter.checks.reading.starter import is_starter_address
from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.errors import InputError, Mistake, MistakesError, ProviderError
from newsletter.model.broadcast import Mailing, NextStep, OutgoingChunk, Recipient, Verdict
from newsletter.model.readership import Reader, Readership
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.model.values import PLAIN_ADDRESS
from newsletter.providers.base import Provider, Session
from newsletter.settings.mistakes import suggestion
from newsletter.store.approvals import remember_test
from newsletter.store.database import Database
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.sample import envelope_of, recipient_of, sample_reader
from newsletter.workflows.publish.on_sending import host_pictures

SUBJECT_PREFIX = "[TEST]"


class TestCopy(Struct, frozen=True, kw_only=True):
    """One test email that the provider accepted or rejected."""

    __test__ = False  # tells pytest that this is not a test class

    email: str
    refused: str  # the provider's reason for rejecting the copy; empty if it was accepted


def reviewers(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    """Return the mailboxes for names. Each name is a group in `[reviewers]` or an address. No address is repeated.

    Raise InputError if a name is neither.
    """
    groups = config.settings.reviewers
    found: dict[str, str] = {}
    for name in names:
        if name in groups:
            mailboxes: Sequence[str] = groups[name]
        elif PLAIN_ADDRESS.fullmatch(parseaddr(name)[1]):
            mailboxes = [name]
        else:
            hint = (
                suggestion(name, list(groups))
                if groups
                else 'write an address, or add a group to [reviewers] in newsletter.toml: team = ["ana@example.org"]'
            )
            raise InputError(f"--to: {name!r} is neither a group of reviewers nor an email address; {hint}")
        for mailbox in mailboxes:
            found.setdefault(parseaddr(mailbox)[1].casefold(), mailbox)
    return tuple(found.values())


def require_own_addresses(config: Config, mailboxes: Sequence[str]) -> None:
    """Raise MistakesError if a test email would leave this machine from or to an address of the starter.

    Texts of the starter may be in a test email: it shows what is still to be written.
    """
    if config.settings.provider.table_in_use.route is None:
        return
    addresses: dict[tuple[str, str], tuple[str, ...]] = {
        ("newsletter", "from"): (config.settings.newsletter.from_email,),
        ("service", "url"): (config.settings.service.url,),
    }
    addresses |= {("reviewers", name): group for name, group in config.settings.reviewers.items()}
    used = {config.settings.newsletter.from_email, config.settings.service.url, *mailboxes}
    mistakes = [
        Mistake(
            path=CONFIG_FILE,
            line=line_of_key(config, *location),
            what=f"{address} comes with a new workspace, and does not exist",
            remedy="write your own address, or run: newsletter setup",
        )
        for location, found in addresses.items()
        for address in found
        if address in used and is_starter_address(address)
    ]
    if mistakes:
        raise MistakesError(mistakes)
    if strays := [mailbox for mailbox in mailboxes if is_starter_address(mailbox)]:
        raise InputError(f"--to: {strays[0]} is only an example, and cannot receive email; write your own address")


def count_test_copies(composed: Composed, mailboxes: Sequence[str]) -> int:
    """Return the number of copies. Each mailbox gets every checked variant, adapted to its own address."""
    return sum(len(readers) for readers in _readers(composed.rendered, mailboxes).values())


def send_test_copies(
    config: Config,
    database: Database,
    composed: Composed,
    mailboxes: Sequence[str],
    provider: Provider,
    *,
    now: datetime,
    on_sent: Callable[[int], None],
) -> tuple[TestCopy, ...]:
    """Send each mailbox a copy of every variant that it can get, marked [TEST].

    Images are uploaded to the archive first. `on_sent` is called with the number of copies just sent. If at least one
    copy is accepted, the content counts as tested. Raise ProviderError if the provider refuses or cannot be reached,
    and what `require_own_addresses` raises.
    """
    require_own_addresses(config, mailboxes)
    host_pictures(config, composed.rendered)
    copies: list[TestCopy] = []
    try:
        for sent in _send(config, composed, mailboxes, provider, now=now):
            copies += sent
            on_sent(len(sent))
    finally:
        if taken := sum(not copy.refused for copy in copies):
            content_hash = composed.rendered.content_hash
            remember_test(database, composed.issue.name, content_hash, copies=taken, now=now)
    return tuple(copies)


def _send(
    config: Config, composed: Composed, mailboxes: Sequence[str], provider: Provider, *, now: datetime
) -> Iterator[Sequence[TestCopy]]:
    """Send all copies. Yield the results of each request as soon as it is answered."""
    run = f"test-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    with provider.session() as session:
        for number, (readership, readers) in enumerate(_readers(composed.rendered, mailboxes).items()):
            variant = composed.rendered.variant_for(readership)
            mailing = _mailing(config, composed, variant, run=f"{run}-{number}")
            recipients = _recipients(config, variant, readers)
            for start in range(0, len(recipients), provider.chunk_size):
                part = recipients[start : start + provider.chunk_size]
                refused = hand_over_copies(
                    session, OutgoingChunk(mailing=mailing, number=start, attempt=1, recipients=part)
                )
                yield [TestCopy(email=each.email, refused=refused.get(each.delivery, "")) for each in part]


def _readers(rendered: RenderedIssue, mailboxes: Sequence[str]) -> Mapping[Readership, Sequence[str]]:
    """Return the checked readerships, each with the mailboxes that get a copy for it.

    Values that depend on the address, such as tips for the reader's own email app, are those of each reviewer.
    """
    by_address = [axis for axis in rendered.axes if axis.is_told_by_address]
    found: dict[Readership, list[str]] = {}
    for judged in rendered.variants:
        for mailbox in mailboxes:
            reviewer, readership = Reader(email=parseaddr(mailbox)[1]), judged.readership
            for axis in by_address:
                readership = readership.having(axis.name, axis.value_of(reviewer, {}))
            readers = found.setdefault(readership, [])
            if mailbox not in readers:
                readers.append(mailbox)
    return found


def _mailing(config: Config, composed: Composed, variant: RenderedVariant, *, run: str) -> Mailing:
    several = len(composed.rendered.variants) > 1
    prefix = f"[TEST {variant.readership.label or 'everyone else'}]" if several else SUBJECT_PREFIX
    return Mailing(
        broadcast=run,
        category=f"test-{composed.issue.name}",
        envelope=envelope_of(config),
        variant_key="test",
        variant=variant,
        nonce=secrets.token_hex(8),
        subject_prefix=f"{prefix} ",
    )


def _recipients(config: Config, variant: RenderedVariant, mailboxes: Sequence[str]) -> tuple[Recipient, ...]:
    """Return the reviewers as recipients. Their names fill the merge fields; the unsubscribe link is a sample."""
    recipients = []
    for delivery, (name, email) in enumerate(map(parseaddr, mailboxes), start=1):
        first, _, last = name.partition(" ")
        values = {"email": email, "first_name": first, "last_name": last}
        recipients.append(recipient_of(config, variant, sample_reader(config, values, id=delivery)))
    return tuple(recipients)


def hand_over_copies(session: Session, chunk: OutgoingChunk) -> Mapping[int, str]:
    """Submit a chunk. Return the rejected recipients with the reason for each.

    If the provider rejects the whole chunk because of some recipients, submit it again without them. Raise
    ProviderError for any other outcome.
    """
    outcome = session.submit(chunk)
    doubted = {delivery: each.words for delivery, each in outcome.doubted.items()}
    refused = {**outcome.invalid, **outcome.deferred, **outcome.blameless, **doubted}
    if outcome.verdict is Verdict.ACCEPTED and not (outcome.unsent or outcome.uncertain):
        return refused
    rest = tuple(recipient for recipient in chunk.recipients if recipient.delivery not in refused)
    is_worth_another_try = outcome.verdict is Verdict.READY and outcome.next_step is NextStep.GO_ON
    if not is_worth_another_try or outcome.uncertain or len(rest) == len(chunk.recipients):
        raise ProviderError(f"not all test emails were accepted: {outcome.reason}")
    if not rest:
        return refused
    return {**refused, **hand_over_copies(session, replace(chunk, attempt=chunk.attempt + 1, recipients=rest))}
