"""Whether a mail that asks for dark colors has them all: an inlined color stays unless a rule wins over it."""

from collections.abc import Iterable, Iterator

from newsletter.checks.base import THEME_REMEDY, Evidence, Fault, error, first_of_each, shown
from newsletter.checks.reading.document import Document, Tag
from newsletter.checks.reading.styles import declarations_of, rules_of
from newsletter.model.finding import Place

_HELD = frozenset({"color", "background", "background-color", "display"})
_SCHEMES = frozenset({"color-scheme", "supported-color-schemes"})
_AT_NIGHT = "@media (prefers-color-scheme: dark)"
_IN_OUTLOOK = "[data-ogsc] and [data-ogsb], for Outlook.com"


def check_important_styles(evidence: Evidence) -> Iterable[Fault]:
    """No `style` attribute holds on to a color or to `display` by `!important`."""
    for document in evidence.documents:
        for tag in document.tags:
            for name in _held_by(tag):
                what = f"<{tag.name}> holds on to {name} by !important, so no rule for dark colors or phones can win"
                remedy = f"take !important out of that style, often in templates/author.css.j2; {THEME_REMEDY}"
                yield error(evidence.issue_place, what, remedy)


def check_overrides(evidence: Evidence) -> Iterable[Fault]:
    """Where the mail opts into dark colors, every color of text and of a ground has one for the night."""
    for document in evidence.documents:
        if _opts_in(document):
            yield from _colors(evidence, document)
            yield from _grounds(evidence, document)


def _held_by(tag: Tag) -> Iterator[str]:
    style = tag.attributes.get("style", "")
    if "!" in style:
        declared = declarations_of(style)
        yield from sorted(name for name in _HELD & declared.keys() if declared[name].is_important)


def _opts_in(document: Document) -> bool:
    """Whether the mail says that it brings dark colors of its own, by a meta element or by a style."""
    said = [tag.attributes.get("content", "") for tag in document.tags if tag.attributes.get("name") in _SCHEMES]
    for style in document.styles:
        if "color-scheme" in style:
            rules = (rule.declarations for rule in rules_of(style))
            said += [rule[name].value for rule in rules for name in _SCHEMES & rule.keys()]
    return any("dark" in scheme.lower().split() for scheme in said)


def _colors(evidence: Evidence, document: Document) -> Iterator[Fault]:
    runs = document.appearance.runs
    bright = [run for run in runs if run.look.keeps_color_at_night]
    for run in first_of_each(bright, lambda run: run.look.color):
        yield _stays(evidence.text_place(run.text), f"the color {run.look.color}", run.text, _AT_NIGHT)
    bright = [run for run in runs if run.look.keeps_color_in_outlook and not run.look.keeps_color_at_night]
    for run in first_of_each(bright, lambda run: run.look.color):
        yield _stays(evidence.text_place(run.text), f"the color {run.look.color}", run.text, _IN_OUTLOOK)


def _grounds(evidence: Evidence, document: Document) -> Iterator[Fault]:
    grounds = document.appearance.grounds
    bright = [ground for ground in grounds if ground.look.keeps_ground_at_night]
    for ground in first_of_each(bright, lambda ground: ground.look.ground):
        yield _stays(evidence.text_place(ground.text), f"the ground {ground.look.ground}", ground.text, _AT_NIGHT)
    # Outlook.com puts an element of its own in the place of the body, which no rule of a mail reaches.
    bright = [
        ground
        for ground in grounds
        if ground.look.keeps_ground_in_outlook and not ground.look.keeps_ground_at_night and ground.tag != "body"
    ]
    for ground in first_of_each(bright, lambda ground: ground.look.ground):
        yield _stays(evidence.text_place(ground.text), f"the ground {ground.look.ground}", ground.text, _IN_OUTLOOK)


def _stays(place: Place, color: str, text: str, where: str) -> Fault:
    of = f" of “{shown(text)}”" if text else ""
    what = f"{color}{of} stays as it is in the dark: no rule in {where} overrides it"
    return error(place, what, "give its element a class, and the class a color there with !important")
