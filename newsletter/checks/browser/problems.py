"""Problems from what a browser showed: each thing once, with its place, however often it was seen."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from newsletter.checks.base import THEME_REMEDY, CheckContext, Problem, error
from newsletter.checks.browser.chromium import ColorScheme
from newsletter.checks.browser.inspection import Contrast, Element, Overflow, Violation
from newsletter.checks.reading.words import words_of
from newsletter.model.finding import Place

_NARROWER = {
    "table": "give it fewer columns or shorter words",
    "img": f"let pictures shrink with the screen (max-width: 100%); {THEME_REMEDY}",
}
_BREAKING = f"shorten it, or let long words break (overflow-wrap: anywhere); {THEME_REMEDY}"
_WORDS_TO_FIND = (8, 4, 2)  # how much of a text is looked for, since a source text is one line


class AxeAdvice(NamedTuple):
    """What an element does that it must not (after its name in a sentence), and the remedy."""

    what: str
    remedy: str


@cache
def _advice() -> Mapping[str, AxeAdvice]:
    """Return what to say of each rule of axe, by axe's name for it: data/axe.toml."""
    told = tomllib.loads((files("newsletter") / "checks" / "data" / "axe.toml").read_text("utf-8"))
    return {
        rule: AxeAdvice(each["what"], each["remedy"].format(theme=THEME_REMEDY))
        for each in told["advice"]
        for rule in each["rules"]
    }


class _OwnColor(NamedTuple):
    """A color that the user chose."""

    name: str
    place: Place


class _Faint(NamedTuple):
    """Two colors that are too near to each other, and where they meet."""

    contrast: Contrast
    violation: Violation


def violation_problems(violations: Iterable[Violation], context: CheckContext) -> Iterator[Problem]:
    """Yield a problem for each color of the user that is too faint, or else each pair; and for each rule and place."""
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
        advice = _advice().get(rule) or AxeAdvice("fails a test of axe", f"see {there[0].address}; {THEME_REMEDY}")
        yield error(place, f"{there[0].element} {advice.what}{_and_more(there)} (axe: {rule})", advice.remedy)


def overflow_problems(overflows: Iterable[Overflow], context: CheckContext) -> Iterator[Problem]:
    """Yield a problem for each place at which something is too wide, told of the widest screen that it does not fit."""
    told: set[Place] = set()
    for overflow in sorted(overflows, key=lambda overflow: -overflow.view.width):
        for cause in overflow.causes or (None,):
            place = _place_of_cause(cause, context) or context.issue_place
            if place in told:
                continue
            told.add(place)
            what = (
                f"on a screen of {overflow.view.width} pixels the mail scrolls sideways, since "
                f"{cause or 'something in the theme'} reaches beyond it: the page is {overflow.width} pixels wide"
            )
            yield error(place, what, _NARROWER.get(cause.tag if cause else "", _BREAKING))


def _contrast_problem(cause: _OwnColor | tuple[str, str], alike: Sequence[_Faint], context: CheckContext) -> Problem:
    contrast, violation = min(alike, key=lambda each: each.contrast.ratio)
    where = " in dark colors" if violation.view.scheme is ColorScheme.DARK else ""
    what = (
        f"{violation.element} stands out too little{where}: {contrast.ink} on {contrast.ground} has a contrast of "
        f"{contrast.ratio:g} : 1, and {contrast.needed:g} : 1 is needed{_and_more([each.violation for each in alike])} "
        f"(axe: {violation.rule})"
    )
    if isinstance(cause, _OwnColor):
        return error(cause.place, what, f"make {cause.name} darker or lighter, until its contrast is enough")
    place = _place_of(violation.element, context) or context.issue_place
    return error(place, what, f"choose colors that are further apart; {THEME_REMEDY}")


def _own_color(faint: _Faint, context: CheckContext) -> _OwnColor | None:
    """Return the one of `[brand.light]` or `[brand.dark]` that is one of the two colors, where the user chose it."""
    brand, scheme = context.subject.settings.brand, faint.violation.view.scheme
    palette = brand.dark if scheme is ColorScheme.DARK else brand.light
    chosen = {str(getattr(palette, key)).lower(): key for key in palette.model_fields_set}
    key = chosen.get(faint.contrast.ink.lower()) or chosen.get(faint.contrast.ground.lower())
    if key is None:
        return None
    return _OwnColor(f"`{key}` of [brand.{scheme}]", context.config_place("brand", scheme.value, key))


def _and_more(violations: Sequence[Violation]) -> str:
    more = len({str(violation.element) for violation in violations}) - 1
    return f"; so it is in {more} more {'places' if more > 1 else 'place'}" if more else ""


def _place_of(element: Element, context: CheckContext) -> Place | None:
    """Return where an element was written: by its picture, its link or its words; None where the theme made it."""
    sources = context.sources
    found = sources.place_of_picture(element.picture) if element.picture and not element.text else None
    found = found or (sources.place_of_link(element.link, element.text) if element.link else None)
    return found or _place_of_words(element.text, context)


def _place_of_cause(cause: Element | None, context: CheckContext) -> Place | None:
    """Return where an element was written, or the heading above it: words that the program made, as a date, are not."""
    return None if cause is None else _place_of(cause, context) or _place_of_words(cause.heading, context)


def _place_of_words(text: str, context: CheckContext) -> Place | None:
    words = words_of(text)
    for count in (len(words), *(count for count in _WORDS_TO_FIND if count < len(words))):
        if place := context.sources.place_of_text(" ".join(words[:count])):
            return place
    return None
