"""Ask reviewers by email: each gets a link of their own, to a page with the email as it is now."""

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parseaddr

from msgspec import Struct

from newsletter.config import Config
from newsletter.language.catalogue import spoken, words_of
from newsletter.model.broadcast import Mailing, OutgoingChunk, Recipient
from newsletter.model.personal_links import Purpose, stamp_of
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedVariant
from newsletter.model.review import Reviewer
from newsletter.model.slots import Link
from newsletter.providers.base import Provider
from newsletter.render.letter import Letter, letter_variant
from newsletter.store.database import Database
from newsletter.store.reviews import add_review
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.review.shown import pictures_of_draft, snapshot_of_draft
from newsletter.workflows.send.approve import ApprovalDraft
from newsletter.workflows.send.reviewer_copies import hand_over_copies


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation that the provider accepted or rejected."""

    email: str
    refused: str  # the provider's reason; empty if it was accepted


def open_review(
    config: Config, database: Database, draft: ApprovalDraft, mailboxes: Sequence[str], *, now: datetime
) -> tuple[Reviewer, ...]:
    """Save what the reviewers are to see, which ends the earlier reviews of the issue. Return the reviewers."""
    return add_review(
        database,
        draft.composed.issue.name,
        draft.content_hash,
        snapshot_of_draft(config, database, draft),
        pictures_of_draft(draft),
        [_named(mailbox) for mailbox in mailboxes],
        now=now,
    )


def send_invitations(
    config: Config, draft: ApprovalDraft, invited: Sequence[Reviewer], provider: Provider, *, now: datetime
) -> Iterator[Invitation]:
    """Send each reviewer their link, and yield the result for each. Raise ProviderError as test emails do."""
    variant = _letter(config, title=draft.composed.issue.shown_title)
    mailing = Mailing(
        broadcast=f"review-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        category=f"review-{draft.composed.issue.name}",
        envelope=envelope_of(config),
        variant_key="review",
        variant=variant,
        nonce=secrets.token_hex(8),
        is_automatic=True,  # there is nothing to unsubscribe from
    )
    recipients = [
        Recipient(
            delivery=each.id,
            email=each.email,
            name=each.name if each.name != each.email else "",
            unsubscribe_url="",
            values=(link_of(config, each, now=now),) * len(variant.slots),
        )
        for each in invited
    ]
    with provider.session() as session:
        for start in range(0, len(recipients), provider.chunk_size):
            part = tuple(recipients[start : start + provider.chunk_size])
            chunk = OutgoingChunk(mailing=mailing, number=start, attempt=1, recipients=part)
            refused = hand_over_copies(session, chunk)
            for each in part:
                yield Invitation(email=each.email, refused=refused.get(each.delivery, ""))


def link_of(config: Config, reviewer: Reviewer, *, now: datetime) -> str:
    """Return a reviewer's link, which works for some time from now."""
    stamp = stamp_of(reviewer.token, Purpose.REVIEW, str(reviewer.id), now=now)
    return f"{config.settings.service.url}/r/{reviewer.id}-{stamp}"


def _named(mailbox: str) -> tuple[str, str]:
    name, email = parseaddr(mailbox)
    return " ".join(name.split()) or email, email


def _letter(config: Config, *, title: str) -> RenderedVariant:
    identity = config.settings.newsletter
    language = spoken([identity.language])
    words = words_of(language, "review_mail")
    letter = Letter(
        subject=words["subject"].format(title=title),
        title=title,
        opening=(words["text"].format(newsletter=identity.name),),
        button=words["button"],
        or_open=words_of(language, "confirmation")["or_open"],
        closing=(words["valid"],),
    )
    return letter_variant(config, letter, language=language, readership=Readership(()), button=Link.ASKED)
