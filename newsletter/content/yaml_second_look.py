"""Takes a second look at a YAML file that the parser refused, to say in a writer's words what is wrong on which line.

The parser reports the place at which it could not continue, often a line or more after the mistake, and its own inner
state. This module knows only what writers use: keys, lists, quotes, brackets, and texts of several lines. It reports
only what is wrong in any YAML file, and skips lines that it does not understand.
"""

import re
from typing import Final

from msgspec import Struct, field

from newsletter.content.yaml_text import (
    MOST_MISTAKES,
    SIGNS_THAT_NEED_QUOTES,
    YamlMistake,
    begins_with_sign,
    cut_at_hash,
    has_another_colon,
    in_curly_quotes,
    in_quotes,
    odd_indentation,
    shortened,
    subject_of,
)

_INDENTATION = re.compile(r"[^\S\n\r]*[\u200b\u2060\ufeff]*\s*")
_COLON = re.compile(r":(?=[ \t]|$)")
_QUOTED_KEY = re.compile(r"""(?:"[^"]*"|'[^']*')[ \t]*:(?=[ \t]|$)""")
_DASH = re.compile(r"-[ \t]+|-$")
_BLOCK_TEXT = re.compile(r"[|>][-+0-9]*(?:[ \t]+#.*|[ \t]*)")
_HASH = re.compile(r"[ \t]#")
_BULLET = re.compile(r"([•–—·▪◦])[ \t\u00a0]*(?=\S)|(\*)[ \t\u00a0]+(?=\S)")
_MOST_DASHES: Final = 20  # on one line
_NEVER_FIRST: Final = f"]}},|>{SIGNS_THAT_NEED_QUOTES}"
_WORD = re.compile(r"[A-Za-z][\w-]*")
_ESCAPES: Final = '0abt\tnvfre "/\\N_LPxuU'
_CLOSING: Final = {"[": "]", "{": "}"}
_CURLY: Final = "“„‟”‘‚‛"
_CURLY_CLOSING: Final = "“”‘’\"'"


class _Level(Struct, frozen=True):
    """A list or a set of keys that has not ended: the indentation of its lines, and the line on which it begins."""

    spaces: int
    is_list: bool
    line: int


class _Unclosed(Struct, frozen=True):
    """Quotes or a bracket that a line opens but does not close."""

    sign: str
    line: int
    prefix: str
    text: str
    depth: int = 1


def look_again(text: str, first_line: int) -> list[YamlMistake]:
    """Return the mistakes in a text in order, at most one per line."""
    return _YamlLines(first_line=first_line).over(text.split("\n"))


class _YamlLines(Struct):
    first_line: int
    levels: list[_Level] = field(default_factory=list)
    takes_more: bool = True  # the last line ends with a key or a dash, so the next one may be deeper
    block_text: int | None = None  # lines that are indented deeper belong to a text after `|` or `>`
    opened: _Unclosed | None = None
    commented: tuple[int, str, str] | None = None  # the last text that contains ` #` without quotes: line, prefix, text
    shifted: dict[int, int] = field(default_factory=dict)  # each wrong indentation that was reported → the right one
    found: list[YamlMistake] = field(default_factory=list)

    def over(self, lines: list[str]) -> list[YamlMistake]:
        """Return the mistakes on all lines, in order."""
        for number, line in enumerate(lines, start=self.first_line):
            if (mistake := self._line(number, line.rstrip())) is not None:
                self.found.append(mistake)
            if len(self.found) >= MOST_MISTAKES:
                break
        if self.opened is not None:
            self.found.append(_never_closed(self.opened))
        return sorted(self.found)

    def _line(self, number: int, line: str) -> YamlMistake | None:
        match = _INDENTATION.match(line)
        lead = match[0] if match else ""
        content = line[len(lead) :]
        if not content:
            return None
        expected = self._expected()
        if self.block_text is not None:
            if lead.startswith(" " * (self.block_text + 1)):
                return None
            expected, self.block_text = self.block_text + 2, None
        if self.opened is not None:
            return self._go_on(number, lead, content)
        if content.startswith("#"):
            return None
        if lead.strip(" "):
            self.takes_more = True  # the level of this line is not known, so the next line may be on any level
            return odd_indentation(number, lead, expected, content)
        return self._keys_and_items(number, len(lead), content)

    def _expected(self) -> int:
        """Return how many spaces the next line most likely needs."""
        if not self.levels:
            return 0
        return self.levels[-1].spaces + 2 * self.takes_more

    def _keys_and_items(self, number: int, spaces: int, content: str) -> YamlMistake | None:
        whole, mistake = content, None
        begins_item = False
        for _ in range(_MOST_DASHES):
            dash = _DASH.match(content)
            if dash is None:
                break
            mistake = mistake or self._place(number, spaces, is_list=True, content=whole)
            spaces, content = spaces + len(dash[0]), content[len(dash[0]) :]
            self.takes_more = begins_item = True
            self.commented = None
            if not content or content.startswith("#"):
                return mistake
        prefix = "- " if begins_item else ""
        colon = (
            None if content[0] in "[{" else _QUOTED_KEY.match(content) if content[0] in "\"'" else _find_colon(content)
        )
        if content[0] in SIGNS_THAT_NEED_QUOTES and not _BULLET.match(content):
            self.takes_more = False
            return mistake or begins_with_sign(number, prefix, content)
        if colon is None:
            return mistake or self._text(number, spaces, prefix, content)
        key = content[: colon.end() - 1].rstrip()
        mistake = mistake or self._place(number, spaces, is_list=False, content=whole if not begins_item else content)
        value = content[colon.end() :].strip(" \t")
        self.commented = None
        self.takes_more = not value or value.startswith("#")
        return mistake or (None if self.takes_more else self._value(number, f"{key}: ", value))

    def _place(self, number: int, spaces: int, *, is_list: bool, content: str) -> YamlMistake | None:
        """Find the level to which a key or an item belongs. Return a mistake if its indentation fits no level."""
        if self.shifted and spaces < min(self.shifted):
            self.shifted.clear()
        spaces = self.shifted.get(spaces, spaces)
        removed: _Level | None = None
        while self.levels and self.levels[-1].spaces > spaces:
            removed = self.levels.pop()
        if self.levels and self.levels[-1].spaces == spaces:
            return self._beside(number, is_list=is_list, content=content)
        level = _Level(spaces=spaces, is_list=is_list, line=number)
        fits = self.levels[-1] if self.levels else None
        if removed is None and (self.takes_more or fits is None):
            self.levels.append(level)
            return None
        if fits is None and removed is not None:  # all lines so far are deeper than this one
            self.levels.append(level)
            what = f"the line is indented by {_spaces(removed.spaces)}, but line {number} by {_spaces(spaces)}"
            return YamlMistake(removed.line, what, "begin both lines without spaces")
        beside = fits or level
        if removed is not None and removed.is_list == is_list:
            beside = removed
            self.levels.append(removed)
        self.shifted[spaces] = beside.spaces
        return _indented(number, spaces, beside.spaces, beside.line, content)

    def _beside(self, number: int, *, is_list: bool, content: str) -> YamlMistake | None:
        """Check a line with the same indentation as the innermost level."""
        level = self.levels[-1]
        if level.is_list == is_list:
            return None
        if is_list:
            if not self.takes_more:
                return YamlMistake(
                    number,
                    "a list begins here without a key above it",
                    f"write a key above it, or delete the dash: {content}",
                )
            self.levels.append(_Level(spaces=level.spaces, is_list=True, line=number))
            return None
        self.levels.pop()
        if self.levels and self.levels[-1].spaces == level.spaces:
            return None
        self.levels.append(_Level(spaces=level.spaces, is_list=True, line=number))
        return YamlMistake(number, "there is a key between the items of a list", f"write a dash before it: - {content}")

    def _text(self, number: int, spaces: int, prefix: str, content: str) -> YamlMistake | None:
        """Check a line, or the rest of an item, that contains text but no key."""
        if prefix:
            self.takes_more = False
            return self._value(number, prefix, content)
        if self.takes_more or not self.levels or spaces > self.levels[-1].spaces:
            if self.commented is not None:
                at, before, text = self.commented
                self.commented = None
                return cut_at_hash(at, before, text, text.find("#"))
            if self.takes_more and self.levels:
                self.takes_more = False
                return self._value(number, "", content)
        return _without_colon(number, spaces, content) if self._begins_line(spaces) else None

    def _begins_line(self, spaces: int) -> bool:
        """Return whether a text with this indentation cannot continue the line before it."""
        return not self.levels or spaces <= self.levels[-1].spaces

    def _value(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        sign = value[0]
        if sign in "|>" and _BLOCK_TEXT.fullmatch(value):
            self.block_text = self.levels[-1].spaces if self.levels else -1
            return None
        if sign in _NEVER_FIRST or value.startswith(("{{", "- ", "? ")):
            return begins_with_sign(number, prefix, value)
        if sign in "\"'":
            return self._quoted(number, prefix, value)
        if sign in _CLOSING:
            return self._brackets(number, prefix, value)
        return self._plain(number, prefix, value)

    def _plain(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        has_colon = _find_colon(value) is not None
        has_comment = _HASH.search(value) is not None
        if value[0] in _CURLY and value[-1] in _CURLY_CLOSING and (has_colon or has_comment):
            return in_curly_quotes(number, prefix, value, value[1:-1])
        if has_colon:
            return has_another_colon(number, prefix, value)
        if has_comment:
            self.commented = (number, prefix, value)
        return None

    def _quoted(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        sign = value[0]
        end = _end_of_quotes(value, 1, sign)
        if end is None:
            if value[-1] in "“”‘’" and len(value) > 1:
                return in_curly_quotes(number, prefix, f"“{value[1:]}", value[1:-1])
            self.opened = _Unclosed(sign=sign, line=number, prefix=prefix, text=value)
            return None
        return _after_quotes(number, prefix, value, end) or _escapes(number, prefix, value[:end])

    def _brackets(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        depth, end = _depth(value, 0)
        if depth > 0:
            self.opened = _Unclosed(sign=value[0], line=number, prefix=prefix, text=value, depth=depth)
            hidden = _HASH.search(value)
            if hidden is not None and _depth(value.replace("#", "."), 0)[0] == 0:
                self.opened = None
                what = f"the text in brackets is cut off at “{shortened(value[hidden.end() - 1 :])}”"
                return YamlMistake(number, what, "put the text with # in quotes")
            return None
        rest = value[end:].strip(" \t")
        if rest and not rest.startswith("#"):
            return begins_with_sign(number, prefix, value)
        return None

    def _go_on(self, number: int, lead: str, content: str) -> YamlMistake | None:
        """Look for the end of quotes or brackets that an earlier line opened."""
        opened = self.opened
        if opened is None:
            return None
        level = self.levels[-1].spaces if self.levels else 0
        if len(lead) <= level and (_DASH.match(content) or _begins_with_key(content)):
            self.opened = None
            self.found.append(_never_closed(opened))
            return self._line(number, lead + content)
        if opened.sign in _CLOSING:
            depth, _ = _depth(content, opened.depth)
            self.opened = None if depth <= 0 else _Unclosed(opened.sign, opened.line, opened.prefix, opened.text, depth)
            return None
        end = _end_of_quotes(content, 0, opened.sign)
        if end is not None:
            self.opened = None
            rest = content[end:].strip(" \t")
            if rest and not rest.startswith("#"):
                return _text_after_quotes(number, opened.sign, rest)
        return None


def _find_colon(content: str) -> re.Match[str] | None:
    """Return the first colon that is followed by a space, unless it is part of a comment."""
    match = _COLON.search(content)
    if match is None:
        return None
    comment = _HASH.search(content)
    return None if comment is not None and comment.start() < match.start() else match


def _begins_with_key(content: str) -> bool:
    match = _find_colon(content)
    return match is not None and _WORD.fullmatch(content[: match.start()].rstrip()) is not None


def _end_of_quotes(text: str, start: int, sign: str) -> int | None:
    """Return the position after the closing quote, or None if there is no closing quote."""
    position = start
    while position < len(text):
        if sign == '"' and text[position] == "\\":
            position += 2
        elif text[position] != sign:
            position += 1
        elif sign == "'" and text.startswith("''", position):
            position += 2
        else:
            return position + 1
    return None


def _after_quotes(number: int, prefix: str, value: str, end: int) -> YamlMistake | None:
    rest = value[end:].strip(" \t")
    if not rest or rest.startswith("#"):
        return None
    sign = value[0]
    inside = value[1:-1] if value[-1] == sign and len(value) > end else None
    if sign == "'" and (value[end].isalpha() or inside is not None):
        words = (inside if inside is not None else value[1:]).replace("''", "'")
        what = f"an apostrophe ends {subject_of(prefix)}, which is in single quotes"
        return YamlMistake(number, what, f"write {prefix}{in_quotes(words)}")
    words = inside if inside is not None and not inside.startswith(sign) else value
    what = f"{subject_of(prefix)} continues after the closing quote"
    return YamlMistake(number, what, f"put quotes around all of it: {prefix}{in_quotes(words)}")


def _text_after_quotes(number: int, sign: str, rest: str) -> YamlMistake:
    what = f"there is text after the closing {sign}: {shortened(rest)}"
    return YamlMistake(
        number, what, f"write {sign} only at the end of the text; inside the text, double it: {sign}{sign}"
    )


def _escapes(number: int, prefix: str, quoted: str) -> YamlMistake | None:
    if quoted[0] != '"':
        return None
    for match in re.finditer(r"\\(.)", quoted):
        if match[1] not in _ESCAPES:
            what = f"{subject_of(prefix)} has a backslash in double quotes"
            return YamlMistake(number, what, f"use single quotes: {prefix}{in_quotes(quoted[1:-1])}")
    return None


def _depth(text: str, depth: int) -> tuple[int, int]:
    """Return how many brackets are still open after a text, and the position at which counting ended."""
    position, before = 0, ""
    while position < len(text):
        sign = text[position]
        if sign in "\"'" and before in "[{,: \t":
            end = _end_of_quotes(text, position + 1, sign)
            if end is None:
                return depth, len(text)
            position, before = end, sign
            continue
        if sign == "#" and before in " \t":
            break
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth <= 0:
                return depth, position + 1
        position, before = position + 1, sign
    return depth, len(text)


def _never_closed(opened: _Unclosed) -> YamlMistake:
    if opened.sign in _CLOSING:
        closing = _CLOSING[opened.sign]
        what = f"the bracket {opened.sign} that begins here is never closed"
        remedy = f"write {closing} after the last item"
        if "," not in opened.text and ":" not in opened.text:
            remedy += f", or put text in quotes: {opened.prefix}{in_quotes(opened.text)}"
        return YamlMistake(opened.line, what, remedy)
    words = opened.text[1:].replace("''", "'") if opened.sign == "'" else opened.text[1:]
    remedy = f"close them at the end of the text: {opened.prefix}{in_quotes(words)}"
    if opened.sign == "'":
        with_apostrophe = in_quotes("'" + words)
        remedy += f", or write {opened.prefix}{with_apostrophe} if it is an apostrophe"
    return YamlMistake(opened.line, "the quotes that begin here are never closed", remedy)


def _indented(number: int, spaces: int, wanted: int, beside: int, content: str) -> YamlMistake:
    what = f"the line is indented by {_spaces(spaces)}, but line {beside} by {_spaces(wanted)}"
    return YamlMistake(number, what, f"indent both lines equally: `{' ' * wanted}{shortened(content)}`")


def _spaces(number: int) -> str:
    return "no spaces" if number == 0 else "1 space" if number == 1 else f"{number} spaces"


def _without_colon(number: int, spaces: int, content: str) -> YamlMistake | None:
    """Return the mistake on a line that should be a key or an item, but is neither."""
    if content in {"---", "..."}:
        return YamlMistake(number, f"the settings end at this line, {content}", "delete this line")
    lead, word = " " * spaces, _WORD.match(content)
    if bullet := _BULLET.match(content):
        item = content[bullet.end() :]
        sign = bullet[1] or bullet[2]
        return YamlMistake(number, f"the item begins with {sign}", f"begin it with a dash: {lead}- {item}")
    if content.startswith("-"):
        return YamlMistake(number, "there is no space after the dash", f"write {lead}- {content[1:].lstrip('-')}")
    if word is None:
        return None
    key, rest = word[0], content[word.end() :]
    sign = rest.lstrip(" \t")[:1]
    value = rest.lstrip(" \t")[1:].strip()
    if sign in {":", "\uff1a", "="} and sign and not value.startswith("//"):
        what = f"there is no space after the colon of {key}"
        if sign != ":":
            what = f"{key} is followed by {sign} instead of a colon"
        return YamlMistake(number, what, f"write {lead}{key}: {value}")
    text = shortened(rest.strip()) or "…"
    remedy = f"write {lead}{key}: {text}, or indent the line if it continues the text above it"
    return YamlMistake(number, f"the line has no colon after {key}", remedy)
