"""Take a snapshot of an issue for reviewers, so that they all judge the same content, even if its files change."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from newsletter.config import Config
from newsletter.model.finding import Finding
from newsletter.model.ledger import Approval
from newsletter.model.rendered import RenderedVariant
from newsletter.model.review import (
    LONGEST_WORDS,
    ChangedWords,
    Changes,
    ReviewPicture,
    ShownBlock,
    ShownFinding,
    ShownVariant,
    Snapshot,
    WordChange,
)
from newsletter.store.database import Database
from newsletter.store.reviews import snapshot_with
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.placed import BLOCK_ATTRIBUTE, PLACE_ATTRIBUTE, place_blocks
from newsletter.workflows.compose.sample import sample_mail
from newsletter.workflows.send.approve import ApprovalDraft

_PLACE = re.compile(rf'(<[\w:-]+) {PLACE_ATTRIBUTE}="[^"]*"(?= {BLOCK_ATTRIBUTE}=)')
_MOST_CHANGES = 200
_WORDS_AROUND = 6  # that stayed the same, on each side of a change


def snapshot_of_draft(config: Config, database: Database, draft: ApprovalDraft) -> Snapshot:
    """Return what reviewers see of the content that they are asked to approve."""
    composed = draft.composed
    several = len(composed.rendered.variants) > 1
    variants = tuple(_shown(config, composed, each, several=several) for each in composed.rendered.variants)
    return Snapshot(
        title=composed.issue.shown_title,
        language=composed.issue.language,
        variants=variants,
        findings=tuple(map(_finding, composed.findings)),
        changes=None if draft.given or draft.last is None else _changes(database, draft.last, variants[0]),
    )


def pictures_of_draft(draft: ApprovalDraft) -> tuple[ReviewPicture, ...]:
    """Return the images of all versions."""
    pictures = draft.composed.rendered.pictures
    return tuple(ReviewPicture(each.name, each.content_type, each.content) for each in pictures)


def _shown(config: Config, composed: Composed, variant: RenderedVariant, *, several: bool) -> ShownVariant:
    placed = place_blocks(composed, variant)
    mail = sample_mail(config, placed.variant)
    blocks = (ShownBlock(each.place.path, each.place.line, shortened_words(each.words)) for each in placed.blocks)
    return ShownVariant(
        label=variant.readership.label if several else "",
        subject=mail.subject,
        preheader=mail.preheader,
        html=_PLACE.sub(r"\1", mail.html),
        text=mail.text,
        blocks=tuple(blocks),
    )


def shortened_words(words: str) -> str:
    """Return the words of a block as they are kept. A long one ends with a whole word."""
    if len(words) <= LONGEST_WORDS:
        return words
    return f"{words[:LONGEST_WORDS].rpartition(' ')[0] or words[:LONGEST_WORDS]} …"


def _finding(finding: Finding) -> ShownFinding:
    return ShownFinding(
        severity=finding.severity,
        place=str(finding.place),
        what=finding.what,
        remedy=finding.remedy,
        waived=finding.waived,
    )


def _changes(database: Database, approval: Approval, now: ShownVariant) -> Changes:
    with database.read() as connection:
        approved = snapshot_with(connection, approval.issue, approval.content_hash)
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
                yield tuple(_compared(was.split(), now.split()))


def _compared(before: Sequence[str], after: Sequence[str]) -> Iterator[ChangedWords]:
    for kind, start, end, start_after, end_after in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield ChangedWords(WordChange.KEPT, _shortened(before[start:end]))
            continue
        if end > start:
            yield ChangedWords(WordChange.GONE, " ".join(before[start:end]))
        if end_after > start_after:
            yield ChangedWords(WordChange.NEW, " ".join(after[start_after:end_after]))


def _shortened(words: Sequence[str]) -> str:
    """Return a stretch of words that stayed the same. Of a long one, only the ends are needed."""
    if len(words) <= 2 * _WORDS_AROUND + 2:
        return " ".join(words)
    return " ".join([*words[:_WORDS_AROUND], "…", *words[-_WORDS_AROUND:]])
