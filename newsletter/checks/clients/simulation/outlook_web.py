"""Outlook.com and the new Outlook for Windows: how they filter an email. Outlook on phones and on the Mac is alike."""

import re
from collections.abc import Iterator

from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.css import CssGroup, CssNode, CssRule, NodeEdit
from newsletter.checks.clients.simulation.losses import PublishedRule
from newsletter.checks.clients.simulation.shared_rules import (
    body_to_div,
    drop_negative_margins,
    drop_selectors,
    edit_selectors,
    keep_values,
    neutralize,
    rename_classes,
)

_TESTS = "https://www.caniemail.com/features"
_MEDIA = PublishedRule("caniemail: @media", "2023-12-13", url=f"{_TESTS}/css-at-media/")
_ATTRIBUTE = PublishedRule("caniemail: attribute selector", "2020-12-15", url=f"{_TESTS}/css-selector-attribute/")
_PSEUDO = PublishedRule("caniemail: pseudo-classes", "2019-10-28", url=f"{_TESTS}/css-pseudo-class-hover/")
_POSITION = PublishedRule("caniemail: position", "2021-05-16", url=f"{_TESTS}/css-position/")
_SEMANTICS = PublishedRule("caniemail: semantic elements", "2019-07-29", url=f"{_TESTS}/html-semantics/")
_SEMANTIC = (
    *("article", "aside", "details", "figcaption", "figure", "footer", "header"),
    *("main", "mark", "nav", "section", "summary"),
)
_ROOM = "rps_1a2b"  # Outlook makes one for each message
_CLASS_WITH_ATTRIBUTE = re.compile(r"[.#][\w-]+\[|\][.#]")
_UNTAKEN_ATTRIBUTE = re.compile(r"\[[^\]]*[*^$]=")
_COMPOUNDS = re.compile(r"\s*[\s>+~]\s*")
# Features of which caniemail says “in part” and which the rules here describe.
HANDLED = frozenset({"css-at-media", "css-selector-attribute", "css-position", "css-margin", "html-semantics"})
_BODY_SELECTOR = re.compile(r"^(?:html\s+)?body(?![\w-])")


def sanitize(mail: AppMail) -> None:
    """Filter selectors, queries and declarations, and give each message names of its own."""
    mail.edit_sheets(_without_nested_media(mail))
    drop_selectors(mail, _is_untaken_attribute, "attribute selectors do not work together with a class", _ATTRIBUTE)
    drop_selectors(mail, _is_untaken_pseudo, "pseudo-classes only work on type selectors", _PSEUDO)
    keep_values(mail, "position", {"sticky"}, _POSITION)
    drop_negative_margins(mail)
    neutralize(mail, _SEMANTIC, "the tags are removed", _SEMANTICS, instead="div")
    rename_classes(mail, "x_")
    edit_selectors(mail, _inside_message)
    body = body_to_div(mail)
    holder = body.makeelement("div", {"class": _ROOM})
    mail.body.append(holder)
    holder.append(body)


def _without_nested_media(mail: AppMail) -> NodeEdit:
    def edit(node: CssNode, around: tuple[CssRule | CssGroup, ...]) -> Iterator[CssNode]:
        is_media = isinstance(node, CssGroup) and node.keyword == "media"
        if is_media and any(isinstance(each, CssGroup) and each.keyword == "media" for each in around):
            mail.tally.lose("nested @media", "removed", _MEDIA)
        else:
            yield node

    return edit


def _is_untaken_attribute(selector: str) -> bool:
    return _CLASS_WITH_ATTRIBUTE.search(selector) is not None or _UNTAKEN_ATTRIBUTE.search(selector) is not None


def _is_untaken_pseudo(selector: str) -> bool:
    return any(
        ":" in compound and not re.match(r"[A-Za-z][\w-]*::?[\w-]+(?:\([^)]*\))?$", compound)
        for compound in _COMPOUNDS.split(selector)
    ) and not selector.startswith(":root")


def _inside_message(selector: str) -> str:
    """Put the class of the message before a selector. The body itself has become its only child."""
    if _BODY_SELECTOR.match(selector):
        return _BODY_SELECTOR.sub(f".{_ROOM} > div", selector, count=1)
    return f".{_ROOM} {selector}"
