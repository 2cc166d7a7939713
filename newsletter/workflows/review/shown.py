"""Take a snapshot of an issue for reviewers, so that they all judge the same content, even if its files change."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from newsletter.config import Config
from newsletter.model.finding import Finding
from newsletter.model.ledger import Approval
from newsletter.model.review import (
    ChangedWords,
    Changes,
    ReviewPicture,
    ShownFinding,
    ShownVariant,
    Snapshot,
)
from newsletter.store.database import Database
from newsletter.workflows.compose.changed_words import compared_words
from newsletter.workflows.compose.kept import find_kept, shown_variants
from newsletter.workflows.send.approve import ApprovalDraft

_MOST_CHANGES = 200


def snapshot_of_draft(config: Config, database: Database, draft: ApprovalDraft) -> Snapshot:
    """Return what reviewers see of the content that they are asked to approve."""
    composed = draft.composed
    variants = shown_variants(composed)
    return Snapshot(
        title=composed.issue.shown_title,
        language=composed.issue.language,
        variants=variants,
        findings=tuple(map(_finding, composed.findings)),
        changes=None if draft.given or draft.last is None else _changes(config, database, draft.last, variants[0]),
    )


def pictures_of_draft(draft: ApprovalDraft) -> tuple[ReviewPicture, ...]:
    """Return the images of all versions."""
    pictures = draft.composed.rendered.pictures
    return tuple(ReviewPicture(each.name, each.content_type, each.content) for each in pictures)


def _finding(finding: Finding) -> ShownFinding:
    return ShownFinding(
        severity=finding.severity,
        place=str(finding.place),
        what=finding.what,
        remedy=finding.remedy,
        waived=finding.waived,
    )


def _changes(config: Config, database: Database, approval: Approval, now: ShownVariant) -> Changes:
    with database.read() as connection:
        approved = find_kept(config, connection, approval.issue, approval.content_hash)
    passages = () if approved is None else tuple(_changed(_paragraphs(approved.variants[0]), _paragraphs(now)))
    return Changes(
        approved_by=approval.by,
        approved_at=approval.at,
        is_known=approved is not None,
        passages=passages[:_MOST_CHANGES],
    )


def _paragraphs(variant: ShownVariant) -> list[str]:
    """Return the subject, the preheader and the paragraphs of the plain text, without its rules."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in variant.text.split("\n\n"))
    return [each for each in (variant.subject, variant.preheader, *paragraphs) if each.strip(" -=_")]


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[ChangedWords, ...]]:
    """Yield the paragraphs that differ. Those in the same position are compared word by word."""
    for kind, start, end, start_after, end_after in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            for was, now in zip_longest(before[start:end], after[start_after:end_after], fillvalue=""):
                yield compared_words(was, now)
