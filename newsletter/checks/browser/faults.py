"""Faults from what a browser showed: each thing once, with its place, however often it was seen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from newsletter.checks.base import THEME_REMEDY, Evidence, Fault, error
from newsletter.checks.browser.axe import Contrast, Violation
from newsletter.checks.browser.axe_rules import meaning_of
from newsletter.checks.browser.chromium import Scheme, View
from newsletter.checks.browser.elements import Element, place_below, place_of
from newsletter.checks.browser.widths import TooWide
from newsletter.model.finding import Place

_NARROWER = {
    "table": "give it fewer columns or shorter words",
    "img": f"let pictures shrink with the screen (max-width: 100%); {THEME_REMEDY}",
}
_BREAKING = f"shorten it, or let long words break (overflow-wrap: anywhere); {THEME_REMEDY}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """What axe found, and how the mail was looked at."""

    view: View
    violation: Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """What is too wide, and for which window."""

    view: View
    found: TooWide


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnColor:
    """A color that the user chose."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Faint:
    """Two colors that are too near to each other, and where they meet."""

    breach: Breach
    contrast: Contrast


def breach_faults(breaches: Iterable[Breach], evidence: Evidence) -> Iterator[Fault]:
    """A fault for each color of the user that is too faint, or else each two, and for each other rule and place."""
    faint: dict[tuple[str, str], list[_Faint]] = {}
    others: dict[tuple[str, Place], list[Breach]] = {}
    for breach in breaches:
        violation = breach.violation
        if (contrast := violation.contrast) is not None:
            faint.setdefault((contrast.ink, contrast.ground), []).append(_Faint(breach=breach, contrast=contrast))
        else:
            place = place_of(violation.element, evidence) or evidence.issue_place
            others.setdefault((violation.rule, place), []).append(breach)
    by_cause: dict[_OwnColor | tuple[str, str], list[_Faint]] = {}
    for colors, alike in faint.items():
        owns = (_own_color(each, evidence) for each in alike)
        by_cause.setdefault(next(filter(None, owns), colors), []).extend(alike)
    for cause, alike in by_cause.items():
        yield _contrast_fault(cause, alike, evidence)
    for (_, place), breaches_there in others.items():
        violation = breaches_there[0].violation
        meaning = meaning_of(violation.rule, violation.address)
        what = f"{violation.element} {meaning.what}{_and_more(breaches_there)} (axe: {violation.rule})"
        yield error(place, what, meaning.remedy)


def overflow_faults(overflows: Iterable[Overflow], evidence: Evidence) -> Iterator[Fault]:
    """A fault for each place at which something is too wide, told of the widest screen that it does not fit."""
    told: set[Place] = set()
    for overflow in sorted(overflows, key=lambda overflow: -overflow.view.width):
        for cause in overflow.found.causes or (None,):
            place = _place_of_cause(cause, evidence) if cause else evidence.issue_place
            if place in told:
                continue
            told.add(place)
            what = (
                f"on a screen of {overflow.view.width} pixels the mail scrolls sideways, since "
                f"{cause or 'something in the theme'} reaches beyond it: the page is {overflow.found.width} pixels wide"
            )
            yield error(place, what, _NARROWER.get(cause.tag if cause else "", _BREAKING))


def _place_of_cause(cause: Element, evidence: Evidence) -> Place:
    return place_of(cause, evidence) or place_below(cause.heading, evidence) or evidence.issue_place


def _contrast_fault(cause: _OwnColor | tuple[str, str], alike: Sequence[_Faint], evidence: Evidence) -> Fault:
    faintest = min(alike, key=lambda each: each.contrast.ratio)
    violation, contrast = faintest.breach.violation, faintest.contrast
    where = " in dark colors" if faintest.breach.view.scheme is Scheme.DARK else ""
    what = (
        f"{violation.element} stands out too little{where}: {contrast.ink} on {contrast.ground} has a contrast of "
        f"{contrast.ratio:g} : 1, and {contrast.needed:g} : 1 is needed{_and_more([each.breach for each in alike])} "
        f"(axe: {violation.rule})"
    )
    if isinstance(cause, _OwnColor):
        return error(cause.place, what, f"make {cause.name} darker or lighter, until its contrast is enough")
    place = place_of(violation.element, evidence) or evidence.issue_place
    return error(place, what, f"choose colors that are further apart; {THEME_REMEDY}")


def _own_color(faint: _Faint, evidence: Evidence) -> _OwnColor | None:
    """The one of `[brand.light]` or `[brand.dark]` that is one of the two colors, where the user chose it."""
    brand, scheme = evidence.subject.settings.brand, faint.breach.view.scheme
    palette = brand.dark if scheme is Scheme.DARK else brand.light
    chosen = {str(getattr(palette, key)).lower(): key for key in palette.model_fields_set}
    key = chosen.get(faint.contrast.ink.lower()) or chosen.get(faint.contrast.ground.lower())
    if key is None:
        return None
    return _OwnColor(name=f"`{key}` of [brand.{scheme}]", place=evidence.config_place("brand", scheme.value, key))


def _and_more(breaches: Sequence[Breach]) -> str:
    more = len({str(breach.violation.element) for breach in breaches}) - 1
    return f"; so it is in {more} more {'places' if more > 1 else 'place'}" if more else ""
