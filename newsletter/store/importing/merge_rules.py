"""The rules of merging: what a person's cells are after a row of a list, and when a row has nothing new.

The table of columns names a rule for each column. An import can also ask that the cells of some columns or attributes
replace what is recorded, even if they are empty.

All cells are texts as the database stores them, in the order of COLUMNS.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import orjson

from newsletter.model.audience import tags_in, tags_text
from newsletter.model.columns import COLUMN_NAMES, COLUMNS, NOW, MergeRule, SubscriberColumn

MARK = "\x1f"  # ASCII's unit separator joins the cells of a row, because no cell contains control characters
_CONSENT = COLUMN_NAMES.index("consented_at")


class MergeRules:
    """The rules of one import. `replaced` are the columns and attributes whose cells replace what is recorded."""

    def __init__(self, replaced: AbstractSet[str] = frozenset()) -> None:
        self._attributes = frozenset(replaced) - {*COLUMN_NAMES}
        self._rules = tuple(self._rule_of(column, is_replaced=column.name in replaced) for column in COLUMNS)
        changing = {*replaced, *(["attributes"] if self._attributes else [])}
        self._silent = {f"no_{name}": MARK if name in changing else "" for name in COLUMN_NAMES}

    @property
    def says_nothing(self) -> Mapping[str, str]:
        """Return, as a parameter of the queries for each column, the cell that says nothing about a person.

        A row changes nothing if each of its cells says nothing or equals the stored one. The empty cell says nothing,
        unless the column is replaced. Then no cell does, because no cell is the mark.
        """
        return self._silent

    def merged(self, known: Sequence[str], row: Sequence[str]) -> tuple[str, ...]:
        """Return the cells to store after merging a row into the known cells.

        A consent is merged as a whole. A newer consent replaces the older one and all of its details. A consent with
        the same time completes or corrects the details. An older consent changes nothing.
        """
        consents = _Consents(known[_CONSENT], row[_CONSENT])
        return tuple(rule(before, cell, consents) for rule, before, cell in zip(self._rules, known, row, strict=True))

    def _rule_of(self, column: SubscriberColumn, *, is_replaced: bool) -> "_Rule":
        if column.merge is MergeRule.BY_NAME:
            return lambda known, row, _: _both_attributes(known, row, without=self._attributes)
        if not is_replaced:
            return _RULES[column.merge]
        if column.default == NOW:  # everyone has such a time, so it cannot be cleared
            return _RULES[MergeRule.NEWER]
        return lambda _known, row, _consents: row or column.default


class _Consents(NamedTuple):
    """The time of the stored consent and that of a row's consent. Each is empty if there is no consent."""

    known: str
    row: str


_Rule = Callable[[str, str, _Consents], str]


def _both_tags(known: str, row: str) -> str:
    return tags_text((*tags_in(known), *tags_in(row))) if row not in {"", known} else known


def _both_attributes(known: str, row: str, *, without: AbstractSet[str]) -> str:
    """Merge two JSON objects by name. If the row has nothing new, return the stored text unchanged.

    The attributes in `without` are only kept if the row has them.
    """
    if row == known or (not row and not without):
        return known
    before = orjson.loads(known)
    after = {name: text for name, text in before.items() if name not in without} | orjson.loads(row or "{}")
    return known if after == before else orjson.dumps(after).decode()


def _of_consent(known: str, row: str, consents: _Consents) -> str:
    if consents.row > consents.known:
        return row
    return row or known if consents.row == consents.known else known


_RULES: Mapping[MergeRule, _Rule] = {
    MergeRule.NEWER: lambda known, row, _: row or known,
    MergeRule.UNION: lambda known, row, _: _both_tags(known, row),
    MergeRule.EARLIER: lambda known, row, _: min(known, row or known),
    MergeRule.CONSENT: lambda known, row, _: max(known, row),
    MergeRule.OF_CONSENT: _of_consent,
    MergeRule.WITHOUT_CONSENT: lambda known, row, consents: known if consents.known else row or known,
}
