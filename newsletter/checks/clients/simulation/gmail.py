"""Gmail: how its sanitizer clips and filters an email, in a browser, in its apps, and for accounts elsewhere."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.css import CssDeclaration
from newsletter.checks.clients.simulation.losses import Basis, LossTally, PublishedRule, bug
from newsletter.checks.clients.simulation.shared_rules import (
    PHONE_NUMBER,
    body_to_div,
    drop_declarations,
    drop_groups,
    drop_negative_margins,
    drop_selectors,
    filter_media,
    is_negative,
    link_texts,
    neutralize,
    prefix_selectors,
    rename_classes,
)

CLIP_BYTES = 102 * 1024
_STYLE_BYTES = 16_384  # of all style elements together
_CLIP = bug(41, "2019-09-17")
_CLIPPED_STYLES = bug(56, "2019")
_STYLE_LIMIT = bug(90, "2021-03-02")
_IMPORTANT = bug(13, "2016-02-22")
_NESTED = bug(21, "2016-09-23")
_DEVELOPERS = PublishedRule(
    "Google: CSS support in Gmail",
    "2026-11",
    Basis.DOCUMENTED,
    "https://developers.google.com/workspace/gmail/design/css",
)
_TESTS = "https://www.caniemail.com/features"
_STYLE = PublishedRule("caniemail: <style> element", "2023-07-27", url=f"{_TESTS}/html-style/")
_RGB = PublishedRule("caniemail: rgba()", "2021-05-14", url=f"{_TESTS}/css-rgba/")
_ATTRIBUTE = PublishedRule("caniemail: attribute selector", "2020-12-15", url=f"{_TESTS}/css-selector-attribute/")
_INDENT = PublishedRule("caniemail: text-indent", "2021-01-31", url=f"{_TESTS}/css-text-indent/")
_LIST_STYLE = PublishedRule("caniemail: list-style", "2020-04-20", url=f"{_TESTS}/css-list-style/")
_SEMANTICS = PublishedRule("caniemail: semantic elements", "2019-07-29", url=f"{_TESTS}/html-semantics/")
_GRADIENT = bug(135, "2025-08-03")
_PICTURE = PublishedRule("caniemail: <picture> element", "2019", url=f"{_TESTS}/html-picture/")
_DARK_MODE = bug(68, "2024-04-26")
_IMAGE = re.compile(r"background[^;]*url\(", re.IGNORECASE)
_LINKS = PublishedRule("Email on Acid: 12 things about Gmail", "")

_SPACED_COLOR = re.compile(r"rgba?\(\s*[\d.]+%?\s+[\d.]+%?\s+[\d.]+%?\s*(?:/|\))", re.IGNORECASE)
_EMPTY_AT = re.compile(r"@\s*\{\s*@\s*\}")
_C1 = re.compile("[\\x80-\\x9f]")
_QUERY = re.compile(
    r"(?:only\s+)?(?:all|screen)?(?:\s*(?:and)?\s*\((?:(?:min-|max-)?(?:device-)?width|orientation"
    r"|(?:min-|max-)?resolution)\s*:[^)]*\))*",
    re.IGNORECASE,
)
_ONLY_CLASS = re.compile(r"""\[\s*class\s*~=""")
_TAKEN_PSEUDO = frozenset({":hover"})
_SEMANTIC = ("details", "main", "nav", "summary")
_ID = "1a2b"  # Gmail makes one for each message


def clipped(html: str, tally: LossTally) -> str:
    """Return the part of an email that Gmail shows before it cuts the rest."""
    encoded = html.encode()
    shown = html
    if len(encoded) > CLIP_BYTES:
        kib = len(encoded) / 1024
        tally.lose("the end of the email", f"cut off after 102 KB; this email has {kib:.0f} KB", _CLIP)
        shown = encoded[:CLIP_BYTES].decode(errors="ignore")
        shown = shown[: shown.rfind("<")] if shown.rfind("<") > shown.rfind(">") else shown
    elif _C1.search(html):
        tally.lose(
            "the note “Message clipped”", "shown because the email contains a control character", bug(113, "2022-04-02")
        )
    else:
        return html
    tally.lose("<style>", "removed from a clipped email", _CLIPPED_STYLES)
    shown = re.sub(r"<style\b.*?</style>", "", shown, flags=re.DOTALL | re.IGNORECASE)
    shown = re.split(r"</body\b", shown, maxsplit=1, flags=re.IGNORECASE)[0]
    return f"{shown}<div>[Message clipped]&nbsp; <a href='#'>View entire message</a></div>"


def drop_unread_sheets(mail: AppMail) -> None:
    """Remove the style elements that Gmail does not read: misplaced, too long, or broken for its parser."""
    _drop_misplaced_styles(mail)
    _drop_broken_sheets(mail)
    _limit_styles(mail)


def sanitize(mail: AppMail) -> None:
    """Filter what is left of style elements and attributes, as Gmail does for Google accounts."""
    drop_groups(mail, {"supports", "font-face", "import", "keyframes", "layer", "container"}, "removed", _DEVELOPERS)
    filter_media(
        mail,
        lambda query: query if _QUERY.fullmatch(query.strip()) else None,
        "only width, orientation and resolution are supported",
        _DEVELOPERS,
    )
    drop_selectors(mail, _is_untaken_attribute, "the only attribute selector that works is [class~=…]", _ATTRIBUTE)
    drop_selectors(mail, _is_untaken_pseudo, "the only pseudo-class that works is :hover", _DEVELOPERS)
    _filter_declarations(mail)
    neutralize(mail, _SEMANTIC, "replaced by <u></u>", _SEMANTICS)
    neutralize(mail, ("picture", "source", "video", "track"), "replaced by <u></u>", _PICTURE)


def drop_inline_gradients(mail: AppMail) -> None:
    """Remove gradients from `style` attributes, as Gmail on Android does. Those in style elements work."""

    def edit(declared: CssDeclaration, _: HtmlElement | None) -> Iterator[CssDeclaration]:
        if "gradient(" in declared.value.lower():
            mail.tally.lose(declared.name, "gradients in a style attribute are lost", _GRADIENT)
        else:
            yield declared

    mail.edit_inline(edit)


def wrap(mail: AppMail) -> None:
    """Rename classes, put the app's own class before every selector, and turn the body into a `div`."""
    rename_classes(mail, f"m_{_ID}")
    prefix_selectors(mail, f".msg{_ID}")
    body = body_to_div(mail)
    holder = body.makeelement("div", {"class": f"msg{_ID}"})
    parent = mail.body
    parent.append(holder)
    holder.append(body.makeelement("u", {}))
    holder.append(body)


def link_numbers(mail: AppMail) -> None:
    """Turn telephone numbers into links, as Gmail does."""
    link_texts(mail, PHONE_NUMBER, {"href": "tel:"}, "telephone numbers", _LINKS)


def flag_text_over_images(mail: AppMail) -> None:
    """Record text over a background image: in dark mode its color changes, and the image stays."""
    for element in mail.elements():
        has_image = element.get("background") or _IMAGE.search(element.get("style", ""))
        if has_image and element.text_content().strip():
            why = "in dark mode, the text changes color, but the image behind it does not"
            mail.tally.lose("text over an image", why, _DARK_MODE)


def _drop_misplaced_styles(mail: AppMail) -> None:
    misplaced = [style for style in mail.elements("style") if not any(True for _ in style.iterancestors("head"))]
    if misplaced:
        mail.tally.lose("<style>", "removed outside <head>", _STYLE, count=mail.drop(misplaced))


def _drop_broken_sheets(mail: AppMail) -> None:
    """Remove style elements and attributes that Gmail's parser gives up on."""

    def why_lost(css: str) -> tuple[str, PublishedRule] | None:
        if any(bang.group() != bang.group().lower() for bang in re.finditer(r"!\s*important", css, re.IGNORECASE)):
            return "lost because of !IMPORTANT in capitals", _IMPORTANT
        if _SPACED_COLOR.search(css):
            return "lost because of a color without commas", _RGB
        return None

    def edit(css: str) -> str | None:
        reason = why_lost(css)
        if reason is None and (_EMPTY_AT.search(css) or _has_nested_at(css)):
            reason = "lost because of an at-rule inside an at-rule", _NESTED
        if reason is not None:
            mail.tally.lose("<style>", *reason)
            return None
        return css

    mail.edit_sheet_text(edit)
    for element in mail.elements():
        if (reason := why_lost(element.get("style", ""))) is not None:
            mail.tally.lose("style attribute", *reason)
            del element.attrib["style"]


def _has_nested_at(css: str) -> bool:
    """Return whether an at-rule stands inside another."""
    depth, opened = 0, list[int]()
    for sign in re.finditer(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'|@[\w-]+|[{}]", css, re.DOTALL):
        word = sign.group()
        if word == "{":
            depth += 1
        elif word == "}":
            depth -= 1
            opened = [level for level in opened if level < depth]
        elif word.startswith("@"):
            if any(level < depth for level in opened):
                return True
            opened.append(depth)
    return False


def _limit_styles(mail: AppMail) -> None:
    used = 0
    for style in mail.elements("style"):
        used += len((style.text or "").encode())
        if used > _STYLE_BYTES:
            mail.tally.lose("<style>", "removed, because all styles together exceed 16 KB", _STYLE_LIMIT)
            style.drop_tree()


def _is_untaken_attribute(selector: str) -> bool:
    return "[" in selector and len(_ONLY_CLASS.findall(selector)) < selector.count("[")


def _is_untaken_pseudo(selector: str) -> bool:
    return any(pseudo.lower() not in _TAKEN_PSEUDO for pseudo in re.findall(r"::?[A-Za-z-]+", selector))


def _filter_declarations(mail: AppMail) -> None:
    drop_negative_margins(mail)
    drop_declarations(
        mail,
        lambda declared, _: declared.name == "text-indent" and is_negative(declared),
        "negative values are removed",
        _INDENT,
    )
    drop_declarations(
        mail,
        lambda declared, _: declared.name.startswith("list-style") and "url(" in declared.value,
        "removed because of an image",
        _LIST_STYLE,
    )
