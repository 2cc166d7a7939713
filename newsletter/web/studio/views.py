"""Read from a page's URL what the director has chosen to look at, and make the email look that way.

A subscriber can be looked up, so that the issue is seen as that person will get it.
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
from newsletter.workflows.compose.reader import ReaderMail
from newsletter.workflows.compose.sample import SampleMail, sample_mail


class Show(StrEnum):
    """Which of the email's forms are shown."""

    BOTH = "both"  # desktop and phone
    DESKTOP = "desktop"
    PHONE = "phone"
    TEXT = "text"  # the plain-text part


class DeviceScheme(StrEnum):
    """Whether the reader's device is set to light or dark."""

    LIGHT = "light"
    DARK = "dark"


class Pictures(StrEnum):
    """Whether the reader's email app loads images."""

    ON = "on"
    OFF = "off"


UNKNOWN_READER = "unknown"  # a reader without a name or any other merge field, so that the defaults show
SAMPLE_READER = "sample"  # a reader with a value for every merge field
_SAMPLE_VALUES: Mapping[str, str] = {"first_name": "Ana", "last_name": "Lima", "email": "ana@example.org"}

_Choice = TypeVar("_Choice", Show, DeviceScheme, Pictures)
_DARK_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_SCHEME_META = re.compile(r"""(<meta\s+name="(?:supported-)?color-schemes?"\s+content=")[^"]*""")
_SCHEME_PROPERTY = re.compile(r"(?<![\w-])color-scheme\s*:\s*[^;}\"]+")
_REMEMBERED = 50  # lookups; each is an address, and a studio may be open for days
_ALWAYS, _NEVER = "(min-width:0)", "(max-width:0)"


class StudioView(Struct, frozen=True, kw_only=True):
    """One way to look at an issue."""

    show: Show = Show.BOTH
    scheme: DeviceScheme = DeviceScheme.LIGHT
    pictures: Pictures = Pictures.ON
    reader: str = UNKNOWN_READER  # or SAMPLE_READER, or the key of a subscriber who was looked up
    variant: str = ""  # the key of a variant; the fullest one is shown if it is empty or unknown

    @property
    def query(self) -> str:
        """The view as a URL's query, without what is as usual."""
        usual = asdict(StudioView())
        return urlencode({name: value for name, value in asdict(self).items() if value != usual[name]})


def view_from(query: Mapping[str, str]) -> StudioView:
    """Return the view that a URL asks for; a value that does not exist counts as left out."""
    usual = StudioView()
    return StudioView(
        show=_choice(query, "show", usual.show),
        scheme=_choice(query, "scheme", usual.scheme),
        pictures=_choice(query, "pictures", usual.pictures),
        reader=query.get("reader", usual.reader),
        variant=query.get("variant", usual.variant),
    )


def variant_key(rendered: RenderedIssue, variant: RenderedVariant) -> str:
    """Return a variant's name in a URL: its readers, a dash for all others, nothing for the fullest variant."""
    return "" if variant is rendered.fullest else ",".join(variant.readership.names) or "-"


def chosen_variant(rendered: RenderedIssue, view: StudioView) -> RenderedVariant:
    """Return the variant that the view asks for."""
    keyed = {variant_key(rendered, variant): variant for variant in rendered.variants}
    return keyed.get(view.variant, rendered.fullest)


def mail_in_view(config: Config, rendered: RenderedIssue, view: StudioView) -> SampleMail:
    """Return the email as the sample reader gets it if the view asks for that, else as an unknown reader does."""
    variant = chosen_variant(rendered, view)
    if view.reader != SAMPLE_READER:
        return sample_mail(config, variant)
    names = {name for slot in variant.slots for name in slot.source.fields}
    # A field without a sample value shows its own name.
    return sample_mail(config, variant, {name: _SAMPLE_VALUES.get(name, name.replace("_", " ")) for name in names})


def html_for_frame(html: str, scheme: DeviceScheme) -> str:
    """Return the email's HTML as a device of this scheme shows it, with links that open in tabs of their own.

    A page cannot tell a frame which color scheme its reader prefers. So wherever the email asks, its media query is
    replaced by one that is always or never true; and where the email says that it supports both schemes, it now says
    that it supports this one.
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


# Return the email of the subscriber with this address at a moment, or None if nobody on the list has it.
# Raise StoreError if the list cannot be read, MistakesError if a segment of the issue is wrong.
MailFor = Callable[[Config, Composed, str, datetime], ReaderMail | None]


class SubscriberLookup(Struct, frozen=True, kw_only=True):
    """What came of looking an address up: the email, or a sentence that says why there is none."""

    email: str
    found: ReaderMail | None = None
    problem: str = ""


class Lookups:
    """The addresses looked up since the start, each under a random key that stands for it in a page's URL.

    The address itself comes in the body of a POST and stays in this process: it is in no URL, so in no history and no
    log either.
    """

    def __init__(self, mail_for: MailFor) -> None:
        self._mail_for = mail_for
        self._emails: dict[str, str] = {}

    def remember(self, email: str) -> str:
        """Return a new key for an address; the oldest ones are forgotten."""
        for key in list(self._emails)[: 1 - _REMEMBERED]:
            del self._emails[key]
        key = token_urlsafe(12)
        self._emails[key] = email
        return key

    def find(self, key: str, config: Config, composed: Composed | None) -> SubscriberLookup | None:
        """Return what comes of looking up the key's address now, or None if no address belongs to the key."""
        email = self._emails.get(key)
        if email is None:
            return None
        if not config.has_database:
            return SubscriberLookup(email=email, problem="There is no list yet.")
        if composed is None:
            return SubscriberLookup(email=email, problem="There is no email yet.")
        try:
            found = self._mail_for(config, composed, email, datetime.now(UTC))
        except StoreError as err:
            return SubscriberLookup(email=email, problem=f"The list cannot be read: {err}")
        except MistakesError as err:
            return SubscriberLookup(email=email, problem=str(err).splitlines()[0])
        return SubscriberLookup(email=email, found=found, problem="" if found else "No subscriber has this address.")
