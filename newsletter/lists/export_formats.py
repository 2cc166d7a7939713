"""Recognize lists exported by other newsletter tools, whose formats are described in export_formats.toml."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Any

from msgspec import Struct

LEFT_OUT = ""  # the target of a column that is not imported
JSON = "json"  # a column with further attributes, as a JSON object

ANYTHING = "*"  # stands for any value

_YES = ("true", "yes", "1", "y")


class Status(StrEnum):
    """Why someone must not be emailed according to a list. The values are the names in export_formats.toml."""

    UNSUBSCRIBED = "unsubscribed"
    REMOVED = "removed"
    DELETED = "deleted"
    DISABLED = "disabled"
    BLOCKED = "blocked"
    BLOCKLISTED = "blocklisted"  # what some tools call blocked
    BOUNCED = "bounced"
    COMPLAINED = "complained"  # reported an email as spam
    NOT_CONFIRMED = "not_confirmed"  # never answered the email that asked for a confirmation
    TURNED_OFF = "turned_off"  # still reads on the web

    @property
    def told(self) -> str:
        """The status as part of a sentence about a row."""
        return _SENTENCES.get(self, self.value)


_SENTENCES = {
    Status.COMPLAINED: "complained about an email",
    Status.NOT_CONFIRMED: "not confirmed",
    Status.TURNED_OFF: "email was turned off",
}


class StatusColumn(Struct, frozen=True, kw_only=True):
    """A column whose values may say that someone must not be emailed."""

    name: str
    reasons: Mapping[str, Status]  # value in lowercase → why the row is not imported
    mailed: frozenset[str] | None = None  # the values of people who may be emailed; None: all others
    is_free: bool = False  # whether it may contain other values, which say nothing about email

    def reason_of(self, cell: str) -> Status | None:
        """Return why someone with this value must not be emailed, or None if there is no reason."""
        said = cell.lower()
        return self.reasons.get(said) or (self.reasons.get(ANYTHING) if said else None)

    def is_unknown(self, cell: str) -> bool:
        """Return whether a value does not tell whether someone may be emailed."""
        return bool(cell) and self.mailed is not None and cell.lower() not in self.mailed and not self.reason_of(cell)


class ExportFormat(Struct, frozen=True, kw_only=True):
    """The format of a tool's lists."""

    tool: str
    known_by: tuple[tuple[str, ...], ...]  # sets of column names; a list with all names of one set has this format
    columns: Mapping[str, tuple[str, ...]]  # name → the columns of ours that it fills, LEFT_OUT, or JSON
    status: tuple[StatusColumn, ...] = ()
    is_day_first: bool | None = None  # whether 1/2/2026 is the first of February; None: unknown


def _status(told: Mapping[str, Any]) -> StatusColumn:
    """Return a status column from its description in export_formats.toml."""
    reasons = {word: Status(reason) for reason, words in told.get("reasons", {}).items() for word in words}
    if "anything" in told:
        reasons[ANYTHING] = Status(told["anything"])
    if "if_yes" in told:
        reasons |= dict.fromkeys(_YES, Status(told["if_yes"]))
    return StatusColumn(
        name=told["name"],
        reasons=reasons,
        mailed=frozenset(told["mailed"]) if "mailed" in told else None,
        is_free=told.get("is_free", False),
    )


def _format(told: Mapping[str, Any]) -> ExportFormat:
    """Return a format from its description in export_formats.toml."""
    columns = {name: tuple(fields) for name, fields in told["columns"].items()}
    columns |= dict.fromkeys(told.get("left_out", ()), (LEFT_OUT,)) | dict.fromkeys(told.get("json", ()), (JSON,))
    states = [{**_TOLD["status"], "name": name, "is_free": True} for name in told.get("states", ())]
    return ExportFormat(
        tool=told["tool"],
        known_by=tuple(map(tuple, told["known_by"])),
        columns=columns,
        status=tuple(map(_status, [*states, *told.get("status", ())])),
        is_day_first=told.get("is_day_first"),
    )


_TOLD = tomllib.loads((files("newsletter") / "lists" / "export_formats.toml").read_text("utf-8"))
OWN = _format(_TOLD["own"])  # your own list, or one from an unknown tool
SYNONYMS = OWN.columns  # other names for our columns, in any tool
FORMATS = tuple(map(_format, _TOLD["format"]))
# The format of `subscribers export`. Its columns have our names, and none says who unsubscribed.
OUR_EXPORT = ExportFormat(tool="", known_by=(("email", "consented_at", "consent_basis"),), columns={})


def letters_of(name: str) -> str:
    """Return the letters and digits of a column's name, so that `E-Mail Address` and `email_address` are equal."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


def recognize(names: frozenset[str]) -> ExportFormat:
    """Return the format of a list with these columns. The names must come from `letters_of`."""
    by_names = ((found, known) for found in (OUR_EXPORT, *FORMATS) for known in found.known_by)
    return next((found for found, known in by_names if names.issuperset(map(letters_of, known))), OWN)
