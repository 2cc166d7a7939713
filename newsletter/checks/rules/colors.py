"""Whether the workspace's own colors can be read on one another, where the theme puts them so."""

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import NamedTuple

from newsletter.checks.base import THEME_REMEDY, CheckContext, Problem, error, first_of_each, rule, shown
from newsletter.checks.reading.contrast import READABLE, SrgbColor, color_of, contrast, nearest_readable
from newsletter.checks.reading.document import MailDocument, Tag
from newsletter.checks.reading.styles import declarations_of, rules_of
from newsletter.settings.workspace import Palette

_INKS = ("ink", "quiet", "accent", "on_accent")
_GROUNDS = ("inside", "outside", "wash", "accent")
_HELD = frozenset({"color", "background", "background-color", "display"})
_SCHEMES = frozenset({"color-scheme", "supported-color-schemes"})
_AT_NIGHT = "@media (prefers-color-scheme: dark)"
_IN_OUTLOOK = "[data-ogsc] and [data-ogsb], for Outlook.com"


class _Pair(NamedTuple):
    """Two colors of a palette by their names: one of text, one of what it lies on."""

    ink: str
    ground: str


@rule("A12", source="WCAG 2.2, success criterion 1.4.3")
def check_palettes(context: CheckContext) -> Iterable[Problem]:
    """Your colors can be read on one another.

    The colors of [brand.light] and [brand.dark] are held against each other wherever the mail puts one on another: 4.5
    : 1. Where one is too faint, its nearest shade that can be read is told.
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
        # A ground that is too faint itself, such as a button's, is to be changed first, and then carries its text.
        grounds = sorted(pair.ground for pair in faint if pair.ink == ink and pair.ground not in told)
        if grounds:
            ratios = [f"{contrast(colors[ink], colors[ground]):.2f} : 1 on {ground}" for ground in grounds]
            what = f"{ink} {getattr(palette, ink)} has a contrast of {' and '.join(ratios)}"
            place = context.config_place("brand", table, ink)
            yield error(place, f"{what}, and {READABLE} : 1 can be read", _remedy(table, ink, pairs, colors))


def _named(
    colors: Mapping[str, SrgbColor], met: Iterable[tuple[SrgbColor | None, SrgbColor | None]]
) -> Iterator[_Pair]:
    """Yield the names of the colors that meet; those that are not of the palette are another check's matter."""
    for ink, ground in met:
        inks = [name for name in _INKS if colors[name] == ink]
        grounds = [name for name in _GROUNDS if colors[name] == ground]
        if inks and grounds:
            yield _Pair(inks[0], grounds[0])


def _remedy(table: str, ink: str, pairs: Iterable[_Pair], colors: Mapping[str, SrgbColor]) -> str:
    """Return the nearest shade that can be read wherever the theme uses the color, as text or under text."""
    beside = {colors[pair.ground] for pair in pairs if pair.ink == ink}
    beside |= {colors[pair.ink] for pair in pairs if pair.ground == ink}
    shade = nearest_readable(colors[ink], beside)
    if shade is None:
        return f"make the grounds in [brand.{table}] more alike; no shade of {ink} can be read on all of them"
    return f'write {ink} = "{shade}" in [brand.{table}], its nearest shade that can be read'


@rule("K1", source="this program, measured")
def check_important_styles(context: CheckContext) -> Iterable[Problem]:
    """No element insists on its color.

    A color inlined with !important wins over every rule for dark colors, so black text stays black on a ground that has
    turned black.

    `display` is judged like a color.
    """
    for document in context.documents:
        for tag in document.tags:
            for name in _held_by(tag):
                what = f"<{tag.name}> holds on to {name} by !important, so no rule for dark colors or phones can win"
                remedy = f"take !important out of that style, often in templates/author.css.j2; {THEME_REMEDY}"
                yield error(context.issue_place, what, remedy)


@rule("K2", source="this program, measured")
def check_overrides(context: CheckContext) -> Iterable[Problem]:
    """A mail that asks for dark colors brings all of them.

    To opt in tells mail programs to leave the colors alone. Half a set is worse than none: dark text stays on what has
    turned dark. Each color is overridden for prefers-color-scheme, and for Outlook.com.
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
    """Return whether the mail says that it brings dark colors of its own, by a meta element or by a style."""
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
    yield from _staying(context, "ground", bright, _AT_NIGHT)
    # Outlook.com puts an element of its own in the place of the body, which no rule of a mail reaches.
    inner = [each for each in grounds if each.look.keeps_ground_in_outlook and each.tag != "body"]
    bright = [(each.look.ground, each.text) for each in inner if not each.look.keeps_ground_at_night]
    yield from _staying(context, "ground", bright, _IN_OUTLOOK)


def _staying(
    context: CheckContext, kind: str, colors: Iterable[tuple[SrgbColor, str]], where: str
) -> Iterator[Problem]:
    """Yield a problem for each color that stays in the dark, with the first text that has it or lies on it."""
    for color, text in first_of_each(colors, itemgetter(0)):
        of = f" of “{shown(text)}”" if text else ""
        what = f"the {kind} {color}{of} stays as it is in the dark: no rule in {where} overrides it"
        remedy = "give its element a class, and the class a color there with !important"
        yield error(context.text_place(text), what, remedy)


RULES = (check_palettes, check_important_styles, check_overrides)
