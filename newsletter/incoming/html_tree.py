"""Parse HTML from elsewhere without losing the text in it."""

from typing import Any

import lxml.html
from lxml import etree

_DEEPEST = 100  # levels; other programs' parsers drop what is nested more deeply, and so does lxml from 255 on
_NESTED = "nested"
_EMPTY = frozenset({"br", "hr", "img"})  # elements that contain nothing


def tree_of(html: str) -> Any:
    """Return a fragment of HTML in a `div`. What is nested too deeply keeps its text and loses its tags.

    Raise ValueError if it is nested so deeply that text would be lost, and LxmlError if it cannot be read at all.
    """
    parser = lxml.html.HTMLParser(huge_tree=True)
    tree = lxml.html.fragment_fromstring(html or " ", create_parent="div", parser=parser)
    if any("Excessive depth" in each.message for each in parser.error_log):
        raise ValueError("the HTML is nested too deeply")
    depths: dict[Any, int] = {tree: 0}
    for element in tree.iterdescendants():
        depths[element] = depths[element.getparent()] + 1
    for element, depth in depths.items():
        if depth > _DEEPEST and isinstance(element.tag, str) and element.tag not in _EMPTY:
            element.tag = _NESTED
    etree.strip_tags(tree, _NESTED)  # all at once: dropping them one by one would take quadratic time
    return tree
