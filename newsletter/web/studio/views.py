"""The views of an issue: which version of the email to show, and how. The page's URL contains the choices.

You can look up a subscriber to see the issue as that person will receive it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_urlsafe
from typing import TypeVar
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import asdict

from newsletter.config import Config
from newsletter.errors import MistakesError, StoreError
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.placed import place_blocks
from newsletter.workflows.compose.reader import ReaderMail
from newsletter.workflows.compose.sample import SampleMail, sample_mail


class Show(StrEnum):
    """The versions of the email that are shown."""

    BOTH = "both"  # desktop and phone
    DESKTOP = "desktop"
    PHONE = "phone"
    TEXT = "text"  # the plain-text version


class DeviceScheme(StrEnum):
    """Whether the reader's device is set to light or dark."""

    LIGHT = "light"
    DARK = "dark"


class Pictures(StrEnum):
    """Whether the reader's email app loads images."""

    ON = "on"
    OFF = "off"


UNKNOWN_READER = "unknown"  # a reader without a name or any other merge value, so that the default texts are shown
SAMPLE_READER = "sample"  # a reader with a value for every merge field
_SAMPLE_VALUES: Mapping[str, str] = {"first_name": "Ana", "last_name": "Lima", "email": "ana@example.org"}

_Choice = TypeVar("_Choice", Show, DeviceScheme, Pictures)
_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_SCHEME_META = re.compile(r"""(<meta\s+name="(?:supported-)?color-schemes?"\s+content=")[^"]*""")
_SCHEME_PROPERTY = re.compile(r"(?<![\w-])color-scheme\s*:\s*[^;}\"]+")
_REMEMBERED = 50  # the maximum number of lookups, because a studio may stay open for days
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"


class StudioView(Struct, frozen=True, kw_only=True):
    """One way to look at an issue."""

    show: Show = Show.BOTH
    scheme: DeviceScheme = DeviceScheme.LIGHT
    pictures: Pictures = Pictures.ON
    reader: str = UNKNOWN_READER  # UNKNOWN_READER, SAMPLE_READER, or the key of a subscriber who was looked up
    variant: str = ""  # the key of a variant; if it is empty or unknown, the fullest variant is shown

    @property
    def query(self) -> str:
        """The view as the query of a URL, without the choices that have their default value."""
        usual = asdict(StudioView())
        return urlencode({name: value for name, value in asdict(self).items() if value != usual[name]})


def view_from(query: Mapping[str, str]) -> StudioView:
    """Return the view that a URL selects. Invalid values are replaced by the defaults."""
    usual = StudioView()
    return StudioView(
        show=_choice(query, "show", usual.show),
        scheme=_choice(query, "scheme", usual.scheme),
        pictures=_choice(query, "pictures", usual.pictures),
        reader=query.get("reader", usual.reader),
        variant=query.get("variant", usual.variant),
    )


def variant_key(rendered: RenderedIssue, variant: RenderedVariant) -> str:
    """Return a variant's key in URLs: its segments, `-` if it has none, or an empty string for the fullest variant."""
    return "" if variant is rendered.fullest else ",".join(variant.readership.names) or "-"


def chosen_variant(rendered: RenderedIssue, view: StudioView) -> RenderedVariant:
    """Return the variant that the view selects."""
    keyed = {variant_key(rendered, variant): variant for variant in rendered.variants}
    return keyed.get(view.variant, rendered.fullest)


def mail_in_view(
    config: Config, rendered: RenderedIssue, view: StudioView, composed: Composed | None = None
) -> SampleMail:
    """Return the email for the sample reader if the view selects that reader, otherwise for an unknown reader."""
    variant = chosen_variant(rendered, view)
    if composed is not None:
        variant = place_blocks(composed, variant).variant
    if view.reader != SAMPLE_READER:
        return sample_mail(config, variant)
    names = {name for slot in variant.slots for name in slot.source.fields}
    # If a field has no sample value, its name is shown instead.
    return sample_mail(config, variant, {name: _SAMPLE_VALUES.get(name, name.replace("_", " ")) for name in names})


def html_for_frame(html: str, scheme: DeviceScheme) -> str:
    """Return the email's HTML as a device with this color scheme shows it. Links open in new tabs.

    A page cannot set the preferred color scheme of a frame. So each media query for the scheme is replaced by one that
    is always or never true. If the email declares support for both schemes, it now declares only this one.
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


# Returns the email for the subscriber with this address at a given time, or None if no subscriber has the address.
# Raises StoreError if the list cannot be read, or MistakesError if a segment of the issue is wrong.
MailFor = Callable[[Config, Composed, str, datetime], ReaderMail | None]


class SubscriberLookup(Struct, frozen=True, kw_only=True):
    """The result of looking up an address: the email, or a sentence that says why there is none."""

    email: str
    found: ReaderMail | None = None
    problem: str = ""


class Lookups:
    """The addresses looked up since the studio was started, each with a random key that replaces it in URLs.

    The browser sends the address in the body of a POST request, and only this process stores it. It is never in a URL,
    so it does not appear in any history or log.
    """

    def __init__(self, mail_for: MailFor) -> None:
        self._mail_for = mail_for
        self._emails: dict[str, str] = {}

    def remember(self, email: str) -> str:
        """Store an address and return its new key. If there are too many addresses, delete the oldest."""
        for key in list(self._emails)[: 1 - _REMEMBERED]:
            del self._emails[key]
        key = token_urlsafe(12)
        self._emails[key] = email
        return key

    def find(self, key: str, config: Config, composed: Composed | None) -> SubscriberLookup | None:
        """Look up the address that belongs to a key. Return None if the key is unknown."""
        email = self._emails.get(key)
        if email is None:
            return None
        if not config.has_database:
            return SubscriberLookup(email=email, problem="There is no list yet. Import one first.")
        if composed is None:
            return SubscriberLookup(email=email, problem="There is no email yet. Fix the errors in the issue first.")
        try:
            found = self._mail_for(config, composed, email, datetime.now(UTC))
        except StoreError as err:
            return SubscriberLookup(email=email, problem=f"The list cannot be read: {err}")
        except MistakesError as err:
            return SubscriberLookup(email=email, problem=str(err).splitlines()[0])
        return SubscriberLookup(email=email, found=found, problem="" if found else "No subscriber has this address.")
