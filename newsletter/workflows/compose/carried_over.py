"""Find what an issue has in common with the one before, because `newsletter new` copied it and it was not edited.

The files are compared as they are written, line by line: a change of one letter is a change.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from newsletter.config import Config
from newsletter.content.loader import ISSUES_FOLDER
from newsletter.model.finding import Place
from newsletter.model.issue import CarriedOver, Issue, IssueHeading, Section
from newsletter.model.issue_fields import SECTION_TYPES

_SHORT = 12  # words; shorter paragraphs, such as “See you soon”, may be the same each time
_SHORT_TITLE = 5  # words
_NEWS_KEYS = (("title",), ("video", "url"), ("link", "url"))
_NEWS_KEY = re.compile(r"\s*(?P<key>title|url):\s*(?P<value>\S.*)")

Block = tuple[int, str]  # the number of its first line, and its words


def carried_over(config: Config, issue: Issue, earlier: Sequence[IssueHeading]) -> tuple[CarriedOver, ...]:
    """Return what an issue has in common with the last of the `earlier` ones, but not with the one before that.

    Issues in other languages do not count.
    """
    in_its_language = [heading for heading in earlier if heading.language == (issue.fields.language or "")]
    if not in_its_language:
        return ()
    *_, last = in_its_language
    habits = in_its_language[-2] if len(in_its_language) > 1 else None
    found = list(_keys(issue, last, habits))
    for section in issue.sections:
        type_ = SECTION_TYPES.get(section.type)
        if type_ is not None and type_.is_new_each_time:
            found += _of_section(config, section, last, habits)
    return tuple(found)


def _keys(issue: Issue, last: IssueHeading, habits: IssueHeading | None) -> Iterator[CarriedOver]:
    for key in ("preheader", "title"):
        own = getattr(issue.fields, key)
        if own == getattr(last, key) and (habits is None or own != getattr(habits, key)):
            yield CarriedOver(place=issue.source.at(key), what=f"the {key}", issue=last.name)


def _of_section(
    config: Config, section: Section, last: IssueHeading, habits: IssueHeading | None
) -> Iterator[CarriedOver]:
    lines = _lines_of(config.root / section.source.path)
    before = _lines_of(_same_file(config, section, last))
    usual = _lines_of(_same_file(config, section, habits)) if habits else []
    body = next((token.map[0] for token in section.prose.tokens if token.map), len(lines) + 1) - 1
    blocks = list(_blocks(lines, start=body))
    known = {words for _, words in _blocks(before)} - {words for _, words in _blocks(usual)}
    same = [(line, words) for line, words in blocks if words in known]
    if 2 * _length(same) > _length(blocks):
        yield CarriedOver(
            place=Place(path=section.source.path, line=same[0][0]), what=f"the {section.name}", issue=last.name
        )
        return
    for line, words in same:
        if len(words.split()) >= _SHORT:
            place = Place(path=section.source.path, line=line)
            yield CarriedOver(place=place, what=f"the paragraph “{_first_words(words)}”", issue=last.name)
    for key in _NEWS_KEYS:
        number = section.source.lines.get(key, 0)
        own = "".join(lines[number - 1 : number])
        if own in before and own not in usual and (what := _named(own)):
            yield CarriedOver(place=section.source.at(*key), what=what, issue=last.name)


def _same_file(config: Config, section: Section, heading: IssueHeading) -> Path:
    """Return the file of a section in another issue: `letter.md`, or `letter/index.md`."""
    path = Path(section.source.path)
    name = Path(section.name, path.name) if path.name == "index.md" else Path(path.name)
    return config.root / ISSUES_FOLDER / heading.name / name


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _blocks(lines: Sequence[str], start: int = 0) -> Iterator[Block]:
    """Yield the paragraphs from a line on. A line of dashes ends one, as an empty line does."""
    words: list[str] = []
    first = 0
    for number, line in enumerate([*lines[start:], ""], start=start + 1):
        if line.strip() in {"", "---"}:
            if words:
                yield first, " ".join(words)
            words = []
        else:
            first = first if words else number
            words += line.split()


def _length(blocks: Iterable[Block]) -> int:
    return sum(len(words) for _, words in blocks)


def _named(line: str) -> str:
    """Return what a line of settings says that is new in each issue, or an empty string."""
    match = _NEWS_KEY.fullmatch(line)
    if match is None or (match["key"] == "title" and len(match["value"].split()) < _SHORT_TITLE):
        return ""
    return f"the {'title' if match['key'] == 'title' else 'link'} {match['value']}"


def _first_words(words: str) -> str:
    first = words.split()[:6]
    return " ".join(first) + " …"
