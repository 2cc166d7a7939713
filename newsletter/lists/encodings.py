"""Detect the encoding of a list.

A byte order mark identifies the encoding, and so does the pattern of zeros in UTF-16 without a mark. Otherwise, a file
that is valid UTF-8 from start to end is UTF-8. The remaining files use old encodings with one byte per letter. Western
spreadsheets write two of these, Windows-1252 and Mac Roman. The bytes of accented letters tell them apart, and the
guess is reported with words from the file, so that a person can check it. If the bytes fit neither, the user must name
the encoding.
"""

import codecs
import difflib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from newsletter.errors import InputError, Mistake, MistakesError

_CHUNK = 1 << 20
_SAMPLES = 3
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The encodings that a user can name, as the names of Python's codecs.
_NAMES = """
utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be ascii
cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp852 cp866 cp874
iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-13
iso8859-14 iso8859-15 iso8859-16 mac-roman mac-latin2 mac-cyrillic mac-greek mac-turkish koi8-r koi8-u
shift_jis cp932 euc_jp iso2022_jp gbk gb18030 big5 euc_kr cp949
"""
_NAMED = frozenset(_NAMES.split())
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_LETTER_BESIDE = re.compile(rb"[A-Za-z][\xa1-\xa9\xab-\xb6\xb8\xb9\xbb-\xbf](?=[a-z])")
_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
# These bytes are accented letters in Mac Roman, the ones that names use most, and signs in Windows-1252.
_MAC_LETTERS = bytes({*range(0x80, 0xA0)} - {0x80, 0x85, *range(0x91, 0x98), 0x99})
_WINDOWS_LETTERS = bytes(range(0xC0, 0x100))
_UNUSED_IN_WINDOWS = b"\x81\x8d\x8f\x90\x9d"
_FULL_NAMES = {"cp1252": "Windows-1252", "mac-roman": "Mac Roman"}


class Encoding(Struct, frozen=True, kw_only=True):
    """The encoding of a list, and whether it was guessed."""

    codec: str  # the name of Python's codec; a byte order mark at the beginning is dropped while reading
    assumed: str = ""  # if it was guessed: its name, and words from the file with which to check the guess

    @classmethod
    def named(cls, name: str) -> "Encoding":
        """Return the encoding with this name. Raise InputError if there is none."""
        try:
            codec = codecs.lookup(name.strip()).name
        except (LookupError, ValueError):
            codec = ""
        if codec not in _NAMED:
            close = difflib.get_close_matches(name.lower(), sorted(_NAMED), n=1)
            write = f"write --encoding {close[0]}" if close else "write a name such as --encoding cp1252 (Windows)"
            remedy = f"{write}, or leave out --encoding to have it detected"
            raise InputError(f"--encoding: {name!r} is not the name of an encoding; {remedy}")
        return cls(codec=codec)


def find_encoding(path: Path) -> Encoding:
    """Return the encoding of a file. Raise MistakesError if it cannot be determined."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return Encoding(codec=codec)
    if codec := _by_zeros(head):
        return Encoding(codec=codec)
    bad = _first_byte_not_utf8(path)
    return Encoding(codec="utf-8") if bad is None else _by_letters(path, bad)


def _by_zeros(head: bytes) -> str:
    """Return the codec of UTF-16 without a mark, in which every other byte of plain text is zero, or an empty text."""
    pairs = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if pairs and odd > 0.7 * pairs and even == 0:
        return "utf-16-le"
    return "utf-16-be" if pairs and even > 0.7 * pairs and odd == 0 else ""


def _first_byte_not_utf8(path: Path) -> int | None:
    """Return the offset of the first byte that is not UTF-8, or None if the whole file is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    for chunk in _chunks(path):
        pending = len(decoder.getstate()[0])
        try:
            if pending or not chunk.isascii():
                decoder.decode(chunk)
        except UnicodeDecodeError as err:
            return position - pending + err.start
        position += len(chunk)
    pending = len(decoder.getstate()[0])
    return position - pending if pending else None


class _Letters:
    """Counts the bytes beyond ASCII in a file, and the runs that they form."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.runs = 0  # unbroken sequences of such bytes
        self.pairs = 0  # runs of two or more
        self.longer = 0  # runs of three or more
        self.utf8 = 0  # runs that are valid UTF-8
        self.amid_words = 0  # bytes between letters that are signs, not letters, in western encodings
        self.samples: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """Count the bytes of a piece of the file."""
        for run in _HIGH_RUN.findall(chunk):
            self.runs += 1
            self.pairs += len(run) > 1
            self.longer += len(run) > 2
            self.utf8 += _is_utf8(run)
            self.counts.update(run)
        self.amid_words += len(_LETTER_BESIDE.findall(chunk))
        if len(self.samples) < _SAMPLES:
            self.samples += [line for line in chunk.splitlines() if not line.isascii()][:_SAMPLES]

    @property
    def are_western(self) -> bool:
        """Whether these bytes mostly appear singly among plain letters, as in western European names."""
        return self.pairs * 2 <= self.runs and self.longer * 4 <= self.runs and self.amid_words * 10 <= self.runs

    @property
    def are_of_a_mac(self) -> bool:
        """Whether the bytes are letters in Mac Roman rather than in Windows-1252."""
        mac, windows = (sum(self.counts[byte] for byte in letters) for letters in (_MAC_LETTERS, _WINDOWS_LETTERS))
        return mac > windows or any(self.counts[byte] for byte in _UNUSED_IN_WINDOWS)


def _by_letters(path: Path, bad: int) -> Encoding:
    """Return the encoding with one byte per letter that fits the bytes in the file.

    `bad` is the offset of the first byte that is not UTF-8. Raise MistakesError if no encoding fits, or if other bytes
    show that the file is UTF-8.
    """
    letters, position, ends = _Letters(), 0, 0
    for chunk in _chunks(path):
        letters.add(chunk)
        before = chunk[: max(bad - position, 0)]
        ends += before.count(b"\n") or before.count(b"\r")
        position += len(chunk)
    if letters.utf8:
        raise mistake(
            path,
            ends + 1,
            "a character in this line is damaged: the line is not UTF-8, but others are",
            _SAVE_AGAIN,
        )
    if not letters.are_western:
        raise mistake(path, ends + 1, "the encoding of this file cannot be detected", _NAME_IT)
    codec = "mac-roman" if letters.are_of_a_mac else "cp1252"
    words = [word for line in letters.samples for word in _WORD.findall(line.decode(codec, "replace"))]
    shown = ", ".join(dict.fromkeys(words[:_SAMPLES])) or "its letters"
    return Encoding(codec=codec, assumed=f"{_FULL_NAMES[codec]} ({shown})")


_SAVE_AGAIN = "open the file in a spreadsheet, correct the line, and save it as CSV UTF-8"
_NAME_IT = (
    "open it in a spreadsheet and save a copy as CSV UTF-8, or add --encoding cp1250 (central Europe), "
    "--encoding cp1251 (Cyrillic), --encoding shift_jis (Japanese) or --encoding gb18030 (Chinese)"
)


def _is_utf8(run: bytes) -> bool:
    try:
        run.decode()
    except UnicodeDecodeError:
        return False
    return True


def mistake(path: Path, line: int | None, what: str, remedy: str) -> MistakesError:
    """Return an error to raise, with one mistake in a file."""
    return MistakesError([Mistake(path=str(path), line=line, what=what, remedy=remedy)])


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
