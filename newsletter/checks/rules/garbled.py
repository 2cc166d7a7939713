"""Check of broken text: characters that were lost or changed on their way between programs, and invisible ones."""

import re
from collections.abc import Iterable, Iterator
from html.entities import html5

from newsletter.checks.base import CheckContext, Problem, error, remembered, rule
from newsletter.errors import Fix
from newsletter.model.typography import sign_that_turns

_REPLACED = re.compile("\N{REPLACEMENT CHARACTER}")
_INVISIBLE = "\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff"
# Two joiners or marks in a row say nothing; nor does a space without width inside a word of Latin letters. An emoji may
# contain one joiner at a time.
_HIDDEN = re.compile(rf"[{_INVISIBLE}]{{2,}}|\ufeff|(?<=[a-z])[\u200b\u2060\u2062-\u2064](?=[a-z])", re.IGNORECASE)
_TAG_LETTERS = re.compile(
    "(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+"
)  # flags begin with a black flag
# Text in a wrong encoding has such signs beside each other: one byte of a character, then another.
_PAIR = re.compile(r"[\u0080-\u009f\u00a1-\u00a9\u00ac\u00c0-\u02ff\u221a][\u0080-\u02ff\u2010-\u2265]|[\u0080-\u009f]")
_CONTROL = re.compile("[\u0080-\u009f]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|(?P<name>[A-Za-z][A-Za-z0-9]{1,30}));")
# What programs write instead of a character: =E2=80=99 and =20 in emails, \\u2019 in JSON, %20 in addresses.
_ENCODED = re.compile(
    r"(?:=[89A-F][0-9A-F]){2,}|(?<=[^\W\d_])=(?:20|3D|0D|0A)(?!\d)|\\u(?:[0-9a-fA-F]{4}|\{[0-9a-fA-F]{2,5}\})"
    r"|\\x[0-9a-fA-F]{2}|(?<!\d)%(?:20|2C|2F|3A|26|C3|E2)"
)
_OF_ADDRESSES = re.compile(r"[/?&@]|www\.")
_AROUND = re.compile(r"\S+")
_SIGN = re.compile(r"[&=%\\]")  # a text of ASCII without these signs is not broken
_TYPE_AGAIN = "type it again"
_Found = tuple[int, str, str, Fix | None]  # the position, what is wrong, what to do, and the exact edit if there is one


@rule("S19")
def check_broken_text(context: CheckContext) -> Iterable[Problem]:
    """Broken or invisible characters.

    The text must not contain characters that were changed when it was copied, such as “Weâ€™re”. Nor may it contain
    invisible ones, or ones that turn the order of letters around. Readers see nonsense, and spam filters suspect that
    the email hides something.
    """
    seen = _seen(context)
    for passage in context.sources.passages:
        if passage.text.isascii() and not _SIGN.search(passage.text):
            continue
        for position, what, remedy, fix in (*_first_of_each_line(passage.text), *_codes_seen(passage.text, seen)):
            yield error(passage.place_at(position), what, remedy, fix=fix)


def _seen(context: CheckContext) -> str:
    """Return everything that readers of some variant see, including the subject."""
    subjects = ("".join(variant.subject.parts) for variant in context.subject.rendered.variants)
    return "\n".join([*subjects, *(line for document in context.documents for line in document.lines)])


@remembered
def _first_of_each_line(text: str) -> Iterator[_Found]:
    """Yield at most one problem of each kind per line, except codes of HTML."""
    start = 0
    for line in text.split("\n"):
        for position, what, remedy, fix in _problems_of(line):
            yield start + position, what, remedy, fix
        start += len(line) + 1


def _problems_of(line: str) -> Iterator[_Found]:
    if match := _REPLACED.search(line):
        what = f"a character of “{_word_at(line, match.start())}” was lost when the text was copied"
        yield match.start(), what, _TYPE_AGAIN, None
    if match := sign_that_turns(line):
        what = f"an invisible character (U+{ord(match[0]):04X}) turns the order of the letters around"
        yield match.start(), what, f"delete it, or {_TYPE_AGAIN}: {_shown(line, match.start())}", None
    if (match := _HIDDEN.search(line)) or (match := _TAG_LETTERS.search(line)):
        what = f"“{_shown(line, match.start())}” contains invisible characters"
        fix = Fix(old=match[0], new="")
        yield match.start(), what, f"delete them, or {_TYPE_AGAIN}: {_shown(line, match.start())}", fix
    if broken := _mojibake(line):
        position, word, right = broken
        what = f"“{word}” was changed when the text was copied"
        remedy = f"write “{right}”" if right != word else _TYPE_AGAIN
        yield position, what, remedy, Fix(old=word, new=right) if right != word else None
    for match in _ENCODED.finditer(line):
        if not _OF_ADDRESSES.search(_word_at(line, match.start())):
            what = f"“{_word_at(line, match.start())}” contains the code {match[0]} instead of a character"
            yield match.start(), what, "write the character itself, or mark the code as literal with `…`", None
            return


def _codes_seen(text: str, seen: str) -> Iterator[_Found]:
    """Yield the first code of HTML in each line that readers would see."""
    start = 0
    for line in text.split("\n") if "&" in text else ():
        for match in _ENTITY.finditer(line):
            if match[0] in seen and (match["name"] is None or f"{match['name']};" in html5):
                what = f"readers would see {match[0]}, which is HTML code for a character"
                remedy = "write the character itself, or mark the code as literal with `…`"
                yield start + match.start(), what, remedy, None
                break
        start += len(line) + 1


def _mojibake(line: str) -> tuple[int, str, str] | None:
    """Return text that was decoded with the wrong encoding: its position, its word, and the word as it should be."""
    if not _PAIR.search(line):
        return None
    from ftfy import fix_encoding  # its tables take as long to load as a rebuild of the email
    from ftfy.badness import BADNESS_RE

    match = BADNESS_RE.search(line) or _CONTROL.search(line)
    if match is None:
        return None
    word = _word_at(line, match.start())
    return match.start(), word, fix_encoding(word)


def _word_at(line: str, position: int) -> str:
    return next((match[0] for match in _AROUND.finditer(line) if match.start() <= position < match.end()), "")


def _shown(line: str, position: int) -> str:
    """Return the word at a position without its invisible characters, or the first words of the line."""
    word = _word_at(line, position) or line
    return re.sub(f"[{_INVISIBLE}\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", "", word)[:40]


RULES = (check_broken_text,)
