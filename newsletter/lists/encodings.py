"""Find out in which encoding a list is written.

A byte order mark decides, and so does the pattern of zeros that UTF-16 shows without one. Otherwise a file that is
UTF-8 from its first byte to its last is UTF-8. What is left is an old encoding of one byte a letter: of those the two
that spreadsheets of western Europe and America write, Windows-1252 and Mac Roman, are told apart by where their letters
stand, and what was assumed is said, with words from the file to look at. Where the bytes fit neither, nothing is
guessed: whoever imports names the encoding.
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
# Those that can be named, as Python's codecs call them.
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
# Where Windows-1252 has signs rather than letters, Mac Roman has the accented letters that names use most.
_MAC_LETTERS = bytes({*range(0x80, 0xA0)} - {0x80, 0x85, *range(0x91, 0x98), 0x99})
_WINDOWS_LETTERS = bytes(range(0xC0, 0x100))
_UNUSED_IN_WINDOWS = b"\x81\x8d\x8f\x90\x9d"
_FULL_NAMES = {"cp1252": "Windows-1252", "mac-roman": "Mac Roman"}


class Encoding(Struct, frozen=True, kw_only=True):
    """The encoding of a list, and what has to be said about it."""

    codec: str  # as Python calls it; a mark at the beginning of the text is left for the reader to drop
    assumed: str = ""  # where it was judged by its letters: which it is taken for, and words to check that by

    @classmethod
    def named(cls, name: str) -> "Encoding":
        """Return the encoding that somebody names; raise InputError where there is none of that name."""
        try:
            codec = codecs.lookup(name.strip()).name
        except (LookupError, ValueError):
            codec = ""
        if codec not in _NAMED:
            close = difflib.get_close_matches(name.lower(), sorted(_NAMED), n=1)
            remedy = f"did you mean {close[0]}?" if close else "write one such as utf-8, utf-16, cp1252 or shift_jis"
            raise InputError(f"--encoding {name}: there is no encoding of that name; {remedy}")
        return cls(codec=codec)


def find_encoding(path: Path) -> Encoding:
    """Return the encoding of a file; raise MistakesError where it cannot be told."""
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
    """Recognize UTF-16 without a mark: every other byte of mostly plain letters is zero."""
    pairs = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if pairs and odd > 0.7 * pairs and even == 0:
        return "utf-16-le"
    return "utf-16-be" if pairs and even > 0.7 * pairs and odd == 0 else ""


def _first_byte_not_utf8(path: Path) -> int | None:
    """Return the offset of the first byte that is not UTF-8; None where all of the file is."""
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
    """Which bytes beyond ASCII a file has, and how they stand together."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.runs = 0  # of such bytes without another between them
        self.pairs = 0  # runs of two or more
        self.longer = 0  # runs of three or more
        self.utf8 = 0  # runs that are letters of UTF-8
        self.amid_words = 0  # bytes that are signs in western encodings, and stand between letters
        self.samples: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """Count the letters of a piece of the file."""
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
        """Whether such letters stand alone among plain ones, as they do in western European names."""
        return self.pairs * 2 <= self.runs and self.longer * 4 <= self.runs and self.amid_words * 10 <= self.runs

    @property
    def are_of_a_mac(self) -> bool:
        """Whether they are where Mac Roman, rather than Windows-1252, has letters."""
        mac, windows = (sum(self.counts[byte] for byte in letters) for letters in (_MAC_LETTERS, _WINDOWS_LETTERS))
        return mac > windows or any(self.counts[byte] for byte in _UNUSED_IN_WINDOWS)


def _by_letters(path: Path, bad: int) -> Encoding:
    """Judge an encoding of one byte per letter by which bytes there are; raise MistakesError where none fits.

    `bad` is the place of the first byte that is not UTF-8.
    """
    letters, position, ends = _Letters(), 0, 0
    for chunk in _chunks(path):
        letters.add(chunk)
        before = chunk[: max(bad - position, 0)]
        ends += before.count(b"\n") or before.count(b"\r")
        position += len(chunk)
    if letters.utf8:
        raise mistake(path, ends + 1, "other lines are UTF-8, and a byte in this one is not", _SAVE_AGAIN)
    if not letters.are_western:
        raise mistake(path, ends + 1, "it is neither UTF-8 nor a western European encoding", _NAME_IT)
    codec = "mac-roman" if letters.are_of_a_mac else "cp1252"
    words = [word for line in letters.samples for word in _WORD.findall(line.decode(codec, "replace"))]
    shown = ", ".join(dict.fromkeys(words[:_SAMPLES])) or "its letters"
    return Encoding(codec=codec, assumed=f"{_FULL_NAMES[codec]} ({shown})")


_SAVE_AGAIN = "correct that line, save the file again as CSV UTF-8, or name its encoding (--encoding)"
_NAME_IT = (
    "in the spreadsheet choose to save a copy as CSV UTF-8, or name the encoding, for example --encoding cp1250 "
    "(central Europe), cp1251 (Cyrillic), shift_jis, gb18030"
)


def _is_utf8(run: bytes) -> bool:
    try:
        run.decode()
    except UnicodeDecodeError:
        return False
    return True


def mistake(path: Path, line: int | None, what: str, remedy: str) -> MistakesError:
    """Return the one thing that is wrong with a file, to be raised."""
    return MistakesError([Mistake(path=str(path), line=line, what=what, remedy=remedy)])


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
