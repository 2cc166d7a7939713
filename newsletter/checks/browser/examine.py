"""Check an email as a browser shows it: in a wide and a narrow window, in light and dark mode.

Each problem is reported once, with its place, however often it was seen.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from playwright.sync_api import Error

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Circumstances, Probed, Problem, error
from newsletter.checks.browser.chromium import PreferredScheme, Viewport, opened_browser
from newsletter.checks.browser.confinement import first_line
from newsletter.checks.browser.inspection import (
    Contrast,
    Element,
    Overflow,
    Violation,
    inspecting_scripts,
    overflows,
    serious_violations,
)
from newsletter.checks.reading.document import MailDocument, words_of
from newsletter.errors import CannotRunError
from newsletter.language.counts import count_of
from newsletter.model.finding import NotRun, Place

AXE_VIEWS = (
    Viewport(width=640, scheme=PreferredScheme.LIGHT),
    Viewport(width=360, scheme=PreferredScheme.LIGHT),
    Viewport(width=640, scheme=PreferredScheme.DARK),
)
NARROW_VIEWS = (Viewport(width=360, scheme=PreferredScheme.LIGHT), Viewport(width=320, scheme=PreferredScheme.LIGHT))
MOST_VARIANTS = 6  # Each takes a second or two. Six include one variant per mailbox provider with its own tips.


def examine(context: CheckContext, _: Circumstances) -> Probed:
    """Check the variants with the most text, with a word of twenty letters in each merge field.

    Of the variants that show new text, only the first few are checked, and the others are reported as skipped. Raise
    CannotRunError if there is no browser or it fails.
    """
    telling = tuple(telling_documents(context.documents))
    violations: list[Violation] = []
    too_wide: list[Overflow] = []
    try:
        with opened_browser(context.subject.rendered.pictures, scripts=inspecting_scripts()) as window:
            exposure = window.exposure
            for document in telling[:MOST_VARIANTS]:
                with window.showing(document.html) as page:
                    violations += (found for view in AXE_VIEWS for found in serious_violations(page, view))
                    too_wide += (found for view in NARROW_VIEWS for found in overflows(page, view))
    except (Error, OSError) as err:
        raise CannotRunError(f"the browser failed ({first_line(err)}); try again") from err
    found = [("A6", problem) for problem in violation_problems(violations, context)]
    found += [("S13", problem) for problem in overflow_problems(too_wide, context)]
    left_out = tuple(_left_out(len(telling) - MOST_VARIANTS))
    return Probed(problems=tuple(found), not_run=left_out, notes=(exposure,) if exposure else ())


def telling_documents(documents: tuple[MailDocument, ...]) -> Iterator[MailDocument]:
    """Yield the document with the most lines, then, repeatedly, the one that adds the most new lines."""
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
        are = "are" if count > 1 else "is"
        most = f"only the {MOST_VARIANTS} with the most new text are checked"
        why = f"{count_of(count, 'variant')} of the email {are} skipped, because {most}"
        yield from (NotRun(rule=rule, why=why) for rule in ("A6", "S13"))


_NARROWER = {
    "table": "in the text of the table, delete a column or use shorter words",
    "img": f"write max-width: 100% in the style of the image {IN_TEMPLATES}",
}
_BREAKING = f"shorten this text, or write overflow-wrap: anywhere in its style {IN_TEMPLATES}"
# How many words to look for if the whole text is not found. Text in the files is indexed by line, so fewer may match.
_WORDS_TO_FIND = (8, 4, 2)


class AxeAdvice(NamedTuple):
    """The problem with an element, worded to follow its name in a sentence, and the remedy."""

    what: str
    remedy: str


@cache
def _advice() -> Mapping[str, AxeAdvice]:
    """Return the advice for each of axe's rules from data/axe.toml, by the rule's name."""
    told = tomllib.loads((files("newsletter") / "checks" / "data" / "axe.toml").read_text("utf-8"))
    return {
        rule: AxeAdvice(each["what"], each["remedy"].format(theme=IN_TEMPLATES))
        for each in told["advice"]
        for rule in each["rules"]
    }


class _OwnColor(NamedTuple):
    """A color that the user has set."""

    name: str
    place: Place


class _Faint(NamedTuple):
    """A pair of colors with too little contrast, and where it occurs."""

    contrast: Contrast
    violation: Violation


def violation_problems(violations: Iterable[Violation], context: CheckContext) -> Iterator[Problem]:
    """Yield one problem per faint color that the user set, per other faint pair, and per other rule and place."""
    faint: dict[tuple[str, str], list[_Faint]] = defaultdict(list)
    others: dict[tuple[str, Place], list[Violation]] = defaultdict(list)
    for violation in violations:
        if (contrast := violation.contrast) is not None:
            faint[contrast.ink, contrast.ground].append(_Faint(contrast, violation))
        else:
            others[violation.rule, _place_of(violation.element, context) or context.issue_place].append(violation)
    by_cause: dict[_OwnColor | tuple[str, str], list[_Faint]] = defaultdict(list)
    for colors, alike in faint.items():
        owns = (_own_color(each, context) for each in alike)
        by_cause[next(filter(None, owns), colors)] += alike
    for cause, alike in by_cause.items():
        yield _contrast_problem(cause, alike, context)
    for (rule, place), there in others.items():
        advice = _advice().get(rule) or AxeAdvice(
            "fails an accessibility test", f"read {there[0].address}, and correct this {IN_TEMPLATES}"
        )
        yield error(place, f"{there[0].element} {advice.what}{_and_more(there)} (axe: {rule})", advice.remedy)


def overflow_problems(overflows: Iterable[Overflow], context: CheckContext) -> Iterator[Problem]:
    """Yield one problem for each place that is too wide, with the widest screen that it does not fit."""
    told: set[Place] = set()
    for overflow in sorted(overflows, key=lambda overflow: -overflow.view.width):
        for cause in overflow.causes or (None,):
            place = _place_of_cause(cause, context) or context.issue_place
            if place in told:
                continue
            told.add(place)
            what = (
                f"on a screen {overflow.view.width} pixels wide, the email scrolls sideways: "
                f"{cause or 'something in the theme'} makes it {overflow.width} pixels wide"
            )
            yield error(place, what, _NARROWER.get(cause.tag if cause else "", _BREAKING))


def _contrast_problem(cause: _OwnColor | tuple[str, str], alike: Sequence[_Faint], context: CheckContext) -> Problem:
    contrast, violation = min(alike, key=lambda each: each.contrast.ratio)
    where = " in dark mode" if violation.view.scheme is PreferredScheme.DARK else ""
    what = (
        f"{violation.element} is hard to read{where}: {contrast.ink} on {contrast.ground} has a contrast of "
        f"{contrast.ratio:g}:1 but needs {contrast.needed:g}:1{_and_more([each.violation for each in alike])} "
        f"(axe: {violation.rule})"
    )
    if isinstance(cause, _OwnColor):
        return error(
            cause.place, what, f"make {cause.name} darker or lighter until it has a contrast of {contrast.needed:g}:1"
        )
    place = _place_of(violation.element, context) or context.issue_place
    return error(place, what, f"choose colors with more contrast {IN_TEMPLATES}")


def _own_color(faint: _Faint, context: CheckContext) -> _OwnColor | None:
    """Return the color that the user set in `[brand.light]` or `[brand.dark]`, if it is one of the pair."""
    brand, scheme = context.subject.settings.brand, faint.violation.view.scheme
    palette = brand.dark if scheme is PreferredScheme.DARK else brand.light
    # In this order, a color that follows `accent` does not hide that key.
    chosen = {str(getattr(palette, key)).lower(): key for key in sorted(palette.model_fields_set, reverse=True)}
    key = chosen.get(faint.contrast.ink.lower()) or chosen.get(faint.contrast.ground.lower())
    if key is None:
        return None
    return _OwnColor(f"`{key}` in [brand.{scheme}]", context.config_place("brand", scheme.value, key))


def _and_more(violations: Sequence[Violation]) -> str:
    more = len({str(violation.element) for violation in violations}) - 1
    return f", and in {more} more {'places' if more > 1 else 'place'}" if more else ""


def _place_of(element: Element, context: CheckContext) -> Place | None:
    """Return where an element was written, found by its image, link or text, or None if the theme made it."""
    sources = context.sources
    found = sources.place_of_picture(element.picture) if element.picture and not element.text else None
    found = found or (sources.place_of_link(element.link, element.text) if element.link else None)
    return found or _place_of_words(element.text, context)


def _place_of_cause(cause: Element | None, context: CheckContext) -> Place | None:
    """Return where an element was written, or else where the heading above it was written.

    Some text is not in any file, such as a date that the program wrote.
    """
    return None if cause is None else _place_of(cause, context) or _place_of_words(cause.heading, context)


def _place_of_words(text: str, context: CheckContext) -> Place | None:
    words = words_of(text)
    for count in (len(words), *(count for count in _WORDS_TO_FIND if count < len(words))):
        if place := context.sources.place_of_text(" ".join(words[:count])):
            return place
    return None
