"""What caniemail's table says an app does not support, removed from an email.

The table's cells are of different years and contradict each other. An app that ignores style elements ignores every
selector and at-rule in them, whatever an older cell says of these.
"""

import re
from collections.abc import Container, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from lxml.html import HtmlElement

from newsletter.checks.clients.features import Kind, Sign, features_by_sign
from newsletter.checks.clients.signs import picture_format, signs_of_declarations, signs_of_sheet
from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.css import (
    CssDeclaration,
    CssGroup,
    CssNode,
    CssRule,
    CssStatement,
    split_commas,
)
from newsletter.checks.clients.simulation.losses import tested
from newsletter.checks.clients.table import Feature, Support, Table

_STYLE = Sign(Kind.ELEMENT, "style")
_NESTING = Sign(Kind.SELECTOR, "nesting")
_NOT_SUPPORTED = "not supported"
_VENDOR = re.compile(r"^-(?:webkit|moz|ms|o)-")
_WHOLES = frozenset({"animation", "transition"})
_KEPT_ELEMENTS = frozenset({"html", "head", "body", "img", "table"})  # an app that shows no body shows nothing
# Elements that show nothing of their own if they are not supported. Of all others, the contents stay.
_DROPPED_ELEMENTS = frozenset({"style", "link", "base", "meta", "input", "svg", "object", "rp", "rt", "wbr", "source"})


class Sieve(NamedTuple):
    """What one app does not support, and what it supports in part, by the signs of each feature."""

    client: str
    table: Table
    unsupported: Mapping[Sign, Feature]
    partial: Mapping[Sign, Feature]

    @property
    def ignores_sheets(self) -> bool:
        """Whether style elements are ignored."""
        return _STYLE in self.unsupported

    def without(self, slugs: Container[str]) -> "Sieve":
        """Return the same sieve without features whose support is described by rules of our own."""
        unsupported = {sign: feature for sign, feature in self.unsupported.items() if feature.slug not in slugs}
        partial = {sign: feature for sign, feature in self.partial.items() if feature.slug not in slugs}
        return self._replace(unsupported=unsupported, partial=partial)


@lru_cache(maxsize=64)
def sieve_of(table: Table, client: str) -> Sieve:
    """Return what an app does not support, in the newest version that was tested."""
    column = list(table.clients).index(client)
    by_answer: dict[str, dict[Sign, Feature]] = {Support.UNSEEN: {}, Support.PARTLY: {}}
    for sign, features in features_by_sign(table).items():
        for feature in features:
            by_answer.get(feature.answers[column], {})[sign] = feature
    return Sieve(client, table, by_answer[Support.UNSEEN], by_answer[Support.PARTLY])


def sift(mail: AppMail, sieve: Sieve) -> None:
    """Remove everything from an email that the app does not support, and note what it supports in part."""
    _Sifting(mail, sieve).run()


class _Sifting:
    """One email on its way through one sieve."""

    def __init__(self, mail: AppMail, sieve: Sieve) -> None:
        self._mail, self._sieve = mail, sieve

    def run(self) -> None:
        if self._sieve.ignores_sheets:
            self._drop_sheets()
        for element in self._mail.elements():
            self._sift_element(element)
        self._mail.edit_sheets(self._sift_node)
        self._mail.edit_declarations(self._sift_declaration)

    def _drop_sheets(self) -> None:
        sheets = [style for style in self._mail.elements("style") if (style.text or "").strip()]
        if sheets:
            feature = self._sieve.unsupported[_STYLE]
            self._mail.tally.lose("<style>", "all style elements are removed", tested(feature), count=len(sheets))
        self._mail.drop(self._mail.elements("style"))

    def _sift_element(self, element: HtmlElement) -> None:
        for name in list(element.attrib):
            value = element.get(name, "")
            if self._is_lost(*_signs_of_attribute(name, value), written=name):
                del element.attrib[name]
        tag = str(element.tag)
        if element.getparent() is None:
            return
        if tag == "img" and (form := picture_format(element.get("src", ""))):
            if self._is_lost(Sign(Kind.PICTURE, form), written=f"{form} image"):
                del element.attrib["src"]
        elif tag not in _KEPT_ELEMENTS and self._is_lost(*_signs_of_element(element), written=_tag_of(element)):
            if tag in _DROPPED_ELEMENTS:
                element.drop_tree()
            else:
                element.tag = "div" if tag in _BLOCKS else "span"

    def _sift_node(self, node: CssNode, around: tuple[CssRule | CssGroup, ...]) -> Iterator[CssNode]:
        if isinstance(node, CssRule):
            is_nested = any(isinstance(each, CssRule) for each in around)
            if is_nested and self._is_lost(_NESTING, written="nested rules"):
                return
            selectors = tuple(each for each in node.selectors if not self._loses_selector(each))
            if selectors:
                yield CssRule(selectors, node.declarations, node.inside)
            return
        sign = Sign(Kind.AT_RULE, node.keyword.removeprefix("-webkit-"))
        if self._is_lost(sign, written=f"@{node.keyword}"):
            return
        if isinstance(node, CssStatement) or node.keyword != "media":
            yield node
            return
        queries = tuple(query for query in split_commas(node.prelude) if not self._loses_query(query))
        if queries:
            yield CssGroup(node.keyword, ", ".join(queries), node.inside)

    def _loses_query(self, query: str) -> bool:
        uses = signs_of_sheet(f"@media {query} {{}}")
        signs = [use.sign for use in uses if use.sign.kind is Kind.MEDIA_FEATURE]
        return self._is_lost(*signs, written=f"@media {query}")

    def _loses_selector(self, selector: str) -> bool:
        signs = [use.sign for use in signs_of_sheet(f"{selector} {{}}") if use.sign.kind is Kind.SELECTOR]
        return self._is_lost(*signs, written=selector)

    def _sift_declaration(self, declared: CssDeclaration, _: HtmlElement | None) -> Iterator[CssDeclaration]:
        signs = [*(use.sign for use in signs_of_declarations(str(declared))), *_implied_signs(declared.name)]
        if not self._is_lost(*signs, written=declared.name):
            yield declared

    def _is_lost(self, *signs: Sign, written: str) -> bool:
        """Return whether the app lacks support for one of these signs, and record it."""
        tally = self._mail.tally
        for sign in sorted(signs, key=lambda sign: (sign.kind.value, sign.name)):
            if (feature := self._sieve.unsupported.get(sign)) is not None:
                tally.lose(_named(sign, feature, written), _NOT_SUPPORTED, tested(feature))
                return True
            if (feature := self._sieve.partial.get(sign)) is not None:
                remarks = " ".join(self._sieve.table.remarks(feature, self._sieve.client))
                tally.note_partial(_named(sign, feature, written), remarks or "partly supported", tested(feature))
        return False


_BLOCKS = frozenset(
    {"address", "article", "aside", "audio", "blockquote", "dialog", "details", "div", "dl", "figcaption", "figure"}
    | {"footer", "form", "header", "hr", "main", "marquee", "menu", "nav", "section", "summary", "video"}
)
_WRITTEN = {Kind.FUNCTION: "{}()", Kind.UNIT: "{} unit", Kind.VALUE: "{}"}


def _named(sign: Sign, feature: Feature, written: str) -> str:
    """Return the name of what is lost: the sign itself, unless the text it was found in says more."""
    if sign.kind is Kind.SELECTOR:
        return sign.name if sign.name.startswith(":") else f"{feature.title[:1].lower()}{feature.title[1:]}"
    return _WRITTEN.get(sign.kind, written.replace("{", "{{").replace("}", "}}")).format(sign.name)


@lru_cache(maxsize=1024)
def _implied_signs(name: str) -> tuple[Sign, ...]:
    """Return what a property stands for: itself without a vendor's prefix, and the whole animation or transition."""
    plain = _VENDOR.sub("", name)
    whole = plain.partition("-")[0]
    names = {plain, *({whole} & _WHOLES)} - {name}
    return tuple(Sign(Kind.PROPERTY, each) for each in sorted(names))


def _tag_of(element: HtmlElement) -> str:
    name = element.get("name") if element.tag == "meta" else element.get("type") if element.tag == "input" else None
    return f"<{element.tag!s} {name}>" if name else f"<{element.tag!s}>"


@lru_cache(maxsize=2048)
def _signs_of_attribute(name: str, value: str) -> tuple[Sign, ...]:
    signs = [Sign(Kind.ATTRIBUTE, name)]
    if name == "href" and value.startswith(("#", "mailto:")):
        signs.append(Sign(Kind.ATTRIBUTE, "href=#" if value.startswith("#") else "href=mailto:"))
    return tuple(signs)


def _signs_of_element(element: HtmlElement) -> tuple[Sign, ...]:
    tag = str(element.tag)
    signs = [Sign(Kind.ELEMENT, tag)]
    if tag in {"input", "button"}:
        kind = element.get("type", "text" if tag == "input" else "submit").lower()
        signs.append(Sign(Kind.ELEMENT, f"{tag} type={kind}"))
    elif tag == "meta":
        signs.append(Sign(Kind.ELEMENT, f"meta name={element.get('name', '').lower()}"))
    return tuple(signs)
