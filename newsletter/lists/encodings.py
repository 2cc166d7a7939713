"""Detect the encoding of a list.

A byte order mark identifies the encoding, and so do the zeros in UTF-16 without a mark. Otherwise, a file that is valid
UTF-8 from start to end is UTF-8. The remaining files use old encodings with one byte per letter, which their words tell
apart (`readings.py`). The guess is reported with words from the file, so that a person can check it. If the words do
not tell, the user must name the encoding.
"""

import codecs
import difflib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.lists.readings import EncodingReading, readings_of

_CHUNK = 1 << 20
_SAMPLES = 3
_LEAST_ASCII = 0.2  # of the characters of a list
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
cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp737 cp850 cp852 cp857 cp866 cp874
iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-13
iso8859-14 iso8859-15 iso8859-16 mac-roman mac-latin2 mac-cyrillic mac-greek mac-turkish koi8-r koi8-u
shift_jis cp932 euc_jp iso2022_jp gbk gb18030 big5 euc_kr cp949
"""
_NAMED = frozenset(_NAMES.split())
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# It begins only where a word begins. If it could begin at each letter, a long word would take quadratic time.
_HIGH_WORD = re.compile(rb"(?<![A-Za-z\x80-\xff])[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_MOST_WORDS = 2000
_MOST_BYTES = 40_000  # of all these words; judging them takes about 0.1 ms per byte
_LONGEST_BYTES = 400  # of one word; what follows does not help to tell encodings apart
_LONGEST_WORD = 40  # characters of a word that a message shows
_WESTERN = "cp1252"  # if the words do not tell, it is the most likely one
_FULL_NAMES = {"mac-roman": "Mac Roman"}


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
    return Encoding(codec="utf-8") if bad is None else _by_words(path, bad)


def _by_zeros(head: bytes) -> str:
    """Return the codec of UTF-16 without a mark, or an empty text. Only there does text contain zeros.

    A list has separators, line ends and addresses in ASCII, so the right order of bytes gives more ASCII characters.
    """
    if 0 not in head:
        return ""
    texts = {codec: head.decode(codec, "replace") for codec in ("utf-16-le", "utf-16-be")}
    codec = max(texts, key=lambda codec: sum(map(str.isascii, texts[codec])))
    text = texts[codec]
    return codec if "\0" not in text and sum(map(str.isascii, text)) > len(text) * _LEAST_ASCII else ""


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


class _Words:
    """The words with bytes beyond ASCII in a file, and whether some of these bytes are UTF-8."""

    def __init__(self) -> None:
        self.has_utf8 = False
        self.words: dict[bytes, None] = {}  # in their order
        self._bytes = 0  # of all words

    def add(self, chunk: bytes) -> None:
        """Collect the words in a piece of the file."""
        self.has_utf8 = self.has_utf8 or any(map(_is_utf8, _HIGH_RUN.findall(chunk)))
        for match in _HIGH_WORD.finditer(chunk):
            if len(self.words) >= _MOST_WORDS or self._bytes >= _MOST_BYTES:
                break
            word = match[0][:_LONGEST_BYTES]
            if word not in self.words:
                self.words[word] = None
                self._bytes += len(word)


def _by_words(path: Path, bad: int) -> Encoding:
    """Return the encoding with one byte per letter in which the file has words of a language.

    `bad` is the offset of the first byte that is not UTF-8. Raise MistakesError if no encoding fits, if several fit
    equally well, or if other bytes show that the file is UTF-8.
    """
    found, position, ends = _Words(), 0, 0
    for chunk in _chunks(path):
        found.add(chunk)
        before = chunk[: max(bad - position, 0)]
        ends += before.count(b"\n") or before.count(b"\r")
        position += len(chunk)
    if found.has_utf8:
        raise mistake(
            path,
            ends + 1,
            "a character in this line is damaged: the line is not UTF-8, but others are",
            _SAVE_AGAIN,
        )
    words = list(found.words)[:_MOST_WORDS]
    possible = readings_of(words)
    western = next((reading for reading in possible if reading.codec == _WESTERN), None)
    if not possible or (len(possible) > 1 and western is None):
        raise mistake(
            path, ends + 1, "it is not clear in which encoding the file was saved", _question(possible, words)
        )
    best = western or possible[0]
    others = [reading for reading in possible if reading is not best]
    also = f", although it could also be {_told(others[0], besides=best)}" if others else ""
    return Encoding(codec=best.codec, assumed=f"{_told(best)}{also}")


def _told(reading: EncodingReading, *, besides: EncodingReading | None = None) -> str:
    """Return the name of an encoding, with some words as it reads them, if possible such that `besides` differs."""
    texts = [text for place, text in enumerate(reading.words) if not besides or text != besides.words[place]]
    return f"{_full_name(reading.codec)} ({_some_words(texts)})"


def _some_words(texts: Sequence[str]) -> str:
    words = dict.fromkeys(word for text in texts for word in _WORD.findall(text))
    shown = (word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}…" for word in [*words][:_SAMPLES])
    return ", ".join(shown) or "its letters"


def _full_name(codec: str) -> str:
    windows = re.fullmatch(r"cp(125\d)", codec)
    return f"Windows-{windows[1]}" if windows else _FULL_NAMES.get(codec, codec)


def _question(possible: Sequence[EncodingReading], words: Sequence[bytes]) -> str:
    """Return what to do about an unknown encoding: a choice of readings if there are any."""
    texts = {reading.codec: reading.words for reading in possible} or _east_asian(words)
    if not texts:
        return _NAME_IT
    choices = ", or ".join(f"--encoding {codec} ({_some_words(text)})" for codec, text in texts.items())
    return f"add the encoding whose words look right: {choices}"


def _east_asian(words: Sequence[bytes]) -> dict[str, Sequence[str]]:
    """Return the words as encodings with two bytes per character read them, if all of them can be read."""
    found: dict[str, Sequence[str]] = {}
    for codec in ("shift_jis", "gb18030", "euc_kr", "big5", "euc_jp"):
        with suppress(UnicodeDecodeError):
            texts = [word.decode(codec) for word in words]
            if all(sign.isalpha() for text in texts for sign in text if not sign.isascii()):
                found[codec] = texts
    return found


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
