"""Checks of colors: contrast between the brand colors, and a complete dark mode."""

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import NamedTuple

from newsletter.checks.base import IN_TEMPLATES, CheckContext, Problem, error, first_of_each, rule, shown
from newsletter.checks.reading.contrast import READABLE, SrgbColor, color_of, contrast, nearest_readable
from newsletter.checks.reading.document import MailDocument, Tag
from newsletter.checks.reading.styles import declarations_of, rules_of
from newsletter.settings.workspace import Palette

_INKS = ("ink", "quiet", "accent", "on_accent")
_GROUNDS = ("inside", "outside", "wash", "solid")
_HELD = frozenset({"color", "background", "background-color", "display"})
_SCHEMES = frozenset({"color-scheme", "supported-color-schemes"})
_AT_NIGHT = "@media (prefers-color-scheme: dark)"
_IN_OUTLOOK = "[data-ogsc] and [data-ogsb] for Outlook.com"


class _Pair(NamedTuple):
    """The names of two palette colors: one for text, one for the background behind it."""

    ink: str
    ground: str


@rule("A12", source="WCAG 2.2, success criterion 1.4.3")
def check_palettes(context: CheckContext) -> Iterable[Problem]:
    """Low contrast between brand colors.

    The colors in [brand.light] and [brand.dark] need a contrast of at least 4.5:1 wherever the email shows one on
    top of another. Below that, text is hard or impossible to read for many people. The message names the nearest
    readable shade.
    """
    brand = context.subject.settings.brand
    looks = {run.look for document in context.documents for run in document.appearance.runs}
    by_day = {(look.color, look.ground) for look in looks}
    by_night = {(look.night_color, look.night_ground) for look in looks}
    yield from _problems(context, "light", brand.light, by_day)
    yield from _problems(context, "dark", brand.dark, by_night)


def _problems(
    context: CheckContext, table: str, palette: Palette, met: Iterable[tuple[SrgbColor | None, SrgbColor | None]]
) -> Iterator[Problem]:
    colors = {name: color_of(getattr(palette, name)) for name in (*_INKS, *_GROUNDS)}
    pairs = set(_named(colors, met))
    faint = [pair for pair in pairs if contrast(colors[pair.ink], colors[pair.ground]) < READABLE]
    told = [ink for ink in _INKS if any(pair.ink == ink for pair in faint)]
    for ink in told:
        # A background that is itself too faint, such as a button's, is reported first. Its text is checked after that.
        grounds = sorted(pair.ground for pair in faint if pair.ink == ink and pair.ground not in told)
        if grounds:
            ratios = [f"{contrast(colors[ink], colors[ground]):.2f}:1 on {ground}" for ground in grounds]
            what = f"the color {ink} {getattr(palette, ink)} has a contrast of only {' and '.join(ratios)}"
            place = context.config_place("brand", table, ink)
            yield error(place, f"{what}, and text needs {READABLE}:1", _remedy(table, ink, pairs, colors))


def _named(
    colors: Mapping[str, SrgbColor], met: Iterable[tuple[SrgbColor | None, SrgbColor | None]]
) -> Iterator[_Pair]:
    """Yield the names of each text color and its background. Other checks (A6) cover colors outside the palette."""
    for ink, ground in met:
        inks = [name for name in _INKS if colors[name] == ink]
        grounds = [name for name in _GROUNDS if colors[name] == ground]
        if inks and grounds:
            # A button usually has the color of the links, which is then the color to change.
            is_accent = grounds[0] == "solid" and colors["accent"] == ground
            yield _Pair(inks[0], "accent" if is_accent else grounds[0])


def _remedy(table: str, ink: str, pairs: Iterable[_Pair], colors: Mapping[str, SrgbColor]) -> str:
    """Return advice with the nearest shade that is readable wherever the theme uses the color for text or behind it."""
    beside = {colors[pair.ground] for pair in pairs if pair.ink == ink}
    beside |= {colors[pair.ink] for pair in pairs if pair.ground == ink}
    shade = nearest_readable(colors[ink], beside)
    if shade is None:
        return f"make the backgrounds in [brand.{table}] more alike; no shade of {ink} is readable on all of them"
    return f'write {ink} = "{shade}" in [brand.{table}], the nearest readable shade'


@rule("K1", source="this program, measured")
def check_important_styles(context: CheckContext) -> Iterable[Problem]:
    """Styles fixed with !important.

    No element may set its color, background or display with !important in its own style. Such a style cannot be
    changed for dark mode, so black text stays black on a background that has turned black.

    `display` is included because it would block the rules for phones in the same way.
    """
    for document in context.documents:
        for tag in document.tags:
            for name in _held_by(tag):
                what = f"<{tag.name}> fixes its {name} with !important, so it cannot change in dark mode or on phones"
                remedy = f"delete !important from that style, which is often in templates/author.css.j2 {IN_TEMPLATES}"
                yield error(context.issue_place, what, remedy)


@rule("K2", source="this program, measured")
def check_overrides(context: CheckContext) -> Iterable[Problem]:
    """Incomplete dark mode.

    An email that declares its own dark mode must set every color for it, for Outlook.com too. Email apps then leave
    its colors alone. If a color is missing, dark text stays dark on a background that has turned dark.

    Each color needs an override for prefers-color-scheme, and one for Outlook.com.
    """
    for document in context.documents:
        if _opts_in(document):
            yield from _colors(context, document)
            yield from _grounds(context, document)


def _held_by(tag: Tag) -> Iterator[str]:
    style = tag.attributes.get("style", "")
    if "!" in style:
        declared = declarations_of(style)
        yield from sorted(name for name in _HELD & declared.keys() if declared[name].is_important)


def _opts_in(document: MailDocument) -> bool:
    """Return whether the email declares its own dark colors, in a meta element or in a style."""
    said = [tag.attributes.get("content", "") for tag in document.tags if tag.attributes.get("name") in _SCHEMES]
    for style in document.styles:
        if "color-scheme" in style:
            rules = (rule.declarations for rule in rules_of(style))
            said += [rule[name].value for rule in rules for name in _SCHEMES & rule.keys()]
    return any("dark" in scheme.lower().split() for scheme in said)


def _colors(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    looks = [(run.look, run.text) for run in document.appearance.runs]
    bright = [(look.color, text) for look, text in looks if look.keeps_color_at_night]
    yield from _staying(context, "color", bright, _AT_NIGHT)
    bright = [
        (look.color, text) for look, text in looks if look.keeps_color_in_outlook and not look.keeps_color_at_night
    ]
    yield from _staying(context, "color", bright, _IN_OUTLOOK)


def _grounds(context: CheckContext, document: MailDocument) -> Iterator[Problem]:
    grounds = document.appearance.grounds
    bright = [(each.look.ground, each.text) for each in grounds if each.look.keeps_ground_at_night]
    yield from _staying(context, "background", bright, _AT_NIGHT)
    # Outlook.com replaces the body with an element of its own, which no style rule of an email can reach.
    inner = [each for each in grounds if each.look.keeps_ground_in_outlook and each.tag != "body"]
    bright = [(each.look.ground, each.text) for each in inner if not each.look.keeps_ground_at_night]
    yield from _staying(context, "background", bright, _IN_OUTLOOK)


def _staying(
    context: CheckContext, kind: str, colors: Iterable[tuple[SrgbColor, str]], where: str
) -> Iterator[Problem]:
    """Yield a problem for each color without a dark override, quoting the first text in it or on it."""
    for color, text in first_of_each(colors, itemgetter(0)):
        of = f" of “{shown(text)}”" if text else ""
        what = f"the {kind} {color}{of} does not change in dark mode: no rule in {where} overrides it"
        remedy = f"give its element a class, and set its {kind} there with !important"
        yield error(context.text_place(text), what, remedy)


RULES = (check_palettes, check_important_styles, check_overrides)
