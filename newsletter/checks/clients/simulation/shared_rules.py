"""What several email apps do alike: drop scripts, rename classes, filter media queries and declarations."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from cssselect2 import ElementWrapper, SelectorError
from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.css import (
    CssDeclaration,
    CssGroup,
    CssNode,
    CssRule,
    CssStatement,
    split_commas,
)
from newsletter.checks.clients.simulation.losses import Basis, PublishedRule

_EVERYONE = PublishedRule("Can I email, and the sources of open email apps", "2026-11-29")
_ACTIVE = frozenset({"script", "iframe", "object", "embed", "applet", "frame", "frameset"})
_SCRIPT_ADDRESS = re.compile(r"[\s\x00-\x1f]*(?:javascript|vbscript)\s*:", re.IGNORECASE)
_NAME = re.compile(r"([.#])(-?[A-Za-z_\u0080-\uffff](?:[\w\u0080-\uffff-]|\\.)*)")
_BRACKETS = re.compile(r"(\[[^\]]*\])")
# What depends on what a reader does, and parts of elements, which no tree contains.
_STATE = re.compile(r"::?(?:hover|focus|active|visited|checked|target|before|after)\b|::[\w-]+", re.IGNORECASE)
PHONE_NUMBER = re.compile(
    r"(?<![\w/.-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{1,4}\)[\s.-]?)?\d{2,4}(?:[\s.-]\d{2,4}){2,3}(?![\w/-])"
)
_UNLINKED = frozenset({"a", "style", "script", "title", "head", "textarea", "button", "option"})


def drop_active(mail: AppMail, *, keeps_links: bool = False) -> None:
    """Remove scripts, frames, plug-ins and redirects, as every email app does, and external styles as most do."""
    for element in mail.elements():
        tag = str(element.tag)
        is_refresh = tag == "meta" and element.get("http-equiv", "").lower() == "refresh"
        is_link = tag == "link" and not keeps_links
        if tag in _ACTIVE or tag == "base" or is_refresh or is_link:
            if element.getparent() is not None:
                mail.tally.lose(f"<{tag}>", "removed by every app", _EVERYONE)
                element.drop_tree()
            continue
        for name, value in list(element.attrib.items()):
            if name.startswith("on") or (name in {"href", "src", "action"} and _SCRIPT_ADDRESS.match(value)):
                mail.tally.lose(name, "scripts are removed by every app", _EVERYONE)
                del element.attrib[name]


def rename_classes(mail: AppMail, prefix: str, *, attributes: Container[str] = ("class", "id", "name")) -> None:
    """Put a prefix before every class and id, in the HTML and in the selectors."""
    for element in mail.elements():
        for name in ("class", "id"):
            if name in attributes and (value := element.get(name)):
                element.set(name, " ".join(f"{prefix}{word}" for word in value.split()))
    edit_selectors(mail, lambda selector: outside_brackets(selector, lambda part: _NAME.sub(rf"\1{prefix}\2", part)))


def prefix_selectors(mail: AppMail, ancestor: str) -> None:
    """Put an ancestor before every selector, so that an email cannot style the app around it."""
    edit_selectors(mail, lambda selector: f"{ancestor} {selector}")


def edit_selectors(mail: AppMail, edit: Callable[[str], str | None]) -> None:
    """Replace each selector with what an edit makes of it. A rule that loses all its selectors is removed.

    Selectors of nested rules are left alone: they are relative to the rule around them.
    """

    def edit_node(node: CssNode, around: tuple[CssRule | CssGroup, ...]) -> Iterator[CssNode]:
        if isinstance(node, CssRule) and not any(isinstance(each, CssRule) for each in around):
            selectors = tuple(left for each in node.selectors if (left := edit(each)) is not None)
            if selectors:
                yield CssRule(selectors, node.declarations, node.inside)
        else:
            yield node

    mail.edit_sheets(edit_node)


def outside_brackets(selector: str, edit: Callable[[str], str]) -> str:
    """Edit the parts of a selector that are not in square brackets."""
    pieces = _BRACKETS.split(selector)
    return "".join(piece if number % 2 else edit(piece) for number, piece in enumerate(pieces))


def drop_selectors(mail: AppMail, is_lost: Callable[[str], bool], why: str, rule: PublishedRule) -> None:
    """Remove the selectors that an app does not take. It is a loss if they match something in this email."""
    root = ElementWrapper.from_html_root(mail.root)

    def edit(selector: str) -> str | None:
        if not is_lost(selector):
            return selector
        if _may_match(root, selector):
            mail.tally.lose(selector, why, rule)
        return None

    edit_selectors(mail, edit)


def _may_match(root: ElementWrapper, selector: str) -> bool:
    """Return whether a selector matches an element, also one that only a reader's hand makes it match (`:hover`)."""
    try:
        return root.query(_STATE.sub("", selector) or "*") is not None
    except SelectorError:
        return True


def filter_media(mail: AppMail, edit: Callable[[str], str | None], why: str, rule: PublishedRule) -> None:
    """Replace each query of `@media` with what an edit makes of it. A group that loses all its queries is removed."""

    def edit_node(node: CssNode, _: object) -> Iterator[CssNode]:
        if not isinstance(node, CssGroup) or node.keyword != "media":
            yield node
            return
        kept = []
        for query in split_commas(node.prelude):
            left = edit(query)
            if left != query:
                mail.tally.lose(f"@media {query}", why, rule)
            if left is not None:
                kept.append(left)
        if kept:
            yield CssGroup(node.keyword, ", ".join(kept), node.inside)

    mail.edit_sheets(edit_node)


def drop_groups(mail: AppMail, keywords: Container[str], why: str, rule: PublishedRule) -> None:
    """Remove at-rules with everything in them."""

    def edit_node(node: CssNode, _: object) -> Iterator[CssNode]:
        if isinstance(node, CssGroup | CssStatement) and node.keyword in keywords:
            mail.tally.lose(f"@{node.keyword}", why, rule)
        else:
            yield node

    mail.edit_sheets(edit_node)


def drop_declarations(
    mail: AppMail, is_lost: Callable[[CssDeclaration, HtmlElement | None], bool], why: str, rule: PublishedRule
) -> None:
    """Remove the declarations that an app does not take."""

    def edit(declared: CssDeclaration, element: HtmlElement | None) -> Iterator[CssDeclaration]:
        if is_lost(declared, element):
            mail.tally.lose(f"{declared.name}: {declared.value}"[:60], why, rule)
        else:
            yield declared

    mail.edit_declarations(edit)


def drop_attributes(
    mail: AppMail, names: Iterable[str], why: str, rule: PublishedRule, *, tags: Iterable[str] = ()
) -> None:
    """Remove attributes, from all elements or from those with these tags."""
    for element in mail.elements(*tags):
        for name in names:
            if element.attrib.pop(name, None) is not None:
                mail.tally.lose(name, why, rule)


def neutralize(mail: AppMail, tags: Iterable[str], why: str, rule: PublishedRule, *, instead: str = "u") -> None:
    """Replace elements with an element that means nothing, and keep what is in them."""
    for element in mail.elements(*tags):
        mail.tally.lose(f"<{element.tag!s}>", why, rule)
        element.tag = instead
        element.attrib.clear()


def link_texts(
    mail: AppMail, pattern: re.Pattern[str], attributes: Mapping[str, str], what: str, rule: PublishedRule
) -> None:
    """Turn each match of a pattern in the text into a link, as some apps do with dates and numbers."""
    for element in mail.elements():
        if str(element.tag) in _UNLINKED or any(True for _ in element.iterancestors(*_UNLINKED)):
            continue
        count = _link_in(element, 0, element.text, pattern, attributes)
        for child in list(element):
            count += _link_in(element, element.index(child) + 1, child.tail, pattern, attributes, after=child)
        if count:
            mail.tally.lose(what, "turned into links in the app's own color", rule, count=count)


def _link_in(
    parent: HtmlElement,
    index: int,
    text: str | None,
    pattern: re.Pattern[str],
    attributes: Mapping[str, str],
    *,
    after: HtmlElement | None = None,
) -> int:
    """Link the matches in a text of an element: its own at its start, or the text after one of its children."""
    found = list(pattern.finditer(text or ""))
    for match in reversed(found):
        link = parent.makeelement("a", dict(attributes))
        link.text, link.tail = match.group(), (text or "")[match.end() :]
        parent.insert(index, link)
        text = (text or "")[: match.start()]
    if found and after is None:
        parent.text = text
    elif found and after is not None:
        after.tail = text
    return len(found)


def keep_values(mail: AppMail, name: str, taken: Container[str], rule: PublishedRule) -> None:
    """Remove the declarations of a property with a value that an app does not take."""
    why = f"this value of {name} is not supported"
    drop_declarations(mail, lambda declared, _: declared.name == name and declared.value not in taken, why, rule)


def drop_negative_margins(mail: AppMail) -> None:
    """Remove margins with negative lengths."""
    rule = PublishedRule("caniemail: margin", "2019-10-01", url="https://www.caniemail.com/features/css-margin/")
    why = "negative margins are removed"
    drop_declarations(mail, lambda declared, _: declared.name.startswith("margin") and is_negative(declared), why, rule)


def body_to_div(mail: AppMail) -> HtmlElement:
    """Put the contents of the body, and its attributes, into a `div`. Return the `div`."""
    body = mail.body
    div = body.makeelement("div", dict(body.attrib))
    div.text, body.text = body.text, None
    div.extend(list(body))
    body.attrib.clear()
    body.append(div)
    return div


def is_negative(declared: CssDeclaration) -> bool:
    """Return whether a value contains a negative length."""
    return re.search(r"(?:^|[\s(,])-\d*\.?\d", declared.value) is not None


def guessed(title: str, dated: str = "") -> PublishedRule:
    """Return a rule that fits what was seen, but that was not published."""
    return PublishedRule(title, dated, basis=Basis.GUESSED)
