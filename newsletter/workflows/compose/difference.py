"""Say how two versions of an email differ: sections, sentences, links, images and dates.

Everything here is derived from the two versions alone. Nothing is read or stored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from newsletter.model.review import ChangedWords, ShownVariant, WordChange
from newsletter.workflows.compose.blocks import MailBlock, common_words, sections_of, title_of
from newsletter.workflows.compose.changed_words import (
    changed_sentences,
    compared_words,
    date_words,
    is_date,
    opcodes,
    shortened,
    split_words,
)

_LIKE = 0.5  # the share of words that two blocks must have in common to count as one block that was changed


class ChangeKind(StrEnum):
    """What happened to a section or a block."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"


class Aspect(StrEnum):
    """What of a block is different."""

    WORDS = "words"
    DATE = "date or time"  # nothing but numbers and the names of days and months
    LINK = "link"
    IMAGE = "image"
    DESCRIPTION = "image description"


class BlockChange(Struct, frozen=True, kw_only=True):
    """One difference. `before` and `after` are the numbers of the block in the two versions; None: it has none."""

    kind: ChangeKind
    aspect: Aspect
    before: int | None = None
    after: int | None = None
    passages: tuple[tuple[ChangedWords, ...], ...] = ()  # the sentences that differ
    name: str = ""  # of a link: its words
    was: str = ""  # of a link: where it led
    now: str = ""


class SectionChange(Struct, frozen=True, kw_only=True):
    """A section in which something is different."""

    title: str
    path: str  # relative to the folder
    kind: ChangeKind
    is_moved: bool
    changes: tuple[BlockChange, ...]


class Difference(Struct, frozen=True, kw_only=True):
    """How two versions of an email differ."""

    lines: Mapping[str, tuple[ChangedWords, ...]]  # of the inbox: the subject and the preheader, if they differ
    sections: tuple[SectionChange, ...]
    anchors: tuple[tuple[int, int], ...]  # the numbers of the same block in both, in the order of the email
    marks_before: Mapping[int, ChangeKind]
    marks_after: Mapping[int, ChangeKind]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is different that the files say. The theme may still look different."""
        return not self.lines and not self.sections


def difference_of(before: ShownVariant, after: ShownVariant, language: str) -> Difference:
    """Return how a version of an email differs from an earlier one. Dates are recognized in the `language`."""
    lines = {
        name: compared_words(was, now)
        for name, was, now in (
            ("Subject", before.subject, after.subject),
            ("Preheader", before.preheader, after.preheader),
        )
        if was != now
    }
    olds, news = sections_of(before), sections_of(after)
    pairs = _pairs(olds, news)
    moved = _moved([key for key in olds if key in pairs], [pairs[key] for key in olds if key in pairs], list(news))
    names = date_words(language)
    sections: list[SectionChange] = []
    every: list[BlockChange] = []
    anchors: list[tuple[int, int]] = []
    of_new = {new: old for old, new in pairs.items()}
    for old, new in _in_order(olds, news, of_new):
        was, now = olds[old] if old is not None else [], news[new] if new is not None else []
        changes, same = _compared(was, now, names) if was and now else (_whole(was, now), [])
        anchors += same
        every += changes
        if changes or new in moved:
            sections.append(_section(was, now, changes, is_moved=new in moved))
    marks = {number: ChangeKind.MOVED for key in moved for number in (each.number for each in news[key])}
    return Difference(
        lines=lines,
        sections=tuple(sections),
        anchors=tuple(sorted(anchors)),
        marks_before={each.before: each.kind for each in every if each.before is not None},
        marks_after=marks | {each.after: each.kind for each in every if each.after is not None},
    )


def _section(
    was: Sequence[MailBlock], now: Sequence[MailBlock], changes: Sequence[BlockChange], *, is_moved: bool
) -> SectionChange:
    kind = ChangeKind.CHANGED if was and now else ChangeKind.ADDED if now else ChangeKind.REMOVED
    return SectionChange(
        title=title_of(now or was),
        path=(now or was)[0].path,
        kind=kind if changes else ChangeKind.MOVED,
        is_moved=is_moved,
        changes=tuple(_without_repeated_dates(changes)),
    )


def _without_repeated_dates(changes: Iterable[BlockChange]) -> Iterator[BlockChange]:
    """Yield the changes, but of several that say a date, as an event's tile does too, only the one that says most."""
    changes = tuple(changes)
    dates = [each for each in changes if each.aspect is Aspect.DATE]
    fullest = max(dates, key=_length, default=None)
    yield from (each for each in changes if each.aspect is not Aspect.DATE or each is fullest)


def _length(change: BlockChange) -> int:
    return sum(len(piece.words) for passage in change.passages for piece in passage)


def _pairs(olds: Mapping[str, list[MailBlock]], news: Mapping[str, list[MailBlock]]) -> dict[str, str]:
    """Return the section after a change for each before: the one with its path, or else the one with most of its words.

    A file that was renamed is therefore not a section that was removed and another that was added.
    """
    pairs = {key: key for key in olds if key in news}
    free = [key for key in news if key not in olds]
    for old in olds:
        if old in pairs:
            continue
        words = " ".join(block.words for block in olds[old])
        likeness = {new: common_words(words, " ".join(block.words for block in news[new])) for new in free}
        best = max(likeness, key=lambda new: likeness[new], default=None)
        if best is not None and likeness[best] >= _LIKE:
            pairs[old] = best
            free.remove(best)
    return pairs


def _moved(olds: Sequence[str], paired: Sequence[str], news: Sequence[str]) -> frozenset[str]:
    """Return the sections, by their path after the change, that stand at another place among those that stayed."""
    now = [key for key in news if key in set(paired)]
    kept = {now[at] for kind, _, _, start, end in opcodes(paired, now) if kind == "equal" for at in range(start, end)}
    return frozenset(now) - kept if olds else frozenset()


def _in_order(
    olds: Mapping[str, object], news: Mapping[str, object], of_new: Mapping[str, str]
) -> Iterator[tuple[str | None, str | None]]:
    """Yield the sections as they stand after the change. One that was removed follows the one that stood before it."""
    gone: dict[str | None, list[str]] = {}
    last: str | None = None
    kept = set(of_new.values())
    for old in olds:
        if old in kept:
            last = old
        else:
            gone.setdefault(last, []).append(old)
    yield from ((old, None) for old in gone.get(None, ()))
    for new in news:
        stayed = of_new.get(new)
        yield stayed, new
        if stayed is not None:
            yield from ((each, None) for each in gone.get(stayed, ()))


def _whole(was: Sequence[MailBlock], now: Sequence[MailBlock]) -> list[BlockChange]:
    """Return all blocks of a section that only one version has."""
    return [*map(_removed, was), *map(_added, now)]


def _added(block: MailBlock) -> BlockChange:
    words = ((ChangedWords(WordChange.NEW, block.words),),) if block.words else ()
    return BlockChange(kind=ChangeKind.ADDED, aspect=_aspect(block), after=block.number, passages=words)


def _removed(block: MailBlock) -> BlockChange:
    words = ((ChangedWords(WordChange.GONE, block.words),),) if block.words else ()
    return BlockChange(kind=ChangeKind.REMOVED, aspect=_aspect(block), before=block.number, passages=words)


def _aspect(block: MailBlock) -> Aspect:
    return Aspect.IMAGE if block.image else Aspect.WORDS


def _compared(
    was: Sequence[MailBlock], now: Sequence[MailBlock], names: frozenset[str]
) -> tuple[list[BlockChange], list[tuple[int, int]]]:
    """Return the differences between the blocks of a section, and the numbers of those that are the same block."""
    changes: list[BlockChange] = []
    same: list[tuple[int, int]] = []
    gone: list[MailBlock] = []
    new: list[MailBlock] = []
    for kind, start, end, start_after, end_after in opcodes([b.content for b in was], [b.content for b in now]):
        pairs = list(zip(was[start:end], now[start_after:end_after], strict=False))
        if kind != "equal":
            pairs = _alike(was[start:end], now[start_after:end_after])
            olds, news = {old.number for old, _ in pairs}, {each.number for _, each in pairs}
            gone += (block for block in was[start:end] if block.number not in olds)
            new += (block for block in now[start_after:end_after] if block.number not in news)
        for old, each in pairs:
            same.append((old.number, each.number))
            changes += _changed(old, each, names)
    changes += _moved_blocks(gone, new)
    changes += (*map(_removed, gone), *map(_added, new))
    return sorted(changes, key=lambda each: _position(each, same)), same


def _position(change: BlockChange, same: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return where a change stands after it: what was removed follows the last block before it that stayed."""
    if change.after is not None:
        return change.after, 0
    return max((new for old, new in same if change.before is not None and old < change.before), default=-1), 1


def _alike(was: Sequence[MailBlock], now: Sequence[MailBlock]) -> list[tuple[MailBlock, MailBlock]]:
    """Pair the blocks of a stretch in which all differ, in order. Blocks with few common words are not paired."""
    pairs: list[tuple[MailBlock, MailBlock]] = []
    begin = 0
    for old in was:
        likeness = {at: _likeness(old, now[at]) for at in range(begin, len(now))}
        best = max(likeness, key=lambda at: likeness[at], default=None)
        if best is not None and likeness[best] >= _LIKE:
            pairs.append((old, now[best]))
            begin = best + 1
    if not pairs and len(was) == len(now) == 1 and bool(was[0].image) == bool(now[0].image):
        return [(was[0], now[0])]  # one block between the same neighbors, so it was rewritten
    return pairs


def _likeness(old: MailBlock, new: MailBlock) -> float:
    if bool(old.image) != bool(new.image) or old.is_heading != new.is_heading:
        return 0
    if old.image and old.picture == new.picture:
        return 1
    return common_words(old.words, new.words)


def _moved_blocks(gone: list[MailBlock], new: list[MailBlock]) -> Iterator[BlockChange]:
    """Yield the blocks that stand at another place in their section, and take them out of both lists."""
    for old in tuple(gone):
        found = next((each for each in new if each.content == old.content and old.words), None)
        if found is not None:
            gone.remove(old)
            new.remove(found)
            kept = ((ChangedWords(WordChange.KEPT, shortened(split_words(old.words), " ")),),)
            yield BlockChange(
                kind=ChangeKind.MOVED, aspect=_aspect(old), before=old.number, after=found.number, passages=kept
            )


def _changed(old: MailBlock, new: MailBlock, names: frozenset[str]) -> Iterator[BlockChange]:
    """Yield what is different in a block that both versions have."""
    whole = BlockChange(kind=ChangeKind.CHANGED, aspect=Aspect.IMAGE, before=old.number, after=new.number)
    if old.image != new.image:
        yield replace(whole, was=old.picture, now=new.picture)
    if old.words != new.words:
        passages = tuple(changed_sentences(old.words, new.words))
        aspect = Aspect.DESCRIPTION if new.image else Aspect.DATE if is_date(passages, names) else Aspect.WORDS
        yield replace(whole, aspect=aspect, passages=passages)
    for name, was, now in _changed_links(old.links, new.links):
        yield replace(whole, aspect=Aspect.LINK, name=name, was=was, now=now)


def _changed_links(was: Sequence[tuple[str, str]], now: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield the words of each link that leads elsewhere, with both addresses. A link may be new, or gone."""
    if len(was) == len(now):
        yield from ((name, old, new) for (_, old), (name, new) in zip(was, now, strict=True) if old != new)
        return
    for kind, start, end, start_after, end_after in opcodes([old for _, old in was], [new for _, new in now]):
        if kind != "equal":
            yield from ((name, old, "") for name, old in was[start:end])
            yield from ((name, "", new) for name, new in now[start_after:end_after])
