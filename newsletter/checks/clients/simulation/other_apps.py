"""What Apple Mail, Samsung Email, Thunderbird, Proton Mail, Fastmail, GMX, Orange, La Poste and HEY do to an email."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.app_mail import AppMail, DeclarationEdit
from newsletter.checks.clients.simulation.css import CssDeclaration, CssGroup, CssNode, CssRule
from newsletter.checks.clients.simulation.losses import Basis, PublishedRule, bug
from newsletter.checks.clients.simulation.shared_rules import (
    PHONE_NUMBER,
    drop_attributes,
    drop_declarations,
    filter_media,
    guessed,
    keep_values,
    link_texts,
    neutralize,
)

_TESTS = "https://www.caniemail.com/features"
_POSITION = PublishedRule("caniemail: position", "2021-05-16", url=f"{_TESTS}/css-position/")
_BACKGROUND = PublishedRule("caniemail: background", "2023-07-24", url=f"{_TESTS}/css-background/")
_DISPLAY = PublishedRule("caniemail: display", "2021-12-01", url=f"{_TESTS}/css-display/")
_DIR = PublishedRule("caniemail: dir attribute", "2021-11-01", url=f"{_TESTS}/html-dir/")
_ALIGN = PublishedRule("caniemail: align attribute", "2021-11-10", url=f"{_TESTS}/html-align/")
_PROTON = PublishedRule(
    "Proton Mail's source, sanitize/escape.ts", "2026", Basis.DOCUMENTED, "https://github.com/ProtonMail/WebClients"
)
_AUTO_FIT = PublishedRule("hteumeuleu.com: Samsung's AutoFit.js", "2023-12-15", url="https://www.hteumeuleu.com/")
_FASTMAIL = PublishedRule("caniemail: prefers-color-scheme", "2019", url=f"{_TESTS}/css-at-media-prefers-color-scheme/")
_LA_POSTE = PublishedRule("caniemail: <style> element", "2025-07", url=f"{_TESTS}/html-style/")
_WHITE_IN_THE_DARK = bug(65, "2019-10-15")
_WHITE = re.compile(r"#(?:fff|ffffff)(?![0-9a-f])", re.IGNORECASE)
_DETECTORS = guessed("common knowledge; no source was found")
_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_ADDRESS_IN_VALUE = re.compile(r"(?<![\w-])url\(", re.IGNORECASE)
_UNTAKEN_DISPLAY = frozenset(
    {"inline-flex", "inline-grid", "flex", "grid", "flow-root", "contents", "initial", "revert", "unset"}
)
_DATES = re.compile(
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?(?:January|February|March|April|May|June|July|August|September"
    r"|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\.? \d{1,2}(?:, \d{4})?\b"
)


def detect_data(mail: AppMail) -> None:
    """Turn dates and telephone numbers into links, as Apple Mail does."""
    link = {"href": "#", "x-apple-data-detectors": "true", "style": ""}
    link_texts(mail, _DATES, link, "dates", _DETECTORS)
    link_texts(mail, PHONE_NUMBER, link, "telephone numbers", _DETECTORS)


def drop_white_in_the_dark(mail: AppMail) -> None:
    """Remove #ffffff from the author's dark colors, which Apple Mail does not respect there. #fffffe works."""

    def edit(node: CssNode, around: tuple[CssRule | CssGroup, ...]) -> Iterator[CssNode]:
        is_dark = any(isinstance(each, CssGroup) and _DARK.search(each.prelude) for each in around)
        if not isinstance(node, CssRule) or not is_dark:
            yield node
            return
        kept = tuple(each for each in node.declarations if not _WHITE.search(each.value))
        if len(kept) < len(node.declarations):
            mail.tally.lose("#ffffff", "ignored among dark colors; #fffffe works", _WHITE_IN_THE_DARK)
        if kept:
            yield CssRule(node.selectors, kept, node.inside)

    mail.edit_sheets(edit)


def keep_flowing(mail: AppMail) -> None:
    """Remove `position: fixed` and `sticky`, which Apple Mail on iOS and Samsung Email do not show."""
    keep_values(mail, "position", {"relative", "absolute", "static"}, _POSITION)


def drop_relative_heights(mail: AppMail) -> None:
    """Replace heights in percent, which Samsung's AutoFit sets to `auto`."""
    drop_declarations(
        mail, lambda each, _: each.name == "height" and each.value == "100%", "changed to auto", _AUTO_FIT
    )


def proton(mail: AppMail) -> None:
    """Filter as Proton Mail does in a browser. Images are shown."""
    neutralize(mail, ("form", "input"), "removed", _PROTON, instead="span")
    drop_attributes(mail, ("srcset",), "removed", _PROTON)
    why = "a height in percent is unset"
    drop_declarations(
        mail, lambda each, _: each.name in {"height", "min-height"} and each.value.endswith("%"), why, _PROTON
    )
    _replace_value(mail, "position", "absolute", "relative", _PROTON)
    filter_media(
        mail,
        lambda query: _DARK.sub("(prefers-color-scheme: never)", query) if _DARK.search(query) else query,
        "prefers-color-scheme: dark never applies",
        _PROTON,
    )
    for image in mail.elements("img"):
        if image.attrib.pop("align", None) is not None:
            mail.tally.lose("align", "no effect, because images are wrapped", _ALIGN)


def fastmail(mail: AppMail) -> None:
    """Filter as Fastmail does in a browser."""
    _replace_value(mail, "position", "fixed", "absolute", _POSITION)
    keep_values(mail, "position", {"relative", "absolute", "static"}, _POSITION)
    rule = PublishedRule("caniemail: CSS variables", "2022", url=f"{_TESTS}/css-variables/")
    drop_declarations(mail, lambda each, _: each.name.startswith("--"), "definitions of variables are removed", rule)


def fastmail_in_the_dark(mail: AppMail) -> None:
    """Make the author's dark colors apply always, as Fastmail does when it is dark itself."""
    filter_media(
        mail, lambda query: "all" if _DARK.search(query) else query, "rewritten to @media all in dark mode", _FASTMAIL
    )


def gmx(mail: AppMail) -> None:
    """Filter as GMX and WEB.DE do in a browser."""
    drop_declarations(mail, _has_several_values, "removed, because it has several backgrounds", _BACKGROUND)
    drop_declarations(mail, _is_untaken_display, "this value of display is not supported", _DISPLAY)
    rule = PublishedRule("caniemail: !important", "2021-11-30", url=f"{_TESTS}/css-important/")
    drop_declarations(mail, lambda each, element: element is not None and each.is_important, "removed", rule)
    drop_attributes(mail, ("dir",), "removed", _DIR)


def orange(mail: AppMail) -> None:
    """Filter as Orange does in a browser."""
    mail.edit_declarations(_without_importance(mail))
    drop_declarations(mail, _is_untaken_display, "this value of display is not supported", _DISPLAY)
    drop_attributes(mail, ("dir",), "removed from tables", _DIR, tags=("table", "td"))
    keep_values(mail, "position", {"relative", "absolute", "static"}, _POSITION)


def la_poste(mail: AppMail) -> None:
    """Filter as La Poste does in a browser."""
    for style in mail.elements("style"):
        mail.tally.lose("<style>", "all style elements are removed", _LA_POSTE)
        style.drop_tree()
    neutralize(mail, ("form",), "replaced by <noform>", _LA_POSTE, instead="noform")
    neutralize(mail, ("input",), "replaced by <noinput>", _LA_POSTE, instead="noinput")
    keep_values(mail, "position", {"relative", "sticky", "static"}, _POSITION)
    head = mail.root.find("head")
    style = mail.root.makeelement("style", {})
    style.text = "table { width: inherit } h1 { color: #fff } h2 { background: #354963 }"
    (mail.root if head is None else head).append(style)


def hey(mail: AppMail) -> None:
    """Filter as HEY does in a browser."""
    drop_attributes(mail, ("align",), "not supported on images", _ALIGN, tags=("img",))
    keep_values(mail, "position", {"relative", "sticky", "static"}, _POSITION)
    filter_media(
        mail,
        lambda query: "not all" if _DARK.search(query) else query,
        "replaced by (false)",
        PublishedRule("caniemail: prefers-color-scheme", "2020", url=f"{_TESTS}/css-at-media-prefers-color-scheme/"),
    )


def block_images(mail: AppMail) -> None:
    """Show no images, which is the default of classic Outlook and a setting of most apps."""
    rule = guessed("a setting of most apps")
    shown = [image for image in mail.elements("img") if image.attrib.pop("src", None) is not None]
    if shown:
        mail.tally.lose("images", "not loaded; their alt text is shown instead", rule, count=len(shown))
    drop_attributes(mail, ("background", "srcset", "poster"), "not loaded", rule)
    drop_declarations(
        mail, lambda each, _: _ADDRESS_IN_VALUE.search(each.value) is not None, "background images are not loaded", rule
    )


def has_dark_query(mail: AppMail) -> bool:
    """Return whether the author wrote colors for dark mode."""
    return any(_DARK.search(style.text or "") for style in mail.elements("style"))


def _without_importance(mail: AppMail) -> DeclarationEdit:
    rule = PublishedRule("caniemail: !important", "2021-11-30", url=f"{_TESTS}/css-important/")

    def edit(declared: CssDeclaration, _: HtmlElement | None) -> Iterator[CssDeclaration]:
        if not declared.is_important:
            yield declared
        elif declared.bang.startswith(" "):
            mail.tally.lose("!important", "not supported", rule)
            yield CssDeclaration(declared.name, declared.value)
        else:
            mail.tally.lose(declared.name, "removed, because there is no space before !important", rule)

    return edit


def opts_in_to_dark(mail: AppMail) -> bool:
    """Return whether the email says that it supports dark mode, in the way that Apple Mail reads."""
    return any(re.search(r"color-scheme\s*:[^;}]*dark", style.text or "") for style in mail.elements("style"))


def _replace_value(mail: AppMail, name: str, before: str, after: str, rule: PublishedRule) -> None:
    def edit(declared: CssDeclaration, _: HtmlElement | None) -> Iterator[CssDeclaration]:
        if declared.name == name and declared.value == before:
            mail.tally.lose(f"{name}: {before}", f"changed to {after}", rule)
            yield CssDeclaration(name, after, declared.bang)
        else:
            yield declared

    mail.edit_declarations(edit)


def _has_several_values(declared: CssDeclaration, _: HtmlElement | None) -> bool:
    outside = re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", "", declared.value)
    return declared.name.startswith("background") and "," in outside


def _is_untaken_display(declared: CssDeclaration, _: HtmlElement | None) -> bool:
    return declared.name == "display" and declared.value in _UNTAKEN_DISPLAY
