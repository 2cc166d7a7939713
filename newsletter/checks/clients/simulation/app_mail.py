"""An email inside an app: its HTML as a tree that the app's rules edit, and the tally of what it loses on the way."""

import re
from collections.abc import Callable, Iterable, Iterator

from lxml import html as lxml_html
from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.css import (
    CssDeclaration,
    CssNode,
    CssRule,
    NodeEdit,
    edited,
    read_declarations,
    read_sheet,
    written_declarations,
    written_sheet,
)
from newsletter.checks.clients.simulation.losses import LossTally

_DOCTYPE = "<!DOCTYPE html>"
_UNTAKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # which libxml2 cannot store
# Given a declaration and the element whose `style` attribute contains it, or None for a rule, returns what is left.
DeclarationEdit = Callable[[CssDeclaration, HtmlElement | None], Iterable[CssDeclaration]]


class AppMail:
    """A copy of an email, for one app to change."""

    def __init__(self, html: str) -> None:
        parser = lxml_html.HTMLParser(encoding="utf-8")
        self.root: HtmlElement = lxml_html.document_fromstring(_UNTAKEN.sub("", html).encode(), parser=parser)
        self.tally = LossTally()
        for element in self.elements():
            if any("{" in name for name in element.keys()):  # noqa: SIM118 - lxml can list such a name, but not use it
                usable = [(name, value) for name, value in element.items() if "{" not in name]
                element.attrib.clear()
                element.attrib.update(usable)

    @property
    def html(self) -> str:
        """The email as the app shows it."""
        return str(lxml_html.tostring(self.root, encoding="unicode", doctype=_DOCTYPE))

    @property
    def body(self) -> HtmlElement:
        """The body, or what the app made of it."""
        found = self.root.find("body")
        return self.root if found is None else found

    def elements(self, *tags: str) -> tuple[HtmlElement, ...]:
        """Return all elements, or those with these tags, in document order. The result can be edited meanwhile."""
        return tuple(element for element in self.root.iter(*tags) if isinstance(element.tag, str))

    def edit_sheets(self, edit: NodeEdit) -> None:
        """Replace each node of the style elements with what an edit leaves of it."""
        for style in self.elements("style"):
            before = read_sheet(style.text or "")
            after = tuple(edited(before, edit))
            if after != before:
                style.text = written_sheet(after)

    def edit_sheet_text(self, edit: Callable[[str], str | None]) -> None:
        """Replace the text of each style element with what an edit makes of it. None removes the element."""
        for style in self.elements("style"):
            text = edit(style.text or "")
            if text is None:
                style.drop_tree()
            else:
                style.text = text

    def edit_declarations(self, edit: DeclarationEdit) -> None:
        """Replace each declaration, in style elements and in `style` attributes, with what an edit leaves of it."""

        def edit_rule(node: CssNode, _: object) -> Iterator[CssNode]:
            if not isinstance(node, CssRule):
                yield node
                return
            kept = tuple(left for each in node.declarations for left in edit(each, None))
            if kept or node.inside:
                yield CssRule(node.selectors, kept, node.inside)

        self.edit_sheets(edit_rule)
        self.edit_inline(edit)

    def edit_inline(self, edit: DeclarationEdit) -> None:
        """Replace each declaration in a `style` attribute with what an edit leaves of it."""
        for element in self.elements():
            written = element.get("style")
            if written is None:
                continue
            before = read_declarations(written)
            after = tuple(left for each in before for left in edit(each, element))
            if after != before:
                set_style(element, after)

    def drop(self, elements: Iterable[HtmlElement]) -> int:
        """Remove elements with everything in them. Return how many."""
        count = 0
        for element in elements:
            if element.getparent() is not None:
                element.drop_tree()
                count += 1
        return count


def set_style(element: HtmlElement, declarations: Iterable[CssDeclaration]) -> None:
    """Write the `style` attribute of an element, or remove it if nothing is declared."""
    if written := written_declarations(declarations):
        element.set("style", written)
    else:
        element.attrib.pop("style", None)
