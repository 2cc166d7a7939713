"""The wording of mistakes in YAML, and functions that put a text in quotes or shorten it."""

import re

from msgspec import Struct

SIGNS_THAT_NEED_QUOTES = "@`%*&!"  # YAML gives them a meaning at the start of a value
MOST_MISTAKES = 50  # the maximum number to report for one file
# Space characters that YAML does not accept as indentation.
ODD_SPACES = re.compile(r"[^\S\n\r\t \x85\u2028\u2029]|[\u200b\u2060\ufeff]")
_LONGEST_SHOWN = 300
_CURLY = re.compile(r"(?P<opening>[“„‟”‘‚‛’])(?P<inside>.*)(?P<closing>[“”‘’\"'])", re.DOTALL)
_DOUBLE = re.compile("[“„‟”]")
_SINGLE_OPENING = re.compile("[‘‚‛]")


class YamlMistake(Struct, frozen=True, order=True):
    """One mistake: its line in the file, what is wrong, and what to do."""

    line: int
    what: str
    remedy: str


def in_quotes(text: str) -> str:
    """Return a text in quotes, so that YAML reads it back unchanged."""
    if '"' in text or "\\" in text:
        return "'" + shortened(text.replace("'", "''")) + "'"
    return f'"{shortened(text)}"'


def shortened(text: str) -> str:
    """Return a text as messages show it: on one line, and cut off if it is very long."""
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return " ".join(text.splitlines())


def inside_curly_quotes(text: str) -> str | None:
    """Return the text inside one pair of curly quotes, or None unless the pair surrounds the whole text."""
    match = _CURLY.fullmatch(text)
    if match is None:
        return None
    between = _DOUBLE if _DOUBLE.match(match["opening"]) else _SINGLE_OPENING
    pairs = between.search(match["inside"])
    is_pair = (match["closing"] in '“”"') == (between is _DOUBLE)
    return None if pairs or not is_pair else match["inside"]


def subject_of(prefix: str) -> str:
    """Return the name of the value after a prefix such as `title: ` or `- `, for messages."""
    key = prefix.strip().rstrip(":").strip("- ")
    return f"the text of {shortened(key)}" if key else "the text"


def begins_with_sign(line: int, prefix: str, text: str) -> YamlMistake:
    """Return the mistake for a text that needs quotes because it begins with a sign such as `@` or `*`."""
    sign = "{{" if text.startswith("{{") else text[0]
    remedy = f"put it in quotes: {prefix}{in_quotes(text)}"
    return YamlMistake(line, f"{subject_of(prefix)} begins with {sign}", remedy)


def has_another_colon(line: int, prefix: str, text: str) -> YamlMistake:
    """Return the mistake for a text that contains a colon."""
    what = f"{subject_of(prefix)} contains a colon"
    return YamlMistake(line, what, f"put it in quotes: {prefix}{in_quotes(text)}")


def cut_at_hash(line: int, prefix: str, text: str, position: int) -> YamlMistake:
    """Return the mistake for a text with ` #` in it, which begins a comment in YAML. The `#` is at `position`."""
    comment = shortened(text[position:])
    remedy = f"put it in quotes: {prefix}{in_quotes(text)}"
    if re.match(r"#+(\s|$)", comment):
        remedy += f", or move the comment to its own line: {comment}"
    return YamlMistake(line, f"{subject_of(prefix)} is cut off at “{comment}”", remedy)


def in_curly_quotes(line: int, prefix: str, text: str, inside: str) -> YamlMistake:
    """Return the mistake for text in curly quotes, which do not count as quotes in YAML."""
    what = f"{subject_of(prefix)} is in curly quotes"
    remedy = f"write straight quotes: {prefix}{in_quotes(inside)}"
    if ": " not in text and not text.endswith(('"', "'")):
        remedy += f", or {prefix}{in_quotes(text)} to show the curly quotes"
    return YamlMistake(line, what, remedy)


def odd_indentation(line: int, lead: str, spaces: int, content: str) -> YamlMistake:
    """Return the mistake for a line that is indented with something other than spaces, such as a tab."""
    sign = next((sign for sign in lead if sign != " "), " ")
    kind = {"\t": "a tab", "\xa0": "non-breaking spaces"}.get(sign, f"special spaces (U+{ord(sign):04X})")
    remedy = f"use ordinary spaces: `{' ' * spaces}{shortened(content)}`"
    return YamlMistake(line, f"the line is indented with {kind}", remedy)
