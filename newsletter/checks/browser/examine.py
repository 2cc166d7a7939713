"""Judges a mail by what a browser shows of it: wide and narrow, by day and by night."""

from collections.abc import Iterator
from importlib.resources import files

from playwright.sync_api import Error, Page

from newsletter.checks.base import Circumstances, Evidence, Probed
from newsletter.checks.browser.axe import axe_core, serious_violations
from newsletter.checks.browser.chromium import Scheme, View, first_line, look, opened_browser
from newsletter.checks.browser.faults import Breach, Overflow, breach_faults, overflow_faults
from newsletter.checks.browser.widths import what_is_too_wide
from newsletter.checks.reading.document import Document
from newsletter.errors import CannotRunError
from newsletter.model.finding import NotRun

AXE_VIEWS = (
    View(width=640, scheme=Scheme.LIGHT),
    View(width=360, scheme=Scheme.LIGHT),
    View(width=640, scheme=Scheme.DARK),
)
NARROW_VIEWS = (View(width=360, scheme=Scheme.LIGHT), View(width=320, scheme=Scheme.LIGHT))
MOST_VARIANTS = 6  # each takes a second or two; one for each mailbox provider that has tips of its own is among them


def examine(evidence: Evidence, _: Circumstances) -> Probed:
    """Looks at the variants that say the most, each merge field as a word of twenty letters.

    Variants beyond the first few that say something new are told as not judged. Raises CannotRunError where there is no
    browser, or it fails.
    """
    telling = tuple(telling_documents(evidence.documents))
    breaches: list[Breach] = []
    overflows: list[Overflow] = []
    try:
        with opened_browser(evidence.subject.rendered.pictures, scripts=(axe_core(), _inspection())) as window:
            for document in telling[:MOST_VARIANTS]:
                with window.showing(document.html) as page:
                    breaches += _breaches(page)
                    overflows += _overflows(page)
    except (Error, OSError) as err:
        raise CannotRunError(f"the browser failed ({first_line(err)}); try again") from err
    found = [("A6", fault) for fault in breach_faults(breaches, evidence)]
    found += [("S13", fault) for fault in overflow_faults(overflows, evidence)]
    return Probed(faults=tuple(found), not_run=tuple(_left_out(len(telling) - MOST_VARIANTS)))


def telling_documents(documents: tuple[Document, ...]) -> Iterator[Document]:
    """The documents with the most lines that none before them shows; the fullest is first."""
    left, seen = list(documents), frozenset[str]()
    while left:
        best = max(left, key=lambda document: len(frozenset(document.lines) - seen))
        if seen and not frozenset(best.lines) - seen:
            return
        yield best
        left.remove(best)
        seen |= frozenset(best.lines)


def _left_out(count: int) -> Iterator[NotRun]:
    if count > 0:
        why = f"{count} variant{'s' if count > 1 else ''}: only the {MOST_VARIANTS} that say the most are looked at"
        yield from (NotRun(rule=rule, why=why) for rule in ("A6", "S13"))


def _breaches(page: Page) -> Iterator[Breach]:
    for view in AXE_VIEWS:
        look(page, view)
        for violation in serious_violations(page):
            yield Breach(view=view, violation=violation)


def _overflows(page: Page) -> Iterator[Overflow]:
    for view in NARROW_VIEWS:
        look(page, view)
        if (found := what_is_too_wide(page)) is not None:
            yield Overflow(view=view, found=found)


def _inspection() -> str:
    return (files(__package__) / "inspect.js").read_text(encoding="utf-8")
