"""Which columns a claim reads for the fields that the messages need, and how rows become claimed deliveries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import repeat

import orjson

from newsletter.model.columns import COLUMNS
from newsletter.model.ledger import ClaimedDelivery
from newsletter.store.database import Row

_IN_EVERY_ROW = ("", "email", "first_name", "last_name", "")  # subscriber and token are nothing that a field can name
_ON_DEMAND = tuple(column.name for column in COLUMNS if column.is_field and column.name not in _IN_EVERY_ROW)
_ATTRIBUTES = "attributes"
# A tuple as it is, made a delivery: `_make` would ask for the length of each, a million times.
_as_delivery = partial(tuple.__new__, ClaimedDelivery)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns that are read besides those of every row, for fields in an order of their own."""

    fields: tuple[str, ...]
    extra: tuple[str, ...]  # names of ours: what a user wrote never becomes part of a query

    @property
    def sql(self) -> str:
        """Return what the list of columns goes on with."""
        return "".join(f", s.{name}" for name in self.extra)

    def deliveries(self, rows: Sequence[Row]) -> tuple[ClaimedDelivery, ...]:
        """Return one delivery a row; at least one row. Taken by columns, which takes half as long as by rows."""
        columns = tuple(zip(*rows, strict=True))
        values = self._values(columns)
        return tuple(map(_as_delivery, zip(*columns[: len(_IN_EVERY_ROW)], values, strict=False)))

    def _values(self, columns: Sequence[Sequence[str]]) -> Iterable[tuple[str, ...]]:
        if not self.fields:
            return repeat(())
        found = {name: column for name, column in zip((*_IN_EVERY_ROW, *self.extra), columns, strict=False) if name}
        texts = found.pop(_ATTRIBUTES, ())
        attributes = [orjson.loads(text) for text in texts]
        return zip(
            *[
                found[name] if name in found else [values.get(name, "") for values in attributes]
                for name in self.fields
            ],
            strict=True,
        )


@lru_cache
def columns_of(fields: tuple[str, ...]) -> Columns:
    """Return the columns for fields: a column of the list by its name, anything else from the attributes."""
    extra = [name for name in _ON_DEMAND if name in fields]
    if not {*_IN_EVERY_ROW, *_ON_DEMAND}.issuperset(fields):
        extra.append(_ATTRIBUTES)
    return Columns(fields=fields, extra=tuple(extra))
