"""Judges a mail by what a browser shows of it: wide and narrow, by day and by night."""

from collections.abc import Iterator

from playwright.sync_api import Error

from newsletter.checks.base import CheckContext, Circumstances, Probed
from newsletter.checks.browser.chromium import ColorScheme, Viewport, first_line, opened_browser
from newsletter.checks.browser.inspection import Overflow, Violation, inspecting_scripts, overflows, serious_violations
from newsletter.checks.browser.problems import overflow_problems, violation_problems
from newsletter.checks.reading.document import MailDocument
from newsletter.errors import CannotRunError
from newsletter.model.finding import NotRun

AXE_VIEWS = (
    Viewport(width=640, scheme=ColorScheme.LIGHT),
    Viewport(width=360, scheme=ColorScheme.LIGHT),
    Viewport(width=640, scheme=ColorScheme.DARK),
)
NARROW_VIEWS = (Viewport(width=360, scheme=ColorScheme.LIGHT), Viewport(width=320, scheme=ColorScheme.LIGHT))
MOST_VARIANTS = 6  # each takes a second or two; one for each mailbox provider that has tips of its own is among them


def examine(context: CheckContext, _: Circumstances) -> Probed:
    """Look at the variants that say the most, each merge field as a word of twenty letters.

    Variants beyond the first few that say something new are told as not judged. Raise CannotRunError where there is no
    browser, or it fails.
    """
    telling = tuple(telling_documents(context.documents))
    violations: list[Violation] = []
    too_wide: list[Overflow] = []
    try:
        with opened_browser(context.subject.rendered.pictures, scripts=inspecting_scripts()) as window:
            for document in telling[:MOST_VARIANTS]:
                with window.showing(document.html) as page:
                    violations += (found for view in AXE_VIEWS for found in serious_violations(page, view))
                    too_wide += (found for view in NARROW_VIEWS for found in overflows(page, view))
    except (Error, OSError) as err:
        raise CannotRunError(f"the browser failed ({first_line(err)}); try again") from err
    found = [("A6", problem) for problem in violation_problems(violations, context)]
    found += [("S13", problem) for problem in overflow_problems(too_wide, context)]
    return Probed(problems=tuple(found), not_run=tuple(_left_out(len(telling) - MOST_VARIANTS)))


def telling_documents(documents: tuple[MailDocument, ...]) -> Iterator[MailDocument]:
    """Yield the documents with the most lines that none before them shows; the fullest is first."""
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
