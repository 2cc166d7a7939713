"""Takes a second look at a YAML file that the parser refused, to say in a writer's words what is wrong, and where.

The parser reports the place at which it could not continue, often a line or more after the mistake, and its own
internal state. This module recognizes only what writers use: keys, lists, quotes, brackets, and multiline text. It
reports only what is wrong in any YAML file, and skips lines that it does not understand.
"""

import re
from typing import Final

from msgspec import Struct, field

from newsletter.content.yaml_levels import YamlLevels
from newsletter.content.yaml_mistakes import (
    BULLET,
    CLOSING,
    MOST_MISTAKES,
    SIGNS_THAT_NEED_QUOTES,
    WORD,
    YamlMistake,
    after_quotes,
    backslash,
    begins_with_sign,
    cut_at_hash,
    has_another_colon,
    hidden_break,
    in_curly_quotes,
    never_closed,
    odd_indentation,
    text_after_quotes,
    without_colon,
)
from newsletter.model.typography import CURLY_QUOTES, end_of_quotes, inside_curly_quotes, shortened

_INDENTATION = re.compile(r"[^\S\n\r]*[\u200b\u2060\ufeff]*\s*")
_COLON = re.compile(r":(?=[ \t]|$)")
_QUOTED_KEY = re.compile(r"""(?:"[^"]*"|'[^']*')[ \t]*:(?=[ \t]|$)""")
_DASH = re.compile(r"-[ \t]+|-$")
_BLOCK_TEXT = re.compile(r"[|>][-+0-9]*(?:[ \t]+#.*|[ \t]*)")
_HASH = re.compile(r"[ \t]#")
_HIDDEN_BREAK = re.compile("[\x85\u2028\u2029]")  # YAML also counts these as line breaks
_MOST_DASHES: Final = 20  # on one line
_NEVER_FIRST: Final = f"]}},|>{SIGNS_THAT_NEED_QUOTES}"


class _Unclosed(Struct, frozen=True):
    """Quotes or a bracket that a line opens but does not close."""

    sign: str
    line: int
    prefix: str
    text: str
    depth: int = 1

    @property
    def mistake(self) -> YamlMistake:
        """The mistake to report if no line closes them."""
        return never_closed(self.line, self.sign, self.prefix, self.text)


def look_again(text: str, first_line: int) -> list[YamlMistake]:
    """Return the mistakes in the text, in order and at most one per line."""
    return _YamlLines(first_line=first_line).over(text.split("\n"))


class _YamlLines(Struct):
    first_line: int
    levels: YamlLevels = field(default_factory=YamlLevels)
    block_text: int | None = None  # lines indented deeper than this belong to the text after `|` or `>`
    opened: _Unclosed | None = None
    commented: tuple[int, str, str] | None = None  # the last text that contains ` #` without quotes: line, prefix, text
    found: list[YamlMistake] = field(default_factory=list)

    def over(self, lines: list[str]) -> list[YamlMistake]:
        """Return the mistakes on all lines, in order."""
        for number, line in enumerate(lines, start=self.first_line):
            if (mistake := self._line(number, line.rstrip())) is not None:
                self.found.append(mistake)
            if len(self.found) >= MOST_MISTAKES:
                break
        if self.opened is not None:
            self.found.append(self.opened.mistake)
        return sorted(self.found, key=lambda mistake: mistake.order)

    def _line(self, number: int, line: str) -> YamlMistake | None:
        match = _INDENTATION.match(line)
        lead = match[0] if match else ""
        content = line[len(lead) :]
        if not content:
            return None
        expected = self.levels.expected
        if self.block_text is not None:
            if lead.startswith(" " * (self.block_text + 1)):
                return None
            expected, self.block_text = self.block_text + 2, None
        if self.opened is not None:
            return self._go_on(number, lead, content)
        if content.startswith("#"):
            return None
        if lead.strip(" "):
            self.levels.takes_more = True  # the level of this line is not known, so the next line may be on any level
            return odd_indentation(number, lead, expected, content)
        return self._keys_and_items(number, len(lead), content)

    def _keys_and_items(self, number: int, spaces: int, content: str) -> YamlMistake | None:
        hidden = _HIDDEN_BREAK.search(content)
        whole, mistake = content, hidden_break(number, content, hidden.start()) if hidden else None
        begins_item = False
        for _ in range(_MOST_DASHES):
            dash = _DASH.match(content)
            if dash is None:
                break
            mistake = mistake or self.levels.place(number, spaces, is_list=True, content=whole)
            spaces, content = spaces + len(dash[0]), content[len(dash[0]) :]
            self.levels.takes_more = begins_item = True
            self.commented = None
            if not content or content.startswith("#"):
                return mistake
        prefix = "- " if begins_item else ""
        colon = (
            None if content[0] in "[{" else _QUOTED_KEY.match(content) if content[0] in "\"'" else _find_colon(content)
        )
        if content[0] in SIGNS_THAT_NEED_QUOTES and not BULLET.match(content):
            self.levels.takes_more = False
            return mistake or begins_with_sign(number, prefix, content)
        if colon is None:
            return mistake or self._text(number, spaces, prefix, content)
        key = content[: colon.end() - 1].rstrip()
        shown = content if begins_item else whole
        mistake = mistake or self.levels.place(number, spaces, is_list=False, content=shown)
        value = content[colon.end() :].strip(" \t")
        self.commented = None
        self.levels.takes_more = not value or value.startswith("#")
        return mistake or (None if self.levels.takes_more else self._value(number, f"{key}: ", value))

    def _text(self, number: int, spaces: int, prefix: str, content: str) -> YamlMistake | None:
        """Check a line, or the rest of an item, that contains text but no key."""
        if prefix:
            self.levels.takes_more = False
            return self._value(number, prefix, content)
        innermost = self.levels.innermost
        if self.levels.takes_more or innermost is None or spaces > innermost:
            if self.commented is not None:
                at, before, text = self.commented
                self.commented = None
                return cut_at_hash(at, before, text, text.find("#"))
            if self.levels.takes_more and innermost is not None:
                self.levels.takes_more = False
                return self._value(number, "", content)
        continues = innermost is not None and spaces > innermost
        return None if continues else without_colon(number, spaces, content)

    def _value(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        sign = value[0]
        if sign in "|>" and _BLOCK_TEXT.fullmatch(value):
            self.block_text = -1 if self.levels.innermost is None else self.levels.innermost
            return None
        if sign in _NEVER_FIRST or value in {"-", "?"} or value.startswith(("{{", "- ", "? ")):
            return begins_with_sign(number, prefix, value)
        if sign in "\"'":
            return self._quoted(number, prefix, value)
        if sign in CLOSING:
            return self._brackets(number, prefix, value)
        return self._plain(number, prefix, value)

    def _plain(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        has_colon = _find_colon(value) is not None
        has_comment = _HASH.search(value) is not None
        if (has_colon or has_comment) and (inside := inside_curly_quotes(value)) is not None:
            return in_curly_quotes(number, prefix, value, inside)
        if has_colon:
            return has_another_colon(number, prefix, value)
        if has_comment:
            self.commented = (number, prefix, value)
        return None

    def _quoted(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        sign = value[0]
        end = end_of_quotes(value, 1, sign, doubles_apostrophes=True)
        if end is None:
            if value[-1] in CURLY_QUOTES and len(value) > 1:
                return in_curly_quotes(number, prefix, f"“{value[1:]}", value[1:-1])
            self.opened = _Unclosed(sign=sign, line=number, prefix=prefix, text=value)
            return None
        return after_quotes(number, prefix, value, end) or backslash(number, prefix, value[:end])

    def _brackets(self, number: int, prefix: str, value: str) -> YamlMistake | None:
        depth, end = _depth(value, 0)
        if depth > 0:
            self.opened = _Unclosed(sign=value[0], line=number, prefix=prefix, text=value, depth=depth)
            hidden = _HASH.search(value)
            if hidden is not None and _depth(value.replace("#", "."), 0)[0] == 0:
                self.opened = None
                what = f"the text in brackets is cut off at “{shortened(value[hidden.end() - 1 :])}”"
                return YamlMistake(number, what, "put the text that contains # in quotes")
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
        if len(lead) <= (self.levels.innermost or 0) and (_DASH.match(content) or _begins_with_key(content)):
            self.opened = None
            self.found.append(opened.mistake)
            return self._line(number, lead + content)
        if opened.sign in CLOSING:
            depth, _ = _depth(content, opened.depth)
            self.opened = None if depth <= 0 else _Unclosed(opened.sign, opened.line, opened.prefix, opened.text, depth)
            return None
        end = end_of_quotes(content, 0, opened.sign, doubles_apostrophes=True)
        if end is not None:
            self.opened = None
            rest = content[end:].strip(" \t")
            if rest and not rest.startswith("#"):
                return text_after_quotes(number, opened.sign, rest)
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
    return match is not None and WORD.fullmatch(content[: match.start()].rstrip()) is not None


def _depth(text: str, depth: int) -> tuple[int, int]:
    """Return how many brackets are still open after the text, and the position at which counting ended."""
    position, before = 0, ""
    while position < len(text):
        sign = text[position]
        if sign in "\"'" and before in "[{,: \t":
            end = end_of_quotes(text, position + 1, sign, doubles_apostrophes=True)
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
