"""The sources of slots: a column of the list, a personal link, a tracked address, or the time on a reader's clock."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from msgspec import Struct, json

from newsletter.model.columns import NAME_COLUMNS
from newsletter.model.person_names import without_deceit
from newsletter.model.slots import (
    LINK_FIELDS,
    ChunkColumns,
    Escape,
    Link,
    LocalTimes,
    MergeField,
    SlotSource,
    token_of,
)
from newsletter.model.tracked_address import code_for_all, codes_for_each


class Column(Struct, frozen=True):
    """A column or an attribute of the list. The default replaces an empty value."""

    name: str
    default: str | None = None
    links: ClassVar[tuple[Link, ...]] = ()
    escape: ClassVar[Escape | None] = None  # a value can contain any character, so the escape depends on the place
    is_shared: ClassVar[bool] = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the name of the column."""
        return (self.name,)

    @property
    def token(self) -> str:
        """Return the token of the merge field with this name and default."""
        return MergeField(self.name, self.default).token

    @property
    def data(self) -> list[str | None]:
        """Return the key of `SOURCES`, the name and the default."""
        return ["column", self.name, self.default]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the values, with the default in place of each empty value and of each name that could deceive."""
        values = chunk.fields[self.name]
        if self.name in NAME_COLUMNS:
            values = without_deceit(values)
        if not self.default or "" not in values:  # `in` is fast, because it searches the thousand values in C
            return values
        default = self.default
        return [value or default for value in values]


class OwnLink(Struct, frozen=True):
    """A personal link of each reader, made of characters that need no escaping anywhere."""

    link: Link
    fields: ClassVar[tuple[str, ...]] = ()  # it is made from the subscriber's id and token, which every delivery has
    escape: ClassVar[Escape | None] = Escape.LINK  # it is the same in HTML, in text and inside another URL
    is_shared: ClassVar[bool] = False

    @property
    def links(self) -> tuple[Link, ...]:
        """Return the link."""
        return (self.link,)

    @property
    def token(self) -> str:
        """Return the token of the merge field for this link."""
        return next(MergeField(name).token for name, link in LINK_FIELDS.items() if link is self.link)

    @property
    def data(self) -> list[str | None]:
        """Return the key of `SOURCES` and the link."""
        return ["link", self.link.value]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the links."""
        return chunk.links[self.link]


class TrackingCode(Struct, frozen=True):
    """The part of a tracked link that says whose it is and where it leads. Number 0 is the picture that shows opens."""

    number: int  # of the link in the broadcast
    is_for_all: bool  # the same for all readers, so that only totals can be counted
    fields: ClassVar[tuple[str, ...]] = ()
    links: ClassVar[tuple[Link, ...]] = ()
    escape: ClassVar[Escape | None] = Escape.LINK
    is_shared: ClassVar[bool] = False

    @property
    def token(self) -> str:
        """Return an address of no one. A variant gets these slots after it has been checked."""
        return f"0-0-{self.number}"

    @property
    def data(self) -> list[str | None]:
        """Return the key of `SOURCES`, the number, and whose it is."""
        return ["tracking", str(self.number), "all" if self.is_for_all else "each"]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the addresses."""
        if self.is_for_all:
            return [code_for_all(chunk.broadcast, chunk.nonce, self.number)] * len(chunk.people)
        return codes_for_each(chunk.people, chunk.broadcast, self.number)


class LocalTime(Struct, frozen=True):
    """What follows the times of an event: the same times on the reader's clock, if it shows others."""

    times: LocalTimes
    fields: ClassVar[tuple[str, ...]] = ("timezone",)
    links: ClassVar[tuple[Link, ...]] = ()
    escape: ClassVar[Escape | None] = None
    is_shared: ClassVar[bool] = True

    @property
    def token(self) -> str:
        """Return a token of these times. A line is wrapped as if there were no local time."""
        return token_of(f"local\0{self.times}", 0)

    @property
    def data(self) -> list[str | None]:
        """Return the key of `SOURCES` and the times."""
        return ["local time", _text_of(self.times)]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the local times. Each is written once per zone: a chunk has a thousand readers in few zones."""
        return _by_zone(chunk, self.times, lambda text: text or "")


class WithoutLocalTime(Struct, frozen=True):
    """What follows the times of an event for readers to whom no local time can be told: a link, as finished markup."""

    times: LocalTimes
    markup: str  # made by the theme
    fields: ClassVar[tuple[str, ...]] = ("timezone",)
    links: ClassVar[tuple[Link, ...]] = ()
    escape: ClassVar[Escape | None] = (
        Escape.LINK
    )  # it is written by the theme for its place, so it is not escaped again
    is_shared: ClassVar[bool] = True

    @property
    def token(self) -> str:
        """Return a token of these times and this markup."""
        return token_of(f"without\0{self.times}\0{self.markup}", 0)

    @property
    def data(self) -> list[str | None]:
        """Return the key of `SOURCES`, the times and the markup."""
        return ["without local time", _text_of(self.times), self.markup]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the markup, or empty text for readers who see the local time."""
        return _by_zone(chunk, self.times, lambda text: self.markup if text is None else "")


class TextByZone(Struct, frozen=True):
    """A text for readers in each of some zones, and nothing for all others: what an earlier email told them."""

    texts: tuple[tuple[str, str], ...]
    fields: ClassVar[tuple[str, ...]] = ("timezone",)
    links: ClassVar[tuple[Link, ...]] = ()
    escape: ClassVar[Escape | None] = None
    is_shared: ClassVar[bool] = True

    @property
    def token(self) -> str:
        """Return a token of these texts. A line is wrapped as if there were none."""
        return token_of(f"by zone\0{self.texts}", 0)

    @property
    def data(self) -> list[str | None]:
        """Return the key of `SOURCES` and the texts."""
        return ["by zone", json.encode(self.texts).decode()]

    def column(self, chunk: ChunkColumns) -> Sequence[str]:
        """Return the text for the zone of each reader."""
        texts = dict(self.texts)
        return [texts.get(zone, "") for zone in chunk.fields["timezone"]]


def _by_zone(chunk: ChunkColumns, times: LocalTimes, value_for: Callable[[str | None], str]) -> Sequence[str]:
    zones, texts = chunk.fields["timezone"], chunk.local_texts(times)
    values = {zone: value_for(texts[zone]) for zone in set(zones)}
    return list(map(values.__getitem__, zones))


def _text_of(times: LocalTimes) -> str:
    return json.encode(times).decode()


def _times_from(text: str | None) -> LocalTimes:
    return json.decode(text or "", type=LocalTimes)


SOURCES: dict[str, Callable[..., SlotSource]] = {
    "column": Column,
    "link": lambda link: OwnLink(Link(link)),
    "local time": lambda times: LocalTime(_times_from(times)),
    "without local time": lambda times, markup: WithoutLocalTime(_times_from(times), markup),
    "by zone": lambda texts: TextByZone(json.decode(texts or "", type=tuple[tuple[str, str], ...])),
    "tracking": lambda number, whose: TrackingCode(int(number), whose == "all"),
}


_LARGE_NUMBER = 10**9  # as large as ids get
_NOBODY = (_LARGE_NUMBER, "0" * 32)


def value_of_nobody(source: SlotSource, *, link: str = "") -> str:
    """Return the value for a reader about whom nothing is known: the default, or `link` for a personal link."""
    fields, links = dict.fromkeys(source.fields, ("",)), dict.fromkeys(Link, (link,))
    return source.column(ChunkColumns(fields=fields, links=links, people=(_NOBODY,), broadcast=_LARGE_NUMBER))[0]


def source_of(field: MergeField) -> SlotSource:
    """Return the source of the values of a merge field."""
    link = LINK_FIELDS.get(field.name)
    return OwnLink(link) if link else Column(field.name, field.default)


def source_from(data: Sequence[str | None]) -> SlotSource:
    """Return the source that was saved as `data`."""
    kind, *details = data
    return SOURCES[kind or ""](*details)
