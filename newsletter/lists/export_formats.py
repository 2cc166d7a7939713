"""Recognize the lists that other newsletter tools export, as export_formats.toml describes them."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from msgspec import Struct

LEFT_OUT = ""  # where a column goes that is not taken
JSON = "json"  # a column that holds further attributes, as a JSON object

ANYTHING = "*"  # any value at all
# Why somebody must not be mailed, in words.
BOUNCED = "bounced"
COMPLAINED = "complained about a mail"
NOT_CONFIRMED = "not confirmed"

_YES = ("true", "yes", "1", "y")


class StatusColumn(Struct, frozen=True, kw_only=True):
    """A column that may say that somebody must not be mailed."""

    name: str
    reasons: Mapping[str, str]  # the values, in lower case, that say so; why the row is not taken
    mailed: frozenset[str] | None = None  # the values of somebody who is mailed; None: all others
    is_free: bool = False  # other values may stand there too, and say nothing about mail

    def reason_of(self, cell: str) -> str:
        """Return why somebody with this value must not be mailed; empty where it says nothing against it."""
        said = cell.lower()
        return self.reasons.get(said) or (self.reasons.get(ANYTHING, "") if said else "")

    def is_unknown(self, cell: str) -> bool:
        """Return whether a value says neither that somebody is mailed nor that they must not be."""
        return bool(cell) and self.mailed is not None and cell.lower() not in self.mailed and not self.reason_of(cell)


class ExportFormat(Struct, frozen=True, kw_only=True):
    """What a tool writes."""

    tool: str
    known_by: tuple[tuple[str, ...], ...]  # any of these sets of columns, all of them there
    columns: Mapping[str, tuple[str, ...]]  # its name → ours (several where it means several), LEFT_OUT, or JSON
    status: tuple[StatusColumn, ...] = ()
    is_day_first: bool | None = None  # in dates of three numbers; None: as they say themselves


def _status(told: Mapping[str, Any]) -> StatusColumn:
    """Return a column that export_formats.toml describes."""
    reasons = {word: reason for reason, words in told.get("reasons", {}).items() for word in words}
    if "anything" in told:
        reasons[ANYTHING] = told["anything"]
    if "if_yes" in told:
        reasons |= dict.fromkeys(_YES, told["if_yes"])
    return StatusColumn(
        name=told["name"],
        reasons=reasons,
        mailed=frozenset(told["mailed"]) if "mailed" in told else None,
        is_free=told.get("is_free", False),
    )


def _format(told: Mapping[str, Any]) -> ExportFormat:
    """Return a format that export_formats.toml describes."""
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
OWN = _format(_TOLD["own"])  # a list of one's own, or of a tool that is not known
SYNONYMS = OWN.columns  # what our columns are called elsewhere, whatever the tool
FORMATS = tuple(map(_format, _TOLD["format"]))
# What `subscribers export` writes: nothing in it is called by another name, or says that somebody left.
OUR_EXPORT = ExportFormat(tool="", known_by=(("email", "consented_at", "consent_basis"),), columns={})


def letters_of(name: str) -> str:
    """Return the letters and digits of a column's name, so that `E-Mail Address` and `email_address` are the same."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


def recognise(names: frozenset[str]) -> ExportFormat:
    """Return the format that has these columns, given by their letters."""
    by_names = ((found, known) for found in (OUR_EXPORT, *FORMATS) for known in found.known_by)
    return next((found for found, known in by_names if names.issuperset(map(letters_of, known))), OWN)
