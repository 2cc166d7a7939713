"""The reader whose email the studio shows: a chosen subscriber, or a made-up reader."""

from collections.abc import Mapping
from datetime import UTC, datetime
from secrets import token_urlsafe

from msgspec import Struct

from newsletter.config import Config
from newsletter.errors import MistakesError, StoreError
from newsletter.language.words import language_name
from newsletter.model.issue import Issue
from newsletter.model.readership import LANGUAGE, Reader, Readership
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.web.studio.views import SAMPLE_READER, StudioView
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.reader import FoundReader, matching_subscribers, reader_for_address
from newsletter.workflows.compose.sample import sample_reader

# The time zones of a made-up reader, from west to east, the newsletter's own among them.
ZONES = (
    *("America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "Europe/London", "Europe/Berlin"),
    *("Africa/Johannesburg", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney"),
)
MOST_MATCHES = 8
_SAMPLE_VALUES: Mapping[str, str] = {
    "first_name": "Ana",
    "last_name": "Lima",
    "email": "ana@example.org",
    "language": "en",
    "timezone": "America/New_York",
}
_REMEMBERED = 50  # the maximum number of chosen subscribers, because a studio may stay open for days


class Whom(Struct, frozen=True, kw_only=True):
    """A reader, and the variant of the issue that they get."""

    reader: Reader
    variant: RenderedVariant
    name: str
    traits: tuple[str, ...]  # what the email depends on, as shown to people: "Spanish", "Tokyo", "teachers"
    is_subscriber: bool = False
    left_out: str = ""  # why a subscriber would not receive the issue; empty if they would
    problem: str = ""  # why the chosen subscriber cannot be shown

    @property
    def title(self) -> str:
        """The reader in one line: `Ana Lima, Spanish, Tokyo`."""
        return ", ".join((self.name, *self.traits))


class Match(Struct, frozen=True, kw_only=True):
    """A subscriber whom a search found, and the random key that stands for the address in URLs."""

    key: str
    name: str
    email: str


class Matches(Struct, frozen=True, kw_only=True):
    """The result of a search, or a sentence that says why there is none."""

    found: tuple[Match, ...] = ()
    are_all: bool = True
    problem: str = ""


class Lookups:
    """The subscribers chosen since the studio was started, each with a random key that replaces the address in URLs.

    The browser sends what was typed in the body of a POST request, and only this process stores an address. It is never
    in a URL, so it does not appear in any history or log.
    """

    def __init__(self) -> None:
        self._emails: dict[str, str] = {}

    def remember(self, email: str) -> str:
        """Store an address and return its key. If there are too many addresses, delete the oldest."""
        known = next((key for key, stored in self._emails.items() if stored == email), None)
        if known is not None:
            self._emails[known] = self._emails.pop(known)  # now the newest
            return known
        for key in list(self._emails)[: 1 - _REMEMBERED]:
            del self._emails[key]
        key = token_urlsafe(12)
        self._emails[key] = email
        return key

    def search(self, config: Config, text: str) -> Matches:
        """Return the subscribers whose address or name contains the text."""
        text = "".join(filter(str.isprintable, text)).strip()
        if not text:
            return Matches(problem="Type part of a name or an address.")
        if not config.has_database:
            return Matches(problem="There is no list yet. Import one first.")
        try:
            found = matching_subscribers(config, text, size=MOST_MATCHES + 1)
        except StoreError as err:
            return Matches(problem=f"The list cannot be read: {err}")
        matches = [Match(key=self.remember(each.email), name=each.name, email=each.email) for each in found]
        if not matches:
            return Matches(problem="No subscriber has this name or address.")
        return Matches(found=tuple(matches[:MOST_MATCHES]), are_all=len(matches) <= MOST_MATCHES)

    def whom(self, config: Config, composed: Composed, view: StudioView) -> Whom:
        """Return the reader of a view: the chosen subscriber, or else the reader that the view makes up."""
        found, problem = self._found(view.reader, config, composed.issue)
        return _made_up(config, composed, view, problem) if found is None else _subscriber(composed, found)

    def _found(self, key: str, config: Config, issue: Issue) -> tuple[FoundReader | None, str]:
        """Return the subscriber that belongs to a key, or why there is none. Unknown keys need no reason."""
        email = self._emails.get(key)
        if email is None or not config.has_database:
            return None, ""
        try:
            found = reader_for_address(config, issue, email, datetime.now(UTC))
        except StoreError as err:
            return None, f"The list cannot be read: {err}"
        except MistakesError as err:
            return None, str(err).splitlines()[0]
        return found, "" if found else "This subscriber is no longer on the list."


def _subscriber(composed: Composed, found: FoundReader) -> Whom:
    reader, variant = found.reader, composed.rendered.variant_of(found.reader)
    name = " ".join(filter(None, (reader.fields.get("first_name"), reader.fields.get("last_name"))))
    return Whom(
        reader=reader,
        variant=variant,
        name=name or reader.email,
        traits=_traits(reader, variant.readership, reader.email if name else ""),
        is_subscriber=True,
        left_out=found.left_out,
    )


def _made_up(config: Config, composed: Composed, view: StudioView, problem: str) -> Whom:
    variant = composed.rendered.variant_for(_made_up_readership(composed.rendered, view))
    is_sample = view.reader == SAMPLE_READER
    reader = sample_reader(config, _values(variant, view, is_sample=is_sample))
    name = "Ana Lima" if is_sample else "an unknown reader"
    traits = _traits(reader, variant.readership)
    return Whom(reader=reader, variant=variant, name=name, traits=traits, problem=problem)


def _made_up_readership(rendered: RenderedIssue, view: StudioView) -> Readership:
    """Return the readership that sees the most, except for what the view chooses."""
    sees, values = view.for_axes(rendered.axes).sees, dict[str, str]()
    for axis in rendered.axes:
        chosen = sees.get(axis.name, axis.fullest)
        if axis.name == LANGUAGE:  # as for a subscriber with the language, who may not get it
            chosen = axis.value_of(Reader(email="", fields={"language": view.language}), values)
        values[axis.name] = chosen
    return Readership.of(values)


def _values(variant: RenderedVariant, view: StudioView, *, is_sample: bool) -> dict[str, str]:
    """Return the merge values of a made-up reader. A field without a sample value shows its own name."""
    names = {name for slot in variant.slots for name in slot.source.fields} if is_sample else set()
    sample = {name: _SAMPLE_VALUES.get(name, name.replace("_", " ")) for name in names}
    chosen = {"language": view.language, "timezone": view.timezone}
    return sample | {name: value for name, value in chosen.items() if value}


def _traits(reader: Reader, readership: Readership, email: str = "") -> tuple[str, ...]:
    language = language_name(reader.language) if reader.language else ""
    if readership.label.startswith(language):
        language = ""  # the language of the email says the same
    return tuple(filter(None, (email, language, city(reader.timezone), readership.label)))


def city(zone: str) -> str:
    """Return the city in the name of a time zone: `Tokyo` for `Asia/Tokyo`."""
    return zone.rpartition("/")[2].replace("_", " ")
