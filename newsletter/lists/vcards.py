"""Read contacts from a vCard file (`.vcf`), which is the only form in which Apple's Contacts exports them.

Only the address, the name and the categories of a card are read (RFC 6350, RFC 2426, and version 2.1, which phones
write). A card becomes a row of the columns in `COLUMNS`.
"""

import quopri
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from newsletter.errors import FaultError
from newsletter.lists.cells import on_one_line
from newsletter.lists.encodings import Encoding
from newsletter.lists.list_columns import ListHeader
from newsletter.lists.tables import Misfit, Rows
from newsletter.lists.tags import cell_with_tags
from newsletter.lists.text_blocks import read_blocks
from newsletter.model.audience import normal_tag

COLUMNS = ("email", "first_name", "last_name", "tags")
_CUT_OFF = FaultError("the file ends within this card", "export the contacts again")
_BEGIN, _END = "BEGIN:VCARD", "END:VCARD"
_FOLD = re.compile(r"\n[ \t]")  # a line that begins with a space continues the one before
_SPLIT = {sign: re.compile(rf"(?<!\\){sign}") for sign in ",;"}
_ESCAPED = re.compile(r"\\(.)")
_PREFERRED = re.compile(r"(?:TYPE=)?\"?(?:.*,)?PREF\"?(?:,.*)?|PREF=1", re.I)
_CHARSET = re.compile(r"CHARSET=(.+)", re.I)


class _Property(NamedTuple):
    """One line of a card, for example `item1.EMAIL;type=pref:ana@example.org`."""

    name: str  # in capitals, without the group
    parameters: Sequence[str]
    value: str


def is_vcard(path: Path, encoding: Encoding) -> bool:
    """Return whether a file begins like a vCard."""
    with path.open("rb") as file:
        head = file.read(256).decode(encoding.codec, "replace")
    return head.lstrip("\ufeff \t\r\n").upper().startswith(_BEGIN)


def read_cards(path: Path, encoding: Encoding, header: ListHeader) -> Iterator[Rows]:
    """Yield the cards of a file as rows, reading them on demand. `header` must have the columns in COLUMNS.

    Groups are skipped. A card that the file ends in is rejected, because it may be incomplete.
    """
    card: list[str] = []
    begin = 0
    for block in read_blocks(path, encoding):
        lines: list[int] = []
        rows: list[Sequence[str]] = []
        for number, line in enumerate(block.text.split("\n"), start=block.first_line):
            mark = line.strip().upper()
            if mark == _BEGIN:
                card, begin = [], number
            elif mark == _END and begin:
                if cells := _cells(list(_properties(card))):
                    lines.append(begin)
                    rows.append(cells)
                begin = 0
            elif begin:
                card.append(line)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
        misfits = [Misfit(line=begin, email="", fault=_CUT_OFF)] if begin and block.is_last else []
        yield Rows(header=header, lines=lines, columns=columns, misfits=misfits, bytes_read=block.bytes_read)


def _properties(card: Sequence[str]) -> Iterator[_Property]:
    lines = iter(_FOLD.sub("", "\n".join(card)).split("\n"))
    for line in lines:
        head, colon, value = line.partition(":")
        name, *parameters = head.split(";")
        if _is_quoted(parameters):
            while value.endswith("="):  # the value continues on the next line
                value = value[:-1] + next(lines, "")
        if colon:
            yield _Property(name.rpartition(".")[2].upper(), parameters, _decoded(value, parameters))


def _is_quoted(parameters: Sequence[str]) -> bool:
    return any("QUOTED-PRINTABLE" in each.upper() for each in parameters)


def _decoded(value: str, parameters: Sequence[str]) -> str:
    if not _is_quoted(parameters):
        return value
    charset = next((match[1] for each in parameters if (match := _CHARSET.fullmatch(each))), "utf-8")
    try:
        return quopri.decodestring(value.encode()).decode(charset, "replace")
    except LookupError:
        return value


def _cells(properties: Sequence[_Property]) -> Sequence[str]:
    """Return a card as a row, or nothing if it is a group."""
    if any(each.name in {"KIND", "X-ADDRESSBOOKSERVER-KIND"} and each.value.lower() == "group" for each in properties):
        return ()
    emails = [each for each in properties if each.name == "EMAIL" and each.value.strip()]
    preferred = [each for each in emails if any(map(_PREFERRED.fullmatch, each.parameters))]
    address = next((on_one_line(each.value).removeprefix("mailto:") for each in (*preferred, *emails)), "")
    last, first = ([*_parts(_first(properties, "N"), ";"), "", ""])[:2]
    tags = {normal_tag(tag) for each in properties if each.name == "CATEGORIES" for tag in _parts(each.value, ",")}
    return address, first, last, cell_with_tags(sorted(filter(None, tags)))


def _first(properties: Sequence[_Property], name: str) -> str:
    return next((each.value for each in properties if each.name == name), "")


def _parts(value: str, separator: str) -> list[str]:
    """Return the parts of a value, without the backslashes that protect separators and line breaks."""
    meant = (
        _ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], part)
        for part in _SPLIT[separator].split(value)
    )
    return [on_one_line(part) for part in meant]
