"""The one way in which a proof is written: JSON in UTF-8 with sorted keys, without spaces, and without fractions.

A file is read only if writing what was read gives the same bytes. So no text has two readings, and no byte of a file
can change without notice. Binary values are in Base64 (RFC 4648), under the same condition.
"""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TypeVar

from msgspec import ValidationError, convert, to_builtins

from newsletter.errors import InputError
from newsletter.system.file_errors import explained
from newsletter.system.files import size_of_file

Record = TypeVar("Record")


class NotAsWrittenError(ValueError):
    """The bytes are not what this program writes."""


def canonical(value: object) -> bytes:
    """Return a record, or plain data, in its one form. Raise ValueError for a text that is not Unicode."""
    plain = to_builtins(value)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def read_canonical(content: bytes, kind: type[Record]) -> Record:
    """Return what `canonical` wrote. Raise NotAsWrittenError for anything else."""
    try:
        found = convert(json.loads(content, parse_float=_refuse, parse_constant=_refuse), kind)
        if canonical(found) == content:
            return found
    except (ValueError, RecursionError, ValidationError) as err:
        raise NotAsWrittenError from err
    raise NotAsWrittenError


def _refuse(number: str) -> object:
    raise ValueError(number)


def as_text(value: bytes) -> str:
    """Return bytes in Base64."""
    return b64encode(value).decode()


def as_bytes(text: str, length: int) -> bytes:
    """Return the bytes of `as_text`. Raise NotAsWrittenError if they have another length or another spelling."""
    try:
        found = b64decode(text, validate=True)
    except ValueError as err:
        raise NotAsWrittenError from err
    if len(found) != length or as_text(found) != text:
        raise NotAsWrittenError
    return found


def read_bounded(path: Path, *, most: int) -> bytes:
    """Return the content of a file. Raise InputError if it cannot be read, or has more than `most` bytes."""
    try:
        size = size_of_file(path)
        if size > most:
            raise InputError(f"{path} has {size:,} bytes, too many for such a file; write the path of another file")
        return path.read_bytes()
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err
    except ValueError as err:
        raise InputError(f"{path} {err}") from err
