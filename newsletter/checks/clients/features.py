"""The signs by which each of caniemail's features is recognized in an email.

Most signs are taken from the title (`<video> element`, `:hover`, `vw unit`); data/signs.toml lists the others. So most
new features in a refreshed table are recognized too.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from newsletter.checks.clients.table import Feature, Table

# Features that every email has, or that are not part of its HTML.
NOT_LOOKED_FOR = frozenset({"amp", "bimi", "css-comments", "html-comments", "html-doctype"})


class Kind(Enum):
    """The part of HTML or CSS that a sign belongs to."""

    PROPERTY = auto()  # `gap`; `--*` is any custom property
    VALUE = auto()  # `display: grid` of one property; `initial` or `!important` of any
    FUNCTION = auto()  # `calc`
    UNIT = auto()  # `vw`
    AT_RULE = auto()  # `supports`
    MEDIA_FEATURE = auto()  # `prefers-color-scheme`
    SELECTOR = auto()  # `:hover`, `::before`, `>`
    ELEMENT = auto()  # `video`; `input type=text`
    ATTRIBUTE = auto()  # `srcset`; `href=mailto:` matches the beginning of a value
    PICTURE = auto()  # `webp`: an image format


class Sign(NamedTuple):
    """A word of HTML or CSS, in lower case, that shows the use of a feature."""

    kind: Kind
    name: str


class Use(NamedTuple):
    """The use of a sign in an email."""

    sign: Sign
    has_fallback: bool  # whether there is a fallback for email apps that do not support it
    address: str = ""  # the address of an image


_PROPERTIES = re.compile(r"[a-z-]+(?:(?:, | & )[a-z-]+)*(?: css)?(?: propert(?:y|ies))?")
# The forms of titles: the kind of sign, a pattern for the title, and a pattern for the names in it. The first form that
# matches a title is used.
_Form = tuple[Kind, re.Pattern[str], re.Pattern[str]]
_FORMS: Mapping[str, tuple[_Form, ...]] = {
    "css": (
        (Kind.SELECTOR, re.compile(r":.*"), re.compile(r"::?[\w-]+")),
        (Kind.MEDIA_FEATURE, re.compile(r"@media \(.*"), re.compile(r"\((?:-webkit-)?([\w-]+)\)")),
        (Kind.AT_RULE, re.compile(r"@.*"), re.compile(r"@([\w-]+)")),
        (Kind.FUNCTION, re.compile(r".*\(\).*"), re.compile(r"([\w-]+)\(\)")),
        (Kind.UNIT, re.compile(r"\S+ unit"), re.compile(r"^\S+")),
        (Kind.VALUE, re.compile(r"[a-z-]+: [a-z-]+"), re.compile(r".+")),
        (Kind.PROPERTY, _PROPERTIES, re.compile(r"(?:^|, | & )([a-z-]+)")),
    ),
    "html": (
        (Kind.ELEMENT, re.compile(r".*<.*"), re.compile(r"<([^>]+)>")),
        (Kind.ATTRIBUTE, re.compile(r"[\w-]+ attribute"), re.compile(r"^[\w-]+")),
    ),
}


@lru_cache(maxsize=2)
def features_by_sign(table: Table) -> Mapping[Sign, tuple[Feature, ...]]:
    """Return the features that each sign indicates."""
    found: dict[Sign, tuple[Feature, ...]] = {}
    for feature in table.features:
        for sign in signs_of(feature):
            found[sign] = (*found.get(sign, ()), feature)
    return found


def signs_of(feature: Feature) -> tuple[Sign, ...]:
    """Return the signs of a feature, or none if it is not looked for or its title contains no signs."""
    if feature.slug in NOT_LOOKED_FOR:
        return ()
    if feature.category == "image":
        return _signs(Kind.PICTURE, [feature.slug.removeprefix("image-")])
    return _told_signs().get(feature.slug) or _by_title(feature)


@cache
def _told_signs() -> Mapping[str, tuple[Sign, ...]]:
    """Return the signs listed in data/signs.toml, by feature."""
    told = tomllib.loads(files("newsletter").joinpath("checks", "clients", "data", "signs.toml").read_text("utf-8"))
    return {
        slug: _signs(Kind[kind.upper()], names.split(", "))
        for kind, features in told.items()
        for slug, names in features.items()
    }


def _by_title(feature: Feature) -> tuple[Sign, ...]:
    title = re.sub(r"(?<=[a-z]): ?(?=[a-z]+$)", ": ", feature.title.strip().lower().replace('"', ""))
    for kind, form, names in _FORMS.get(feature.category, ()):
        if form.fullmatch(title):
            return _signs(kind, names.findall(title))
    return ()


def _signs(kind: Kind, names: Iterable[str]) -> tuple[Sign, ...]:
    return tuple(Sign(kind, name) for name in names)
