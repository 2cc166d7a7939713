"""What the director has chosen to look at, kept in the page's address; and the mail as it then looks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from newsletter.config import Config
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.workflows.compose.sample import SampleMail, sample_mail


class Show(StrEnum):
    """Which of the mail's forms are shown."""

    BOTH = "both"  # desktop and phone
    DESKTOP = "desktop"
    PHONE = "phone"
    TEXT = "text"  # the plain-text part


class Scheme(StrEnum):
    """Whether the reader's device is set to light or dark."""

    LIGHT = "light"
    DARK = "dark"


class Pictures(StrEnum):
    """Whether the reader's mail program loads pictures."""

    ON = "on"
    OFF = "off"


class Reader(StrEnum):
    """Who reads."""

    UNKNOWN = "unknown"  # somebody of whom nothing is known: the defaults of the merge fields
    SAMPLE = "sample"  # somebody of whom everything is known


SAMPLE_READER: Mapping[str, str] = {"first_name": "Ana", "last_name": "Lima", "email": "ana@example.org"}

_Choice = TypeVar("_Choice", Show, Scheme, Pictures, Reader)
_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_SCHEME_META = re.compile(r"""(<meta\s+name="(?:supported-)?color-schemes?"\s+content=")[^"]*""")
_SCHEME_PROPERTY = re.compile(r"(?<![\w-])color-scheme\s*:\s*[^;}\"]+")
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One way to look at an issue."""

    show: Show = Show.BOTH
    scheme: Scheme = Scheme.LIGHT
    pictures: Pictures = Pictures.ON
    reader: Reader = Reader.UNKNOWN
    variant: str = ""  # the key of a variant; the fullest one where it is empty or gone

    @property
    def query(self) -> str:
        """The view as the query of an address; what is as usual is left out."""
        usual = View()
        chosen = {
            "show": (self.show, usual.show),
            "scheme": (self.scheme, usual.scheme),
            "pictures": (self.pictures, usual.pictures),
            "reader": (self.reader, usual.reader),
            "variant": (self.variant, usual.variant),
        }
        return urlencode({name: value for name, (value, default) in chosen.items() if value != default})


def view_from(query: Mapping[str, str]) -> View:
    """The view that an address asks for; a value that does not exist counts as left out."""
    usual = View()
    return View(
        show=_choice(query, "show", usual.show),
        scheme=_choice(query, "scheme", usual.scheme),
        pictures=_choice(query, "pictures", usual.pictures),
        reader=_choice(query, "reader", usual.reader),
        variant=query.get("variant", usual.variant),
    )


def variant_key(rendered: RenderedIssue, variant: RenderedVariant) -> str:
    """The name of a variant in an address: whom it is for, a dash for the rest, nothing for the fullest one."""
    return "" if variant is rendered.fullest else ",".join(variant.readership.names) or "-"


def chosen_variant(rendered: RenderedIssue, view: View) -> RenderedVariant:
    """The variant that the view asks for."""
    keyed = {variant_key(rendered, variant): variant for variant in rendered.variants}
    return keyed.get(view.variant, rendered.fullest)


def mail_in_view(config: Config, rendered: RenderedIssue, view: View) -> SampleMail:
    """The mail as the view's reader would receive it."""
    variant = chosen_variant(rendered, view)
    return sample_mail(config, variant, _sample_values(variant) if view.reader is Reader.SAMPLE else None)


def html_for_frame(html: str, scheme: Scheme) -> str:
    """The mail's HTML as a device of this scheme shows it, its links opening in tabs of their own.

    A page cannot tell a frame which colour scheme its reader prefers. So the question itself is replaced, wherever the
    mail asks it, by one that is always or never true; and where the mail says that it can do both schemes, it says
    that it does this one.
    """

    def answer(match: re.Match[str]) -> str:
        return _ALWAYS if match[1] == scheme else _NEVER

    html = _DARK_QUERY.sub(answer, html)
    html = _SCHEME_META.sub(rf"\g<1>{scheme}", html)
    html = _SCHEME_PROPERTY.sub(f"color-scheme:{scheme}", html)
    return re.sub(r"<head\b[^>]*>", r'\g<0><base target="_blank">', html, count=1)


def _choice(query: Mapping[str, str], name: str, usual: _Choice) -> _Choice:
    kind = type(usual)
    value = query.get(name)
    return kind(value) if value in set(kind) else usual


def _sample_values(variant: RenderedVariant) -> dict[str, str]:
    """A value for every merge field; one that we have no idea of shows its own name."""
    names = {slot.field.name for slot in variant.slots}
    return {name: SAMPLE_READER.get(name, name.replace("_", " ")) for name in names}
