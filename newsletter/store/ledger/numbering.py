"""Numbers the parts of a segment, in SQL and back: a part is the people of one readership who go by one clock.

The number is written like the digits of a clock face or a date, in a mixed radix. Each axis is a digit that says which
of the axis's values somebody has, `axis.values[digit]`; the clock is the last digit. A digit counts as many times as
there are combinations of all digits before it:

    number = digit of axis 0
           + digit of axis 1 * len(values of axis 0)
           + digit of axis 2 * len(values of axis 0) * len(values of axis 1)
           + ...
           + number of the clock * (the lengths of all axes multiplied)

So one expression sorts a million people, and nothing outside this module knows how.
"""

from collections.abc import Mapping, Sequence
from math import prod
from types import MappingProxyType

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.model.axes import Axis, Case, Chosen, InSegment, Key, Lookup
from newsletter.model.readership import Readership
from newsletter.model.segment import Condition
from newsletter.store.database import Connection
from newsletter.store.queries import change
from newsletter.store.segment_sql import Binder, compose, condition_sql

_CREATE_LOOKUP = change("freeze", "create_lookup")
_COLLECT_MEMBERS = change("freeze", "collect_members")
_LARGEST = 2**63  # what an engine can count with
# To find a domain after the last @ costs twice as much as after the first, so it is done for quoted addresses alone.
_AFTER_FIRST_AT = "substr(s.person, instr(s.person, '@') + 1)"
_AFTER_LAST_AT = "substr(s.person, length(rtrim(s.person, replace(s.person, '@', ''))) + 1)"
_KEYS = {
    Key.DOMAIN: f"CASE instr({_AFTER_FIRST_AT}, '@') WHEN 0 THEN {_AFTER_FIRST_AT} ELSE {_AFTER_LAST_AT} END",
    Key.TIMEZONE: "s.timezone",
}


class _Table(Struct, frozen=True):
    """Numbers that are looked up in the temporary table `lookup`, where each table has an id of its own."""

    id: int
    key: Key
    numbers: Mapping[str, int]
    otherwise: int

    @property
    def join(self) -> str:
        """SQL that finds the row of each subscriber, at most one."""
        return f"LEFT JOIN lookup AS l{self.id} ON l{self.id}.id = {self.id} AND l{self.id}.key = {_KEYS[self.key]}"

    @property
    def number(self) -> str:
        """SQL for the number that was found."""
        return f"coalesce(l{self.id}.number, {self.otherwise})"


class Numbering:
    """How the parts of one freeze are numbered.

    `segments` has the condition of each segment that an axis names. People go by one of `clocks`: by the one that
    `clock_of` has for the time zone that they state, or all by the first where it is empty.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        segments: Mapping[str, Condition],
        clocks: Sequence[str] = ("",),
        clock_of: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.clocks = clocks
        self._axes, self._segments = axes, segments
        self._weights = [prod(len(before.values) for before in axes[:place]) for place in range(len(axes) + 1)]
        self.count = self._weights[-1] * len(clocks)  # of the parts that there can be
        if self.count >= _LARGEST:
            raise InputError("the issue differs between too many segments; let fewer sections be `only:` for one")
        self._tables = {
            place: self._table(place, axis.rule) for place, axis in enumerate(axes) if isinstance(axis.rule, Lookup)
        }
        if clock_of:
            numbers = {stated: clocks.index(clock) * self._weights[-1] for stated, clock in clock_of.items()}
            self._tables[len(axes)] = _Table(len(axes), Key.TIMEZONE, numbers, 0)

    def collect(self, connection: Connection, segment: Condition) -> int:
        """Put the members of a segment into the temporary table `member`, each with the number of their part.

        Return how many they are.
        """
        _CREATE_LOOKUP(connection)
        rows = [(table.id, key, number) for table in self._tables.values() for key, number in table.numbers.items()]
        connection.load("lookup", rows)
        collect, values = compose(
            _COLLECT_MEMBERS,
            connection.dialect,
            segment=segment,
            pieces={
                ":number": self._part_sql,
                ":lookups": lambda _: " ".join(table.join for table in self._tables.values()),
            },
        )
        return collect(connection, **values)

    def clock(self, part: int) -> str:
        """Return the zone by whose clock the people of a part go; empty where all go by one."""
        return self.clocks[part // self._weights[-1]]

    def readership(self, part: int) -> Readership:
        """Return the readership of the people of a part."""
        values: dict[str, str] = {}
        for axis in self._axes:
            part, digit = divmod(part, len(axis.values))
            values[axis.name] = axis.values[digit]
        return Readership.of(values)

    def _part_sql(self, binder: Binder) -> str:
        numbers = [self._number_sql(place, binder) for place in range(len(self._axes))]
        clock = self._tables.get(len(self._axes))
        # PostgreSQL adds small numbers in 32 bits, and fails where the sum takes more, unless the first one has 64.
        return " + ".join(["CAST(0 AS BIGINT)", *numbers, *([clock.number] if clock else [])])

    def _number_sql(self, place: int, binder: Binder) -> str:
        """Return SQL for what an axis adds to the number of a part."""
        rule = self._axes[place].rule
        if isinstance(rule, Lookup):
            return self._tables[place].number
        otherwise = str(self._weigh(place, rule.otherwise))
        cases = [f"WHEN {self._case_sql(case, binder)} THEN {self._weigh(place, case.value)}" for case in rule.cases]
        return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise

    def _case_sql(self, case: Case, binder: Binder) -> str:
        tests = []
        for test in case.tests:
            match test:
                case InSegment(name):
                    tests.append(condition_sql(self._segments[name], binder))
                case Chosen(axis, value):
                    place = next(place for place, each in enumerate(self._axes) if each.name == axis)
                    tests.append(f"({self._number_sql(place, binder)}) = {self._weigh(place, value)}")
                case _:
                    tests.append(condition_sql(test, binder))
        return " AND ".join(tests) or "TRUE"

    def _table(self, place: int, rule: Lookup) -> _Table:
        numbers = {key: self._weigh(place, value) for key, value in rule.table.items()}
        return _Table(place, rule.key, numbers, self._weigh(place, rule.otherwise))

    def _weigh(self, place: int, value: str) -> int:
        """Return what a value of an axis adds to the number of a part."""
        return self._weights[place] * self._axes[place].values.index(value)
