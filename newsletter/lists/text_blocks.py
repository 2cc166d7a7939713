"""Read a list as blocks of whole lines, so that memory use does not depend on its size."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from msgspec import Struct

from newsletter.errors import InputError, MistakesError
from newsletter.lists.encodings import Encoding, mistake
from newsletter.system.file_errors import explained

_CHUNK = 1 << 20  # bytes
_DOS_END = "\x1a"  # Ctrl-Z, which marks the end of a text file of DOS
LONGEST_LINE = 1 << 22  # characters; a longer line cannot be a row of a list

# Other kinds of files: their first bytes, a description, and what to do.
_AS_CSV = "export the list as CSV from the program that made this file, and use that file"
_NO_TEXT = (
    (
        b"PK\x03\x04",
        "it is a workbook (.xlsx, .ods, .numbers) or a zip archive",
        "{workbook}, or unpack the archive and use the CSV file in it",
    ),
    (b"\xd0\xcf\x11\xe0", "it is an Excel workbook (.xls)", "{workbook}"),
    (b"\x1f\x8b", "it is a compressed file (.gz)", "unpack it, and use the CSV file in it"),
    (b"%PDF", "it is a PDF", _AS_CSV),
    (b"SQLite format 3\0", "it is a database", _AS_CSV),
    (b"{", "it is JSON", _AS_CSV),
    (b"<", "it is a web page or XML", _AS_CSV),
)
_WORKBOOK = "open it in a spreadsheet, save a copy as CSV UTF-8, and use that copy"


class TextBlock(Struct, frozen=True, kw_only=True):
    """Whole lines of a file. Each ends in a line feed, whichever line ending the file uses."""

    text: str
    first_line: int
    bytes_read: int  # from the file so far
    is_last: bool
    is_open: bool = False  # whether the file ends without a line ending, so that its last line may be cut off


def require_text(path: Path) -> None:
    """Raise InputError if the path is not a readable file, and MistakesError if the file is not text."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; add the name of a CSV file in it, for example {path / 'list.csv'}")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not an ordinary file; save the list as a CSV file, and use that file")
    with _opened(path) as file:
        head = file.read(64)
    for magic, what, remedy in _NO_TEXT:
        if head.startswith(magic):
            raise mistake(path, None, what, remedy.format(workbook=_WORKBOOK))


def read_blocks(path: Path, encoding: Encoding) -> Iterator[TextBlock]:
    """Yield the blocks of a file. Raise MistakesError if a byte is not valid in the encoding, or a line is too long."""
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    line, unfinished = 1, ""
    with _opened(path) as file:
        is_last = False
        while not is_last:
            chunk = file.read(_CHUNK)
            is_last = len(chunk) < _CHUNK
            try:
                text = unfinished + decoder.decode(chunk, final=is_last)
            except UnicodeDecodeError as err:
                before = unfinished + err.object[: err.start].decode(encoding.codec, "replace")
                raise _not_decodable(path, line + _with_line_feeds(before).count("\n"), encoding) from err
            except UnicodeError as err:  # UTF-16 without its byte order mark
                raise _not_decodable(path, line, encoding) from err
            if is_last:
                text = text.rstrip(_DOS_END)
            end = len(text) if is_last else max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
            unfinished = text[end:]
            if len(unfinished) > LONGEST_LINE:
                raise too_long(path, line + _with_line_feeds(text[:end]).count("\n"))
            text = _with_line_feeds(text[:end])
            if line == 1:
                text = text.removeprefix("\ufeff")
            is_open = is_last and bool(text) and not text.endswith("\n")
            if is_open:
                text += "\n"
            if text or is_last:
                yield TextBlock(text=text, first_line=line, bytes_read=file.tell(), is_last=is_last, is_open=is_open)
            line += text.count("\n")


def too_long(path: Path, line: int) -> MistakesError:
    """Return an error to raise about a row that is too long for a list."""
    return mistake(
        path,
        line,
        f"the row that begins here has more than {LONGEST_LINE:,} characters",
        'add the missing quote " at the end of a cell, or choose another file',
    )


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere="choose another file"))) from err


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _not_decodable(path: Path, line: int, encoding: Encoding) -> MistakesError:
    return mistake(
        path,
        line,
        f"this line cannot be read with the encoding {encoding.codec}",
        "leave out --encoding to have it detected, or open the file in a spreadsheet and save it as CSV UTF-8",
    )
