"""The signs of features in a whole mail."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from newsletter.checks.clients.css_signs import (
    BACKGROUND_PICTURES,
    declares_ground,
    picture_format,
    signs_of_declarations,
    signs_of_sheet,
)
from newsletter.checks.clients.features import Kind, Sign, Use
from newsletter.checks.reading.document import MailDocument, Tag, start_tags

# What stands between `<!--[if !mso]><!-->` and `<!--<![endif]-->` is kept from Word, by which Outlook shows mail.
_WITHOUT_WORD = re.compile(r"<!--\[if [^\]]*!\s*mso[^\]]*\]>\s*<!--(?:\s*--)?>(.*?)<!--\s*<!\[endif\]-->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"""<[A-Za-z](?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")
_TYPED = frozenset({"input", "button"})
_PICTURES = frozenset({"img", "image", "input"})  # elements whose `src` is a picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """What a mail uses."""

    by_all: frozenset[Use]
    without_word: frozenset[Use]  # in parts that are kept from Word
    has_vml: bool  # whether it draws background pictures for Word in Word's own way


def uses_in(document: MailDocument) -> Uses:
    """Return what a variant uses; what only Word is to read is not looked at."""
    return Uses(
        by_all=_uses(_WITHOUT_WORD.sub("", document.html)),
        without_word=_uses("".join(_WITHOUT_WORD.findall(document.html))),
        has_vml=any(tag.name in {"v:fill", "v:image"} for tag in document.outlook_tags),
    )


def _uses(html: str) -> frozenset[Use]:
    html = _COMMENT.sub("", html)
    sheets = (signs_of_sheet(css) for css in _STYLE.findall(html))
    tags = (_signs_of_tag(tag) for tag in set(_TAG.findall(_STYLE.sub("<style>", html))))
    return frozenset[Use]().union(*sheets, *tags)


@lru_cache(maxsize=8192)
def _signs_of_tag(text: str) -> frozenset[Use]:
    """Return what a start tag uses; by its text, since most tags stand in a mail many times."""
    (tag,) = start_tags(text)
    style = tag.attributes.get("style", "")
    uses = frozenset({*_element(tag), *_attributes(tag), *signs_of_declarations(style)})
    behind = {use for use in uses if use.sign in BACKGROUND_PICTURES}
    if behind and ("bgcolor" in tag.attributes or declares_ground(style)):
        return uses - behind | {use._replace(has_fallback=True) for use in behind}
    return uses


def _element(tag: Tag) -> Iterator[Use]:
    yield _used(Kind.ELEMENT, tag.name)
    if tag.name in _TYPED:
        default = "text" if tag.name == "input" else "submit"
        yield _used(Kind.ELEMENT, f"{tag.name} type={tag.attributes.get('type', default).lower()}")
    elif tag.name == "meta":
        yield _used(Kind.ELEMENT, f"meta name={tag.attributes.get('name', '').lower()}")


def _attributes(tag: Tag) -> Iterator[Use]:
    for name, value in tag.attributes.items():
        yield _used(Kind.ATTRIBUTE, name)
        if name == "href" and value.startswith(("#", "mailto:")):
            yield _used(Kind.ATTRIBUTE, "href=#" if value.startswith("#") else "href=mailto:")
        elif _names_picture(tag, name) and (form := picture_format(value)):
            yield Use(Sign(Kind.PICTURE, form), has_fallback=False, address=value)


def _names_picture(tag: Tag, attribute: str) -> bool:
    return attribute in {"background", "poster"} or (attribute == "src" and tag.name in _PICTURES)


def _used(kind: Kind, name: str) -> Use:
    return Use(Sign(kind, name), has_fallback=False)
