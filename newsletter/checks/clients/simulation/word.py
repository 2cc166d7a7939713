"""Classic Outlook for Windows, which shows email with Word: what Word ignores, and what it reads differently."""

import re
from collections.abc import Iterator

from cssselect2 import ElementWrapper, Matcher, SelectorError, compile_selector_list
from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.app_mail import AppMail, DeclarationEdit, set_style
from newsletter.checks.clients.simulation.css import CssDeclaration, CssNode, CssRule, read_declarations, read_sheet
from newsletter.checks.clients.simulation.losses import Basis, PublishedRule, bug
from newsletter.checks.clients.simulation.shared_rules import drop_attributes, drop_declarations, is_negative

_TESTS = "https://www.caniemail.com/features"
_FIRST_CLASS = bug(75, "2020-01-21")
_BANG = bug(31, "2018-01-09")
_LINE_HEIGHT = PublishedRule("caniemail: line-height", "2021-10-02", Basis.GUESSED, f"{_TESTS}/css-line-height/")
# Features of which caniemail says “in part” and which the rules here describe.
HANDLED = frozenset(
    {
        "css-background",
        "css-border",
        "css-display",
        "css-display-none",
        "css-font-size",
        "css-font-weight",
        "css-height",
    }
    | {"css-important", "css-line-height", "css-margin", "css-max-width", "css-padding", "css-text-align", "css-width"}
    | {"css-text-transform", "html-background", "html-width", "html-height", "html-style", "css-list-style"}
)
_MOST_BORDER = 8
_CELLS = frozenset({"td", "th"})
_NO_WIDTH = frozenset({"body", "span", "div", "p", "img"})
_NO_HEIGHT = frozenset({"body", "span", "div", "p"})
_ALTERNATIVE = re.compile(r"mso-(padding|margin|line-height|height|width|border)(-[a-z]+)?-alt")
_BACKGROUND_PARTS = re.compile(r"(?:url|(?:repeating-)?(?:linear|radial|conic)-gradient)\((?:[^()]|\([^()]*\))*\)")
_COLOR = re.compile(r"#[0-9a-f]{3,8}\b|rgb\([^)]*\)|\b[a-z]{3,}\b", re.IGNORECASE)
_NOT_A_COLOR = re.compile(
    r"\b(?:no-repeat|repeat(?:-[xy])?|center|top|bottom|left|right|cover|contain|scroll|fixed|none|auto|local)\b"
)


def _tested(name: str, dated: str) -> PublishedRule:
    return PublishedRule(f"caniemail: {name}", dated, url=f"{_TESTS}/css-{name}/")


def keep_first_class(mail: AppMail) -> None:
    """Keep only the first class of each element, which is all that Word reads."""
    sheets = " ".join(style.text or "" for style in mail.elements("style"))
    for element in mail.elements():
        first, *others = (element.get("class") or "").split() or [""]
        if others:
            element.set("class", first)
            missed = [name for name in others if f".{name}" in sheets]
            if missed:
                why = "only the first class of an element counts"
                mail.tally.lose("class", why, _FIRST_CLASS, count=len(missed))


def inline_sheets(mail: AppMail) -> None:
    """Write the rules of the style elements into `style` attributes, so that Word's rules by element apply to them."""
    matcher, rules = Matcher(), 0
    for style in mail.elements("style"):
        for node in read_sheet(style.text or ""):
            rules += _add(matcher, node)
    mail.drop(mail.elements("style"))
    if not rules:
        return
    for wrapper in ElementWrapper.from_html_root(mail.root).iter_subtree():
        found = [declared for *_, rule in matcher.match(wrapper) for declared in rule.declarations]
        if found:
            element: HtmlElement = wrapper.etree_element
            _merge(element, found)


def filter_styles(mail: AppMail) -> None:
    """Apply what Word does with each property, element by element."""
    _replace_alternatives(mail)
    drop_declarations(
        mail,
        lambda each, _: each.is_important and not each.name.startswith("mso-"),
        "ignored in a style attribute with !important",
        _BANG,
    )
    _filter_boxes(mail)
    _filter_values(mail)
    mail.edit_inline(_background_edit(mail))
    drop_attributes(
        mail,
        ("background",),
        "only works on body",
        _tested("background", "2019-02-28"),
        tags=("table", "td", "th", "tr", "div"),
    )
    _size_images(mail)


def _add(matcher: Matcher, node: CssNode) -> int:
    if not isinstance(node, CssRule):
        return 0
    count = 0
    for written in node.selectors:
        try:
            selectors = compile_selector_list(written)
        except SelectorError:
            continue
        for selector in selectors:
            if selector.pseudo_element is None:
                matcher.add_selector(selector, node)
                count += 1
    return count


def _merge(element: HtmlElement, found: list[CssDeclaration]) -> None:
    """Put the declarations of rules before the element's own. Important ones win over it."""
    own = [each for each in read_declarations(element.get("style", "")) if not each.is_important]
    weak = [each for each in found if not each.is_important]
    strong = [CssDeclaration(each.name, each.value) for each in found if each.is_important]
    set_style(element, (*weak, *own, *strong))


def _replace_alternatives(mail: AppMail) -> None:
    def edit(declared: CssDeclaration, _: HtmlElement | None) -> Iterator[CssDeclaration]:
        if declared.name == "mso-hide" and declared.value == "all":
            yield CssDeclaration("display", "none")
        elif found := _ALTERNATIVE.fullmatch(declared.name):
            yield CssDeclaration(f"{found[1]}{found[2] or ''}", declared.value)
        else:
            yield declared

    mail.edit_inline(edit)


def _filter_boxes(mail: AppMail) -> None:
    """Remove what Word does not take on an element of this kind."""
    rules = (
        (
            "display",
            lambda each, tag: each.value != "none" or tag == "img",
            "only display: none works, and not on images",
            _tested("display", "2021-12-01"),
        ),
        ("padding", lambda _, tag: tag not in _CELLS, "only works on table cells", _tested("padding", "2019-07-25")),
        ("width", lambda _, tag: tag in _NO_WIDTH, "does not work on this element", _tested("width", "2019-09-27")),
        ("height", lambda _, tag: tag in _NO_HEIGHT, "does not work on this element", _tested("height", "2019-09-27")),
        ("max-width", lambda _, tag: tag != "table", "only works on tables", _tested("max-width", "2019-08-02")),
        (
            "margin",
            lambda each, tag: tag in {"span", "body"} or is_negative(each),
            "ignored on this element",
            _tested("margin", "2019-10-01"),
        ),
        (
            "text-align",
            lambda each, _: each.value in {"start", "end", "match-parent"},
            "this value is not supported",
            _tested("text-align", "2025-11-14"),
        ),
        (
            "text-transform",
            lambda each, _: each.value == "lowercase",
            "this value is not supported",
            _tested("text-transform", "2021-09-19"),
        ),
        (
            "font-size",
            lambda each, _: each.value.endswith("rem"),
            "rem is not supported",
            _tested("font-size", "2024-02-28"),
        ),
        (
            "list-style",
            lambda each, _: "url(" in each.value,
            "only the type of marker works",
            _tested("list-style", "2020-04-20"),
        ),
    )

    def edit(declared: CssDeclaration, element: HtmlElement | None) -> Iterator[CssDeclaration]:
        tag = "" if element is None else str(element.tag)
        for name, is_lost, why, rule in rules:
            if (declared.name == name or declared.name.startswith(f"{name}-")) and is_lost(declared, tag):
                if declared.value not in {"0", "0px"} or name in {"display"}:
                    mail.tally.lose(name, why, rule)
                return
        if declared.name == "display" and element is not None and element.find(".//table") is not None:
            mail.tally.lose("display: none", "does not hide the tables inside", _tested("display-none", "2019-02-28"))
            return
        yield declared

    mail.edit_inline(edit)


def _filter_values(mail: AppMail) -> None:
    """Change the values that Word reads in its own way."""

    def edit(declared: CssDeclaration, element: HtmlElement | None) -> Iterator[CssDeclaration]:
        name, value = declared.name, declared.value
        if name.startswith("margin") and "auto" in value.split():
            mail.tally.lose("margin: auto", "ignored; use the align attribute", _tested("margin", "2019-10-01"))
            value = " ".join("0" if word == "auto" else word for word in value.split())
        elif (
            name.startswith("border")
            and (found := re.search(r"(\d+(?:\.\d+)?)px", value))
            and float(found[1]) > _MOST_BORDER
        ):
            mail.tally.lose("border", "limited to 8 px", _tested("border", "2021-07-22"))
            value = value.replace(found[0], f"{_MOST_BORDER}px")
        elif name == "font-weight" and value.isdigit():
            value = "bold" if int(value) >= 600 else "normal"
        elif name == "line-height" and not _is_exact(element) and re.fullmatch(r"[\d.]+(?:px|em|pt)?", value):
            # Word treats a line height as the least one. The formula is a guess.
            value = f"max({value if value[-1].isalpha() else f'{value}em'}, 1.2em)"
        yield declared if value == declared.value else CssDeclaration(name, value, declared.bang)

    mail.edit_inline(edit)
    if any("max(" in element.get("style", "") for element in mail.elements()):
        mail.tally.note_partial(
            "line-height", "only a minimum, unless the style has mso-line-height-rule: exactly", _LINE_HEIGHT
        )


def _is_exact(element: HtmlElement | None) -> bool:
    return element is not None and "mso-line-height-rule" in element.get("style", "")


def _background_edit(mail: AppMail) -> DeclarationEdit:
    def edit(declared: CssDeclaration, _: HtmlElement | None) -> Iterator[CssDeclaration]:
        if declared.name != "background":
            yield declared
            return
        plain = _NOT_A_COLOR.sub(" ", _BACKGROUND_PARTS.sub(" ", declared.value))
        if plain != declared.value:
            mail.tally.lose("background", "only its color is supported", _tested("background", "2023-07-24"))
        if color := _COLOR.search(plain):
            yield CssDeclaration("background-color", color[0])

    return edit


def _size_images(mail: AppMail) -> None:
    """Remove percentages from `width` of images: Word takes them of the file's own size, not of the space available."""
    rule = PublishedRule("caniemail: width attribute", "2019-09-27", url=f"{_TESTS}/html-width/")
    for image in mail.elements("img"):
        if image.get("width", "").endswith("%"):
            mail.tally.lose("width of an image", "a percentage is taken of the file's own size", rule)
            del image.attrib["width"]
        elif image.get("width") is None and image.get("src"):
            mail.tally.lose("size of an image", "without a width, it is drawn at the file's own size", rule)
