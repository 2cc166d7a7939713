"""Where a line of the email must not break: inside the compound words of a title, and inside dates and times."""

import re

from markupsafe import Markup, escape

_WORD = re.compile(r"\S+")
_COMPOUND_HYPHEN = re.compile(r"(?<=[^\W_])-(?=[^\W_])")
_ADDRESS = re.compile(r"[/@]|\.\w")
# A longer word would not fit on one line of a phone, where large text then breaks it between two letters.
_LONGEST_COMPOUND = 20
_DASH = "[\N{EN DASH}\N{FULLWIDTH TILDE}\N{WAVE DASH}]"
# Between a number and a word (`25. Februar`, `8:00 am`), between a month and a day (`May 7`), and before a dash.
_PAIR = re.compile(
    rf"(?<=\d)[ \N{{THIN SPACE}}](?=[^\W\d_])|(?<=\d\.) (?=[^\W\d_])|(?<=[^\W\d_]) (?=\d{{1,2}}(?!\d))"
    rf"|[ \N{{THIN SPACE}}](?={_DASH})"
)
_RANGE = re.compile(rf"[\d:.]*\d{_DASH}\d(?:[\d:.]*\d)?")


def unbroken(title: str) -> str:
    """Return a title with no-break hyphens in words such as `5-Day`. Addresses and very long words are unchanged."""
    return _WORD.sub(lambda word: _unbroken_word(word[0]), title)


def whole_dates(text: str) -> Markup:
    """Return dates and times as markup in which no line breaks inside a day, an hour, or a range of numbers.

    Text is escaped. Markup is taken as it is.
    """
    kept = _PAIR.sub("\N{NO-BREAK SPACE}", escape(text))
    return Markup(_RANGE.sub(r'<span class="whole">\g<0></span>', kept))  # noqa: S704 - escaped above


def _unbroken_word(word: str) -> str:
    if len(word) > _LONGEST_COMPOUND or _ADDRESS.search(word):
        return word
    return _COMPOUND_HYPHEN.sub("\N{NON-BREAKING HYPHEN}", word)
