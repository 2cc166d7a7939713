"""By which signs a mail's use of each of caniemail's features is recognised.

Most titles say it themselves (`<video> element`, `:hover`, `vw unit`); the table here has those that do not. So a
feature that a refreshed table adds is mostly recognised too.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from newsletter.checks.clients.signs import Kind, Sign
from newsletter.checks.clients.table import Feature, Table

# What every mail holds, or what is nothing of its HTML.
NOT_LOOKED_FOR = frozenset({"amp", "bimi", "css-comments", "html-comments", "html-doctype"})

_SIDES = ("top", "right", "bottom", "left")
_EDGES = ("inline-start", "inline-end", "block-start", "block-end")
_PROPERTIES: Mapping[str, str] = {
    "css-block-inline-size": "block-size inline-size",
    "css-border": "border border-width border-style border-color "
    + " ".join(f"border-{side} border-{side}-width border-{side}-style border-{side}-color" for side in _SIDES),
    "css-border-inline-block": "border-inline border-block",
    "css-border-inline-block-individual": " ".join(
        [*(f"border-{axis}-{part}" for axis in ("inline", "block") for part in ("color", "style", "width"))]
        + [f"border-{edge}" for edge in _EDGES]
    ),
    "css-border-inline-block-longhand": " ".join(
        f"border-{edge}-{part}" for edge in _EDGES for part in ("color", "style", "width")
    ),
    "css-border-radius": "border-radius border-top-left-radius border-top-right-radius border-bottom-left-radius "
    "border-bottom-right-radius",
    "css-border-radius-logical": "border-start-start-radius border-start-end-radius border-end-start-radius "
    "border-end-end-radius",
    "css-color-scheme": "color-scheme",
    "css-column-layout-properties": "columns column-fill column-rule column-rule-color column-rule-style "
    "column-rule-width column-span column-width",
    "css-font": "font",
    "css-grid-template": "grid-template grid-template-areas grid-template-columns grid-template-rows",
    "css-inset": "inset inset-block inset-inline inset-inline-start inset-inline-end inset-block-start inset-block-end",
    "css-margin": "margin " + " ".join(f"margin-{side}" for side in _SIDES),
    "css-overflow": "overflow overflow-x overflow-y overflow-block overflow-inline",
    "css-padding": "padding " + " ".join(f"padding-{side}" for side in _SIDES),
    "css-scroll-snap": "scroll-snap-type scroll-snap-align scroll-snap-stop",
    "css-text-emphasis": "text-emphasis text-emphasis-style text-emphasis-color",
    "css-transform": "transform rotate scale translate",
    "css-variables": "--*",
    "css-animation": "animation animation-name",
    "css-transition": "transition transition-property",
}
_SEMANTIC = (
    *("article", "aside", "details", "figcaption", "figure", "footer", "header", "main", "mark", "nav", "section"),
    *("summary", "time"),
)
_OTHERS: Mapping[str, tuple[Sign, ...]] = {
    "css-important": (Sign(Kind.VALUE, "!important"),),
    "css-inert-attribute": (Sign(Kind.ATTRIBUTE, "inert"),),
    "css-intrinsic-size": tuple(Sign(Kind.VALUE, name) for name in ("fit-content", "min-content", "max-content")),
    "css-nesting": (Sign(Kind.SELECTOR, "nesting"),),
    "css-pseudo-class-has": (Sign(Kind.SELECTOR, ":has"),),
    "css-pseudo-class-lang": (Sign(Kind.SELECTOR, ":lang"),),
    "css-selector-adjacent-sibling": (Sign(Kind.SELECTOR, "+"),),
    "css-selector-attribute": (Sign(Kind.SELECTOR, "attribute"),),
    "css-selector-chaining": (Sign(Kind.SELECTOR, "chaining"),),
    "css-selector-child": (Sign(Kind.SELECTOR, ">"),),
    "css-selector-class": (Sign(Kind.SELECTOR, "class"),),
    "css-selector-descendant": (Sign(Kind.SELECTOR, "descendant"),),
    "css-selector-general-sibling": (Sign(Kind.SELECTOR, "~"),),
    "css-selector-grouping": (Sign(Kind.SELECTOR, ","),),
    "css-selector-id": (Sign(Kind.SELECTOR, "id"),),
    "css-selector-type": (Sign(Kind.SELECTOR, "type"),),
    "css-selector-universal": (Sign(Kind.SELECTOR, "*"),),
    "css-sytem-ui": tuple(
        Sign(Kind.VALUE, name) for name in ("system-ui", "ui-serif", "ui-sans-serif", "ui-rounded", "ui-monospace")
    ),
    "css-unit-initial": (Sign(Kind.VALUE, "initial"),),
    "html-address": (Sign(Kind.ELEMENT, "address"),),
    "html-anchor-links": (Sign(Kind.ATTRIBUTE, "href=#"),),
    "html-h1-h6": tuple(Sign(Kind.ELEMENT, f"h{level}") for level in range(1, 7)),
    "html-image-maps": (Sign(Kind.ELEMENT, "map"),),
    "html-lists": tuple(Sign(Kind.ELEMENT, name) for name in ("ul", "ol", "dl")),
    "html-mailto-links": (Sign(Kind.ATTRIBUTE, "href=mailto:"),),
    "html-meta-color-scheme": (Sign(Kind.ELEMENT, "meta name=color-scheme"),),
    "html-semantics": tuple(Sign(Kind.ELEMENT, name) for name in _SEMANTIC),
    "html-srcset": (Sign(Kind.ATTRIBUTE, "srcset"), Sign(Kind.ATTRIBUTE, "sizes")),
}


# A title of each form → the names in it, of which kind. The first form that a title has counts.
_Form = tuple[Kind, re.Pattern[str], re.Pattern[str]]
_FORMS: Mapping[str, tuple[_Form, ...]] = {
    "css": (
        (Kind.SELECTOR, re.compile(r":.*"), re.compile(r"::?[\w-]+")),
        (Kind.MEDIA_FEATURE, re.compile(r"@media \(.*"), re.compile(r"\((?:-webkit-)?([\w-]+)\)")),
        (Kind.AT_RULE, re.compile(r"@.*"), re.compile(r"@([\w-]+)")),
        (Kind.FUNCTION, re.compile(r".*\(\).*"), re.compile(r"([\w-]+)\(\)")),
        (Kind.UNIT, re.compile(r"\S+ unit"), re.compile(r"^\S+")),
        (Kind.VALUE, re.compile(r"[a-z-]+: [a-z-]+"), re.compile(r".+")),
        (
            Kind.PROPERTY,
            re.compile(r"[a-z-]+(?:(?:, | & )[a-z-]+)*(?: css)?(?: propert(?:y|ies))?"),
            re.compile(r"(?:^|, | & )([a-z-]+)"),
        ),
    ),
    "html": (
        (Kind.ELEMENT, re.compile(r".*<.*"), re.compile(r"<([^>]+)>")),
        (Kind.ATTRIBUTE, re.compile(r"[\w-]+ attribute"), re.compile(r"^[\w-]+")),
    ),
}


@lru_cache(maxsize=2)
def features_by_sign(table: Table) -> Mapping[Sign, tuple[Feature, ...]]:
    """Which features a sign stands for."""
    found: dict[Sign, tuple[Feature, ...]] = {}
    for feature in table.features:
        for sign in signs_of(feature):
            found[sign] = (*found.get(sign, ()), feature)
    return found


def signs_of(feature: Feature) -> tuple[Sign, ...]:
    """The signs of a feature; none where it is not looked for, or its title does not tell."""
    if feature.slug in NOT_LOOKED_FOR:
        return ()
    if feature.slug in _PROPERTIES:
        return _signs(Kind.PROPERTY, _PROPERTIES[feature.slug].split())
    if feature.category == "image":
        return _signs(Kind.PICTURE, [feature.slug.removeprefix("image-")])
    return _OTHERS.get(feature.slug) or _by_title(feature)


def _by_title(feature: Feature) -> tuple[Sign, ...]:
    title = re.sub(r"(?<=[a-z]): ?(?=[a-z]+$)", ": ", feature.title.strip().lower().replace('"', ""))
    for kind, form, names in _FORMS.get(feature.category, ()):
        if form.fullmatch(title):
            return _signs(kind, names.findall(title))
    return ()


def _signs(kind: Kind, names: Iterable[str]) -> tuple[Sign, ...]:
    return tuple(Sign(kind, name) for name in names)
