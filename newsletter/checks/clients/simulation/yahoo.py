"""Yahoo and AOL, in a browser and in their apps: how their filter rewrites style sheets."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.css import CssDeclaration
from newsletter.checks.clients.simulation.losses import PublishedRule, bug
from newsletter.checks.clients.simulation.shared_rules import (
    body_to_div,
    drop_declarations,
    drop_negative_margins,
    drop_selectors,
    filter_media,
    keep_values,
    prefix_selectors,
    rename_classes,
)

_TESTS = "https://www.caniemail.com/features"
_MEDIA = PublishedRule("caniemail: @media", "2023-12-13", url=f"{_TESTS}/css-at-media/")
_BACKGROUND = PublishedRule("caniemail: background", "2023-07-24", url=f"{_TESTS}/css-background/")
_RADIUS = PublishedRule("caniemail: border-radius", "2021-03-09", url=f"{_TESTS}/css-border-radius/")
_POSITION = PublishedRule("caniemail: position", "2021-05-16", url=f"{_TESTS}/css-position/")
_HEIGHT = PublishedRule("caniemail: height", "2019-09-27", url=f"{_TESTS}/css-height/")
_DISPLAY = PublishedRule("caniemail: display", "2021-12-01", url=f"{_TESTS}/css-display/")
_ATTRIBUTE = PublishedRule("caniemail: attribute selector", "2020-12-15", url=f"{_TESTS}/css-selector-attribute/")
_COMMA = bug(149, "2025-08-19")
_CLASSES = bug(22, "2016-10-21")
_QUOTES = bug(79, "2020-04-01")
_NEAR_WHITE = bug(156, "2025-09-18")
_PREFIX = "yiv1234567890"  # Yahoo makes one for each message
_COMMA_QUERY = re.compile(r"@media[^{]*?,[^{]*\{")
_QUERY = re.compile(
    r"(?:only\s+)?(?:screen)?(?:\s*(?:and)?\s*\((?:min|max)-(?:width|height)\s*:[^)]*\))*", re.IGNORECASE
)
_UNTAKEN_CLASS = re.compile(r"\.(?:[_-]|[\w-]*__(?![\w-]))")
_UNTAKEN_ATTRIBUTE = re.compile(r"\[[^\]=]*\]|\[[^\]]*[~|^$*]=")
_UNTAKEN_DISPLAY = frozenset({"flow-root", "inline-flex", "inline-grid", "contents", "revert", "inline flow"})
# Features of which caniemail says “in part” and which the rules here describe.
HANDLED = frozenset(
    {"css-at-media", "css-selector-attribute", "css-position", "css-margin", "css-background", "css-border-radius"}
    | {"css-background-image", "css-display", "css-height"}
)
_ALMOST_WHITE = re.compile(r"#(?:fffffe|fffeff|feffff|fefeff|fefffe|fffefe|fefefe)\b", re.IGNORECASE)


def cut_sheets(mail: AppMail) -> None:
    """Cut each style element at a media query with a comma, where Yahoo stops reading."""

    def edit(css: str) -> str:
        found = _COMMA_QUERY.search(css)
        if found is None:
            return css
        mail.tally.lose("the rest of a <style>", "lost after a comma in a media query", _COMMA)
        return css[: found.start()]

    mail.edit_sheet_text(edit)


def sanitize(mail: AppMail) -> None:
    """Filter and rename as Yahoo does."""
    drop_selectors(
        mail,
        lambda each: _UNTAKEN_CLASS.search(each) is not None,
        "classes that begin with _ or -, or end with __, lose their rules",
        _CLASSES,
    )
    drop_selectors(
        mail,
        lambda each: _UNTAKEN_ATTRIBUTE.search(each) is not None,
        "the only attribute selectors that work are like [a=v]",
        _ATTRIBUTE,
    )
    filter_media(
        mail,
        lambda query: query if _QUERY.fullmatch(query.strip()) else None,
        "only screen, width and height are supported",
        _MEDIA,
    )
    _filter_values(mail)
    _change_heights(mail)
    rename_classes(mail, _PREFIX)
    prefix_selectors(mail, f"#{_PREFIX}")
    body = body_to_div(mail)
    holder = body.makeelement("div", {"id": _PREFIX})
    mail.body.append(holder)
    holder.append(body)


def flag_near_whites(mail: AppMail) -> None:
    """Record near-white colors, which Yahoo's dark mode turns green, purple or cyan."""
    count = sum(
        len(_ALMOST_WHITE.findall(element.get(name, "")))
        for element in mail.elements()
        for name in ("style", "bgcolor")
    )
    count += sum(len(_ALMOST_WHITE.findall(style.text or "")) for style in mail.elements("style"))
    if count:
        mail.tally.lose("near-white colors", "become green, purple or cyan in dark mode", _NEAR_WHITE, count=count)


def _filter_values(mail: AppMail) -> None:
    drop_declarations(mail, _has_several_backgrounds, "several backgrounds make the declaration invalid", _BACKGROUND)
    drop_declarations(mail, _has_background_size, "a size after / makes the declaration invalid", _BACKGROUND)
    drop_declarations(
        mail,
        lambda declared, _: declared.name.endswith("radius") and "/" in declared.value,
        "a radius with / is not supported",
        _RADIUS,
    )
    drop_declarations(
        mail,
        lambda declared, _: declared.name == "display" and declared.value in _UNTAKEN_DISPLAY,
        "this value of display is not supported",
        _DISPLAY,
    )
    drop_declarations(mail, _has_bare_address, "a background image without quotes is removed", _QUOTES)
    keep_values(mail, "position", {"relative", "static"}, _POSITION)
    drop_negative_margins(mail)


def _change_heights(mail: AppMail) -> None:
    def edit(declared: CssDeclaration, _: HtmlElement | None) -> Iterator[CssDeclaration]:
        if declared.name == "height" and declared.value != "auto":
            mail.tally.lose("height", "changed to min-height", _HEIGHT)
            yield CssDeclaration("min-height", declared.value, declared.bang)
        else:
            yield declared

    mail.edit_declarations(edit)


def _has_several_backgrounds(declared: CssDeclaration, _: HtmlElement | None) -> bool:
    outside = re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", "", declared.value)
    return declared.name in {"background", "background-image"} and "," in outside


def _has_background_size(declared: CssDeclaration, _: HtmlElement | None) -> bool:
    outside = re.sub(r"\([^()]*\)", "", declared.value)
    return declared.name == "background" and "/" in outside


def _has_bare_address(declared: CssDeclaration, element: HtmlElement | None) -> bool:
    is_background = declared.name in {"background", "background-image"}
    return element is not None and is_background and re.search(r"url\(\s*[^\s\"')]", declared.value) is not None
