"""What the page shows beside the email: its problems, the sizes of its sections, its images and its inbox rows."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from newsletter.checks.clients.simulation.inbox_rows import InboxRow, inbox_rows
from newsletter.checks.reading.document import read_document
from newsletter.checks.reading.sources import index_sources
from newsletter.checks.registry import named
from newsletter.config import Config
from newsletter.errors import Mistake
from newsletter.model.finding import Finding, Severity
from newsletter.model.issue import Issue
from newsletter.web.studio.whom import Whom
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.marking import MarkedMail
from newsletter.workflows.compose.placed import BLOCK_ATTRIBUTE, PLACE_ATTRIBUTE

_MARKED = re.compile(rf' {PLACE_ATTRIBUTE}="([^"]*?)(?::\d+)?" {BLOCK_ATTRIBUTE}="\d+"')
_THEME = "masthead, footer and styles"


class ListedProblem(Struct, frozen=True, kw_only=True):
    """One entry in the list of problems: a finding, or a mistake that keeps the issue from being built."""

    kind: str  # "Error", "Warning" or "Overridden"
    place: str
    what: str
    remedy: str
    check: str = ""  # the name of the check that found it: "Missing alt text (A3)"
    path: str = ""  # the file
    fix_key: str = ""  # of the exact edit that puts it right, if there is one


class SectionSize(Struct, frozen=True, kw_only=True):
    """The part of the HTML that belongs to one section, in bytes."""

    name: str
    place: str  # of its first block; empty for what the theme adds
    only: str  # the segment that alone sees it, or empty
    size_bytes: int


class ListedImage(Struct, frozen=True, kw_only=True):
    """One image of the email."""

    name: str  # of the user's file
    place: str  # where the file is named
    size_bytes: int
    width: int
    height: int


def problems_of(composed: Composed | None, mistakes: Iterable[Mistake]) -> dict[str, list[ListedProblem]]:
    """Return the problems by kind, errors first. If there are mistakes in the files, these are the problems."""
    listed = [_of_mistake(mistake) for mistake in mistakes]
    if not listed and composed is not None:
        listed = [listed_finding(finding) for finding in composed.findings]
    kinds: defaultdict[str, list[ListedProblem]] = defaultdict(list)
    for kind in ("Error", "Warning", "Overridden"):
        for problem in listed:
            if problem.kind == kind:
                kinds[kind].append(problem)
    return dict(kinds)


def listed_finding(finding: Finding) -> ListedProblem:
    """Return a finding as an entry of the list of problems."""
    is_error = finding.severity is Severity.ERROR
    return ListedProblem(
        kind="Overridden" if finding.waived else "Error" if is_error else "Warning",
        place=str(finding.place),
        what=finding.what,
        remedy=f"because {finding.waived}" if finding.waived else finding.remedy,
        check=named(finding.rule),
        path=finding.place.path,
        fix_key=finding.fix.key if finding.fix else "",
    )


def _of_mistake(mistake: Mistake) -> ListedProblem:
    return ListedProblem(
        kind="Error",
        place=mistake.place,
        what=mistake.what,
        remedy=mistake.remedy,
        path=mistake.path,
        fix_key=mistake.fix.key if mistake.fix else "",
    )


def section_sizes(composed: Composed, mail: MarkedMail) -> tuple[SectionSize, ...]:
    """Return the size of each section in the order of the email, with its tables. The theme's part comes last.

    The email's HTML is cut before the first block of each section, where the block's tables begin. The studio's own
    attributes do not count.
    """
    html, issue = str(mail.html), composed.issue
    owners = {path: section.name for section in issue.sections for path in _paths_of(issue, section.name)}
    sizes, places = Counter[str](), dict[str, str]()
    owner, begins = _THEME, 0
    for block in _MARKED.finditer(html):
        found = owners.get(block[1], _THEME)
        if found != owner:
            cut = _beginning(html, begins, block.start())
            sizes[owner] += _size(html[begins:cut])
            owner, begins = found, cut
        places.setdefault(found, block[0].split('"')[1])
    sizes[owner] += _size(html[begins:])
    only = {section.name: section.only or "" for section in issue.sections}
    names = [*(name for name in only if name in sizes), _THEME]
    return tuple(
        SectionSize(
            name=name,
            place="" if name == _THEME else places.get(name, ""),
            only=only.get(name, ""),
            size_bytes=sizes[name],
        )
        for name in names
    )


def _paths_of(issue: Issue, name: str) -> Iterator[str]:
    for section in issue.sections:
        if section.name == name:
            yield section.source.path
            yield from (item.source.path for item in section.items)


def _beginning(html: str, after: int, at: int) -> int:
    """Return where the elements begin that open around a block: after the last end tag before it."""
    end = html.rfind("</", after, at)
    return max(after, html.find(">", end) + 1 if end >= 0 else at)


def _size(html: str) -> int:
    return len(_MARKED.sub("", html).encode())


def images_of(config: Config, composed: Composed, seen: Whom) -> tuple[ListedImage, ...]:
    """Return the images of the email, the heaviest first."""
    sources = index_sources(composed.issue.in_every_form, config, composed.rendered.pictures)
    html = "".join(seen.variant.html.parts)
    shown = [picture for picture in composed.rendered.pictures if picture.name in html]
    return tuple(
        ListedImage(
            name=Path(picture.original).name or picture.name,
            place=str(sources.place_of_picture(picture.name) or ""),
            size_bytes=len(picture.content),
            width=picture.width,
            height=picture.height,
        )
        for picture in sorted(shown, key=lambda picture: -len(picture.content))
    )


def rows_in_inboxes(composed: Composed, config: Config, seen: Whom, mail: MarkedMail) -> tuple[InboxRow, ...]:
    """Return the email as each email app lists it before it is opened. This parses the HTML, which takes a while."""
    words = [line for line in map(composed.issue.readable, read_document(seen.variant).lines) if line]
    return inbox_rows(
        sender=config.settings.newsletter.from_name,
        subject=str(mail.subject),
        preheader=str(mail.preheader),
        first_words=words[:20],
    )
