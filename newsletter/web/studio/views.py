"""The views of an issue: how to show the email, and to which reader. The page's URL contains the choices."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import asdict, replace

from newsletter.model.axes import Axis


class Show(StrEnum):
    """The forms of the email that are shown."""

    BOTH = "both"  # desktop and phone
    DESKTOP = "desktop"
    TABLET = "tablet"
    PHONE = "phone"
    INBOX = "inbox"  # the rows in the lists of email apps
    TEXT = "text"  # the plain-text version
    SOURCE = "source"  # the message as it is sent


class DeviceScheme(StrEnum):
    """The colors of the reader's device."""

    LIGHT = "light"
    DARK = "dark"  # the email's own dark colors
    FORCED = "forced"  # every color is inverted, as some phones do with email that does not adapt


class Pictures(StrEnum):
    """Whether the reader's email app loads images."""

    ON = "on"
    OFF = "off"


class Letters(StrEnum):
    """The size of the text on the reader's device."""

    USUAL = "usual"
    LARGE = "large"  # twice as large


class Notes(StrEnum):
    """Whether the studio adds its notes to the email: doubtful merge values, content for some, and what changed."""

    ON = "on"
    OFF = "off"


UNKNOWN_READER = "unknown"  # a reader without a name or any other merge value, so that the default texts are shown
SAMPLE_READER = "sample"  # a reader with a value for every merge field

_Choice = TypeVar("_Choice", Show, DeviceScheme, Pictures, Letters, Notes)
_SEES = "see."  # before the name of an axis


class StudioView(Struct, frozen=True, kw_only=True):
    """One way to look at an issue."""

    show: Show = Show.BOTH
    scheme: DeviceScheme = DeviceScheme.LIGHT
    pictures: Pictures = Pictures.ON
    letters: Letters = Letters.USUAL
    notes: Notes = Notes.ON
    reader: str = UNKNOWN_READER  # UNKNOWN_READER, SAMPLE_READER, or the key of a subscriber who was chosen
    language: str = ""  # of a reader who is not on the list; empty if it is unknown
    timezone: str = ""
    sees: Mapping[str, str] = {}  # the reader's values for axes of the issue, if they are not the fullest ones

    @property
    def query(self) -> str:
        """The view as the query of a URL, without the choices that have their default value."""
        usual, chosen = asdict(StudioView()), asdict(self)
        sees = {f"{_SEES}{axis}": value for axis, value in chosen.pop("sees").items()}
        return urlencode({name: value for name, value in chosen.items() if value != usual[name]} | sees)

    def for_axes(self, axes: tuple[Axis, ...]) -> "StudioView":
        """Return the view without values that an issue with these axes does not have, or shows anyway."""
        other = {axis.name: self.sees.get(axis.name) for axis in axes}
        values = {axis.name: set(axis.values) - {axis.fullest} for axis in axes}
        return replace(self, sees={name: value for name, value in other.items() if value and value in values[name]})


def view_from(query: Mapping[str, str]) -> StudioView:
    """Return the view that a URL selects. Invalid values are replaced by the defaults."""
    usual = StudioView()
    return StudioView(
        show=_choice(query, "show", usual.show),
        scheme=_choice(query, "scheme", usual.scheme),
        pictures=_choice(query, "pictures", usual.pictures),
        letters=_choice(query, "letters", usual.letters),
        notes=_choice(query, "notes", usual.notes),
        reader=query.get("reader", usual.reader),
        language=query.get("language", usual.language),
        timezone=query.get("timezone", usual.timezone),
        sees={name.removeprefix(_SEES): value for name, value in query.items() if name.startswith(_SEES)},
    )


def _choice(query: Mapping[str, str], name: str, usual: _Choice) -> _Choice:
    kind = type(usual)
    value = query.get(name)
    return kind(value) if value in set(kind) else usual
