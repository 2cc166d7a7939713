"""Encode parts as numbers in SQL, and decode the numbers.

A part is a group of people who have the same readership and use the same clock.

Part numbers use a mixed radix, as hours, minutes and seconds do. Each axis is one digit: the index of a
person's value in `axis.values`. The clock is the last digit, the index of the zone in `clocks`. The weight of a digit
is the number of combinations of all digits before it:

    number = digit of axis 0
           + digit of axis 1 * len(values of axis 0)
           + digit of axis 2 * len(values of axis 0) * len(values of axis 1)
           + ...
           + number of the clock * (the lengths of all axes multiplied)

If the broadcast leaves in waves, one more digit, above that of the clock, says who is in the first wave. Before the
draw it is 0 for everyone, as is that of an axis whose value is drawn.

For example, take two axes with 2 and 5 values, and 3 clocks. The weights are 1, 2 and 10, and the parts are numbered
from 0 to 29. Because 27 = 1 * 1 + 3 * 2 + 2 * 10, part 27 has value 1 of axis 0, value 3 of axis 1, and clock 2.

One SQL expression can therefore sort a million people into parts. No code outside this module depends on the encoding.
"""

from collections.abc import Mapping, Sequence
from math import prod
from types import MappingProxyType

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.model.axes import AgreesToTracking, Axis, Case, Chosen, FirstOpen, InSegment, Key, Lookup
from newsletter.model.mailbox import PROVIDER_OF_DOMAIN, MailboxProvider
from newsletter.model.readership import Readership
from newsletter.model.segment import Condition
from newsletter.model.waves import FIRST, REST, Waves
from newsletter.store.database import Connection
from newsletter.store.queries import DOMAIN, change, query_all
from newsletter.store.segment_sql import Binder, compose, condition_sql

_CREATE_LOOKUP = change("freeze", "create_lookup")
_COLLECT_MEMBERS = change("freeze", "collect_members")
_STATED_LANGUAGES = query_all("freeze", "stated_languages", str)
_LARGEST = 2**63  # both engines count in signed 64-bit integers
_KEYS = {
    Key.DOMAIN: DOMAIN,
    Key.TIMEZONE: "s.timezone",
    Key.LANGUAGE: "s.language",
}

STRATA = tuple(MailboxProvider)  # of a draw; a stratum is numbered by its place
_AGREES_TO_TRACKING = "s.tracking_consented_at <> ''"


class _Table(Struct, frozen=True):
    """A table of numbers by key. All such tables are rows of the temporary `lookup` table, each with its own id."""

    id: int
    key: Key
    numbers: Mapping[str, int]
    otherwise: int

    @property
    def join(self) -> str:
        """SQL that joins the row for each subscriber. There is at most one row for each."""
        return f"LEFT JOIN lookup AS l{self.id} ON l{self.id}.id = {self.id} AND l{self.id}.key = {_KEYS[self.key]}"

    @property
    def number(self) -> str:
        """SQL for the number that was found."""
        return f"coalesce(l{self.id}.number, {self.otherwise})"


class Numbering:
    """The numbering of the parts of one freeze.

    `segments` has the condition of each segment that an axis names. `clock_of` maps each stated time zone to one of
    `clocks`. If `clock_of` is empty, everyone uses the first clock.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        segments: Mapping[str, Condition],
        clocks: Sequence[str] = ("",),
        clock_of: Mapping[str, str] = MappingProxyType({}),
        waves: Waves | None = None,
    ) -> None:
        self.clocks = clocks
        self._axes, self._segments = axes, segments
        self._weights = [prod(len(before.values) for before in axes[:place]) for place in range(len(axes) + 1)]
        self._waves, self._wave_weight = waves, self._weights[-1] * len(clocks)
        self.count = self._wave_weight * (2 if waves else 1)  # the number of possible parts
        if self.count >= _LARGEST:
            raise InputError("the issue has different sections for too many segments; use `only:` in fewer sections")
        self._tables = {
            place: self._table(place, axis.rule) for place, axis in enumerate(axes) if isinstance(axis.rule, Lookup)
        }
        self._ranked: dict[int, dict[tuple[str, ...], list[str]]] = {}  # the keys of each list of values
        if clock_of:
            numbers = {stated: clocks.index(clock) * self._weights[-1] for stated, clock in clock_of.items()}
            self._tables[len(axes)] = _Table(len(axes), Key.TIMEZONE, numbers, 0)
        if waves:
            providers = {domain: STRATA.index(provider) for domain, provider in PROVIDER_OF_DOMAIN.items()}
            place = len(axes) + 1
            self._tables[place] = _Table(place, Key.DOMAIN, providers, STRATA.index(MailboxProvider.OTHER))

    def collect(self, connection: Connection, segment: Condition) -> int:
        """Put the members of a segment into the temporary `member` table, each with the number of their part.

        Return the number of members.
        """
        _CREATE_LOOKUP(connection)
        stated = _STATED_LANGUAGES(connection) if any(isinstance(axis.rule, FirstOpen) for axis in self._axes) else []
        for place, axis in enumerate(self._axes):
            if isinstance(axis.rule, FirstOpen):
                self._ranked[place] = _ranked(axis.rule, stated)
        rows = [(table.id, key, number) for table in self._tables.values() for key, number in table.numbers.items()]
        connection.load("lookup", rows)
        collect, values = compose(
            _COLLECT_MEMBERS,
            connection.dialect,
            segment=segment,
            pieces={
                ":number": self._part_sql,
                ":stratum": lambda _: self._tables[len(self._axes) + 1].number if self._waves else "0",
                ":lookups": lambda _: " ".join(table.join for table in self._tables.values()),
            },
        )
        return collect(connection, **values)

    def clock(self, part: int) -> str:
        """Return the zone whose clock the people in a part use. Return an empty string if everyone uses one clock."""
        return self.clocks[part % self._wave_weight // self._weights[-1]]

    def wave(self, part: int) -> int:
        """Return the wave in which the people in a part leave."""
        return FIRST if self._waves is None or part >= self._wave_weight else REST

    def drawn_term(self, value: str) -> int:
        """Return what is added to the part of someone who is drawn for this value."""
        axis = self._waves.axis if self._waves else ""
        places = [place for place, each in enumerate(self._axes) if each.name == axis]
        return self._wave_weight + sum(self._weigh(place, value) for place in places)

    def readership(self, part: int) -> Readership:
        """Return the readership of the people in a part."""
        values: dict[str, str] = {}
        for axis in self._axes:
            part, digit = divmod(part, len(axis.values))
            values[axis.name] = axis.values[digit]
        return Readership.of(values)

    def _part_sql(self, binder: Binder) -> str:
        numbers = [self._number_sql(place, binder) for place in range(len(self._axes))]
        clock = self._tables.get(len(self._axes))
        # PostgreSQL adds small numbers in 32 bits and fails if the sum is larger. A first term of 64 bits avoids that.
        return " + ".join(["CAST(0 AS BIGINT)", *numbers, *([clock.number] if clock else [])])

    def _number_sql(self, place: int, binder: Binder) -> str:
        """Return SQL for the term that an axis adds to the number of a part."""
        rule = self._axes[place].rule
        if isinstance(rule, Lookup):
            return self._tables[place].number
        otherwise = str(self._weigh(place, rule.otherwise))
        if isinstance(rule, FirstOpen):
            cases = [
                f"WHEN {_KEYS[rule.key]} IN ({', '.join(map(binder.bind, keys))}) "
                f"THEN {self._first_open_sql(place, rule, values, binder)}"
                for values, keys in self._ranked[place].items()
            ]
            return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise
        cases = [f"WHEN {self._case_sql(case, binder)} THEN {self._weigh(place, case.value)}" for case in rule.cases]
        return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise

    def _first_open_sql(self, place: int, rule: FirstOpen, values: Sequence[str], binder: Binder) -> str:
        """Return SQL for the term of the first of the values that no earlier choice bars."""
        cases = []
        for value in values:
            barred = [self._case_sql(Case((choice,), value), binder) for choice in rule.barred.get(value, ())]
            if not barred:
                last = str(self._weigh(place, value))
                break
            cases.append(f"WHEN NOT ({' OR '.join(barred)}) THEN {self._weigh(place, value)}")
        else:
            last = str(self._weigh(place, rule.otherwise))
        return f"CASE {' '.join(cases)} ELSE {last} END" if cases else last

    def _case_sql(self, case: Case, binder: Binder) -> str:
        tests = []
        for test in case.tests:
            match test:
                case InSegment(name):
                    tests.append(condition_sql(self._segments[name], binder))
                case Chosen(axis, value):
                    place = next(place for place, each in enumerate(self._axes) if each.name == axis)
                    tests.append(f"({self._number_sql(place, binder)}) = {self._weigh(place, value)}")
                case AgreesToTracking():
                    tests.append(_AGREES_TO_TRACKING)
                case _:
                    tests.append(condition_sql(test, binder))
        return " AND ".join(tests) or "TRUE"

    def _table(self, place: int, rule: Lookup) -> _Table:
        numbers = {key: self._weigh(place, value) for key, value in rule.table.items()}
        return _Table(place, rule.key, numbers, self._weigh(place, rule.otherwise))

    def _weigh(self, place: int, value: str) -> int:
        """Return the term that a value of an axis adds to the number of a part: its index times the axis's weight."""
        return self._weights[place] * self._axes[place].values.index(value)


def _ranked(rule: FirstOpen, stated: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """Return the stated keys by their list of values, without those that get `otherwise` in any case.

    Hundreds of languages have only a few lists, so the SQL for them stays short.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for key in stated:
        values = rule.ranked(key)
        if values and (values[0] != rule.otherwise or rule.barred.get(values[0])):
            found.setdefault(values, []).append(key)
    return found
