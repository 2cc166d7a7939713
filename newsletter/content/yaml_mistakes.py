"""The wording of each mistake in YAML."""

import re
from typing import Final

from msgspec import Struct

from newsletter.errors import Fix
from newsletter.model.typography import in_quotes, shortened, unknown_escape

SIGNS_THAT_NEED_QUOTES = "@`%*&!"  # YAML gives them a special meaning at the start of a value
BULLET = re.compile(r"([•–—·▪◦])[ \t\u00a0]*(?=\S)|(\*)[ \t\u00a0]+(?=\S)")
WORD = re.compile(r"[A-Za-z][\w-]*")
CLOSING: Final = {"[": "]", "{": "}"}
_ESCAPES: Final = '0abt\tnvfre "/\\N_LPxuU'
# The keys whose values are text for readers, so that even a single word may be prose.
PROSE_KEYS = frozenset(
    {
        *("subject", "preheader", "title", "subtitle", "overline", "location", "badge", "label", "text", "alt"),
        *("greeting", "closing", "name", "role", "length"),
    }
)
# Values that are not prose, so a comment may follow them: dates, numbers, links, file names.
_NO_PROSE = re.compile(r"[\d:., -]+|(?:https?://|mailto:)\S+|[a-z0-9._/-]+")
MOST_MISTAKES = 50  # the maximum number to report for one file


class YamlMistake(Struct, frozen=True):
    """One mistake: its line in the file, what is wrong, and what to do."""

    line: int
    what: str
    remedy: str
    fix: Fix | None = None  # if the remedy is exactly this edit of the line

    @property
    def order(self) -> tuple[int, str, str]:
        """The key by which mistakes are sorted."""
        return self.line, self.what, self.remedy


def subject_of(prefix: str) -> str:
    """Return the name of the value after a prefix such as `title: ` or `- `, for messages."""
    key = prefix.strip().rstrip(":").strip("- ")
    return f"the text of {shortened(key)}" if key else "the text"


def begins_with_sign(line: int, prefix: str, text: str) -> YamlMistake:
    """Return the mistake for text that needs quotes because it begins with a character such as `@` or `*`."""
    sign = "{{" if text.startswith("{{") else text[0]
    remedy = f"put it in quotes: {prefix}{in_quotes(text)}"
    return YamlMistake(line, f"{subject_of(prefix)} begins with {sign}", remedy, _quoting(prefix, text, text))


def has_another_colon(line: int, prefix: str, text: str) -> YamlMistake:
    """Return the mistake for text that contains a colon."""
    what = f"{subject_of(prefix)} contains a colon"
    return YamlMistake(line, what, f"put it in quotes: {prefix}{in_quotes(text)}", _quoting(prefix, text, text))


def _quoting(prefix: str, text: str, words: str) -> Fix | None:
    """Return the edit that replaces text after a prefix by words in quotes. Text that a message would cut has none."""
    quoted = in_quotes(words)
    return Fix(old=f"{prefix}{text}", new=f"{prefix}{quoted}") if not quoted.endswith("…" + quoted[0]) else None


def is_cut(value: str, rest: str, prefix: str) -> bool:
    """Return whether ` #` after a value cuts off text instead of beginning a comment.

    A comment comes after two spaces, or after a value that is not prose.
    """
    gap, _, comment = rest.partition("#")
    is_prose = _NO_PROSE.fullmatch(value) is None or (prefix.strip(" :") in PROSE_KEYS and value.isalpha())
    if comment[:1].strip("# \t"):  # `#1`, unlike `# one`
        return is_prose or value.isalpha() or not value
    return bool(value) and gap == " " and is_prose


def cut_at_hash(line: int, prefix: str, text: str, position: int) -> YamlMistake:
    """Return the mistake for text with ` #` in it, which begins a comment in YAML. The `#` is at `position`."""
    comment = shortened(text[position:])
    remedy, fix = f"put it in quotes: {prefix}{in_quotes(text)}", _quoting(prefix, text, text)
    if re.match(r"#+(\s|$)", comment):
        remedy, fix = f"{remedy}, or move the comment to its own line: {comment}", None
    return YamlMistake(line, f"{subject_of(prefix)} is cut off at “{comment}”", remedy, fix)


def in_curly_quotes(line: int, prefix: str, text: str, inside: str) -> YamlMistake:
    """Return the mistake for text in curly quotes, which do not count as quotes in YAML."""
    what = f"{subject_of(prefix)} is in curly quotes"
    remedy = f"write straight quotes: {prefix}{in_quotes(inside)}"
    if ": " not in text and not text.endswith(('"', "'")):
        remedy += f", or {prefix}{in_quotes(text)} to show the curly quotes"
    return YamlMistake(line, what, remedy, _quoting(prefix, text, inside))


def odd_indentation(line: int, lead: str, spaces: int, content: str) -> YamlMistake:
    """Return the mistake for a line that is indented with something other than spaces, such as a tab."""
    sign = next((sign for sign in lead if sign != " "), " ")
    kind = {"\t": "a tab", "\xa0": "non-breaking spaces"}.get(sign, f"special spaces (U+{ord(sign):04X})")
    remedy = f"use ordinary spaces: `{' ' * spaces}{shortened(content)}`"
    fix = Fix(old=f"{lead}{content}", new=f"{' ' * spaces}{content}") if not re.search(r"\w", lead) else None
    return YamlMistake(line, f"the line is indented with {kind}", remedy, fix)


def hidden_break(line: int, content: str, position: int) -> YamlMistake:
    """Return the mistake for a line with a line break that editors do not show, which ends the text in YAML."""
    what = f"the line contains an invisible line break (U+{ord(content[position]):04X})"
    return YamlMistake(line, what, f"delete it before “{shortened(content[position + 1 :])[:40]}”")


def wrong_indentation(line: int, spaces: int, wanted: int, beside: int, content: str) -> YamlMistake:
    """Return the mistake for a line that is not indented like the line `beside` it, which has `wanted` spaces."""
    what = f"the line is indented by {_spaces(spaces)}, but line {beside} by {_spaces(wanted)}"
    return YamlMistake(line, what, f"indent both lines equally: `{' ' * wanted}{shortened(content)}`")


def indented_above(line: int, spaces: int, later: int, later_spaces: int) -> YamlMistake:
    """Return the mistake for a line that is indented more than a `later` line on the outermost level."""
    what = f"the line is indented by {_spaces(spaces)}, but line {later} by {_spaces(later_spaces)}"
    return YamlMistake(line, what, "remove the spaces at the beginning of both lines")


def list_without_key(line: int, content: str) -> YamlMistake:
    """Return the mistake for an item that stands among keys."""
    what = "a list begins here without a key above it"
    return YamlMistake(line, what, f"write a key above it, or delete the dash: {content}")


def key_between_items(line: int, content: str) -> YamlMistake:
    """Return the mistake for a key that stands among the items of a list."""
    return YamlMistake(line, "there is a key between the items of a list", f"write a dash before it: - {content}")


def after_quotes(line: int, prefix: str, value: str, end: int) -> YamlMistake | None:
    """Return the mistake for a value that continues after its closing quote, which ends at `end`."""
    rest = value[end:].strip(" \t")
    if not rest or rest.startswith("#"):
        return None
    sign = value[0]
    inside = value[1:-1] if value[-1] == sign and len(value) > end else None
    if sign == "'" and (value[end].isalpha() or inside is not None):
        words = (inside if inside is not None else value[1:]).replace("''", "'")
        what = f"an apostrophe ends {subject_of(prefix)}, which is in single quotes"
        return YamlMistake(line, what, f"write {prefix}{in_quotes(words)}", _quoting(prefix, value, words))
    words = inside if inside is not None and not inside.startswith(sign) else value
    what = f"{subject_of(prefix)} continues after the closing quote"
    remedy = f"put quotes around all of it: {prefix}{in_quotes(words)}"
    return YamlMistake(line, what, remedy, _quoting(prefix, value, words))


def text_after_quotes(line: int, sign: str, rest: str) -> YamlMistake:
    """Return the mistake to report for text that follows quotes opened on an earlier line."""
    what = f"there is text after the closing {sign}: {shortened(rest)}"
    remedy = f"write {sign} only at the end of the text; inside the text, double it: {sign}{sign}"
    return YamlMistake(line, what, remedy)


def backslash(line: int, prefix: str, quoted: str) -> YamlMistake | None:
    """Return the mistake for a backslash in double quotes that does not begin a valid YAML escape."""
    if quoted[0] != '"' or unknown_escape(quoted, _ESCAPES) is None:
        return None
    what = f"{subject_of(prefix)} has a backslash in double quotes"
    remedy = f"use single quotes: {prefix}{in_quotes(quoted[1:-1])}"
    return YamlMistake(line, what, remedy, _quoting(prefix, quoted, quoted[1:-1]))


def never_closed(line: int, sign: str, prefix: str, text: str) -> YamlMistake:
    """Return the mistake for quotes or a bracket that `text` opens and no line closes."""
    if sign in CLOSING:
        closing = CLOSING[sign]
        what = f"the bracket {sign} that begins here is never closed"
        remedy = f"write {closing} after the last item"
        if "," not in text and ":" not in text:
            remedy += f", or put text in quotes: {prefix}{in_quotes(text)}"
        return YamlMistake(line, what, remedy)
    words = text[1:].replace("''", "'") if sign == "'" else text[1:]
    remedy = f"close them at the end of the text: {prefix}{in_quotes(words)}"
    if sign == "'":
        with_apostrophe = in_quotes("'" + words)
        remedy += f", or write {prefix}{with_apostrophe} if it is an apostrophe"
    return YamlMistake(line, "the quotes that begin here are never closed", remedy)


def remedy_in_braces(before: tuple[str, str] | None, key: str) -> str:
    """Return how to fix a word in braces that has no colon. Most often it is the end of text that contains a comma."""
    if before is None:
        return "write each pair with a colon, and put a comma between pairs: { label: Read, url: https://example.org }"
    name, text = before
    return f"put text that contains a comma in quotes: {name}: {in_quotes(f'{text}, {key}')}"


def without_colon(line: int, spaces: int, content: str) -> YamlMistake | None:
    """Return the mistake on a line that should be a key or an item, but is neither."""
    if content in {"---", "..."}:
        return YamlMistake(line, f"the settings end at this line, {content}", "delete this line")
    lead, word = " " * spaces, WORD.match(content)
    if bullet := BULLET.match(content):
        item = content[bullet.end() :]
        sign = bullet[1] or bullet[2]
        fix = Fix(old=content, new=f"- {item}")
        return YamlMistake(line, f"the item begins with {sign}", f"begin it with a dash: {lead}- {item}", fix)
    if content.startswith("-"):
        new = f"- {content[1:].lstrip('-')}"
        return YamlMistake(line, "there is no space after the dash", f"write {lead}{new}", Fix(old=content, new=new))
    if word is None:
        return None
    key, rest = word[0], content[word.end() :]
    sign = rest.lstrip(" \t")[:1]
    value = rest.lstrip(" \t")[1:].strip()
    if sign in {":", "\uff1a", "="} and sign and not value.startswith("//"):
        what = f"there is no space after the colon of {key}"
        if sign != ":":
            what = f"{key} is followed by {sign} instead of a colon"
        fix = Fix(old=content, new=f"{key}: {value}")
        return YamlMistake(line, what, f"write {lead}{key}: {value}", fix)
    text = shortened(rest.strip()) or "…"
    remedy = f"write {lead}{key}: {text}, or indent the line if it continues the text above it"
    return YamlMistake(line, f"the line has no colon after {key}", remedy)


def _spaces(number: int) -> str:
    return "no spaces" if number == 0 else "1 space" if number == 1 else f"{number} spaces"
