"""What is wrong where a rule of axe is broken, in the words of this program, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.checks.base import THEME_REMEDY


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an element does that it must not (after its name in a sentence), and the remedy."""

    what: str
    remedy: str


_ROLES = Meaning("has a role or an aria attribute that screen readers cannot follow", f"take it out; {THEME_REMEDY}")
_LISTS = Meaning("is a list, or part of one, that is not built as one", THEME_REMEDY)
_CELLS = Meaning(
    "is in a table whose heads do not belong to its cells", f"mark heads as <th> with a scope; {THEME_REMEDY}"
)
_LANGUAGES = Meaning("names no language, or one that does not exist", "set `language` to a code such as en or pt-BR")
_LABELS = Meaning("has no words that a screen reader could say", THEME_REMEDY)

MEANINGS: Mapping[str, Meaning] = {
    "area-alt": _LABELS,
    "aria-allowed-attr": _ROLES,
    "aria-command-name": _LABELS,
    "aria-hidden-body": Meaning("hides the whole mail from screen readers", f"take out aria-hidden; {THEME_REMEDY}"),
    "aria-hidden-focus": Meaning(
        "is hidden from screen readers, yet holds a link that the keyboard reaches",
        f"take out aria-hidden; {THEME_REMEDY}",
    ),
    "aria-prohibited-attr": _ROLES,
    "aria-required-attr": _ROLES,
    "aria-required-children": _ROLES,
    "aria-required-parent": _ROLES,
    "aria-roles": _ROLES,
    "aria-valid-attr": _ROLES,
    "aria-valid-attr-value": _ROLES,
    "definition-list": _LISTS,
    "dlitem": _LISTS,
    "document-title": Meaning("has no title", f"show `title` of issue.yaml in <title>; {THEME_REMEDY}"),
    "html-has-lang": _LANGUAGES,
    "html-lang-valid": _LANGUAGES,
    "image-alt": Meaning(
        "has no words for those who cannot see it", 'describe it, or mark it as decoration with alt=""'
    ),
    "link-in-text-block": Meaning(
        "is a link that only its color tells from the words around it", f"underline links in text; {THEME_REMEDY}"
    ),
    "link-name": Meaning("is a link without words", "say in words where it leads"),
    "list": _LISTS,
    "listitem": _LISTS,
    "meta-refresh": Meaning("moves on by itself", f"take out the meta element; {THEME_REMEDY}"),
    "meta-viewport": Meaning(
        "keeps readers from enlarging it", f"take out user-scalable and maximum-scale; {THEME_REMEDY}"
    ),
    "nested-interactive": Meaning("holds a link or button within another", THEME_REMEDY),
    "role-img-alt": _LABELS,
    "scrollable-region-focusable": Meaning(
        "scrolls by itself, and the keyboard cannot reach it", f"let it be as long as its content; {THEME_REMEDY}"
    ),
    "svg-img-alt": _LABELS,
    "td-headers-attr": _CELLS,
    "th-has-data-cells": _CELLS,
    "valid-lang": _LANGUAGES,
}


def meaning_of(rule: str, address: str) -> Meaning:
    """What a broken rule of axe means; `address` is of the page that explains it."""
    return MEANINGS.get(rule, Meaning("fails a test of axe", f"see {address}; {THEME_REMEDY}"))
