"""Finds the mistakes in a TOML file that cannot be read, and describes them in plain words.

The parser stops at the first mistake and says only what it expected there. This module goes through the file line by
line. It recognizes what people write in settings (tables, keys, text, numbers and lists) and skips any other line. If
it finds no mistake up to the line at which the parser stopped, that line is reported.
"""

import re
from typing import Final

from msgspec import Struct, field

from newsletter.errors import Mistake
from newsletter.model.typography import (
    CURLY_QUOTES,
    ODD_SPACE,
    STRAIGHT_QUOTES,
    end_of_quotes,
    in_quotes,
    shortened,
)
from newsletter.settings.toml_values import as_value, fault_in_value, inside_quotes, is_bare_value

_TABLE = re.compile(r"(?P<opening>\[{1,2})(?P<name>[^\[\]#]*)(?P<closing>\]{0,2})(?P<rest>.*)")
_KEY = re.compile(r"""(?P<key>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"]*"|'[^']*'))*)[ \t]*""")
_ITEM = re.compile(r"[^,\]#]+")
_CLOSING: Final = {"[": "]", "{": "}"}
_AT_LINE = re.compile(r"at line (?P<line>\d+)")
_ODD_INDENTATION = re.compile(rf"[ \t]*{ODD_SPACE}+\s*")
_MOST_TOLD: Final = 20
_MOST_LOOKED_AT: Final = 100_000  # characters; no settings file comes close
_MOST_PARTS: Final = 100  # of a key with dots; the deepest key of the settings has four, and a host's name may have 34
# The pattern also matches in quoted text, which causes no problems: no text has so many words with a dot after each.
_LONG_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}""")


def mistake_in_long_key(text: str, *, path: str) -> Mistake | None:
    """Return the mistake if a key has more than a hundred parts, such as `a.b.c`.

    tomllib's work grows with the square of the number of parts: a key of 100 KB keeps it busy for many seconds. So this
    is checked before the text is parsed.
    """
    match = _LONG_KEY.search(text)
    if match is None:
        return None
    what = f"the key that begins with {match[0][:20]}… has more than {_MOST_PARTS} parts"
    remedy = "write a key with fewer dots, such as `name`, under the [table] that it belongs to"
    return Mistake(path=path, line=text.count("\n", 0, match.start()) + 1, what=what, remedy=remedy)


def toml_mistakes(text: str, error: Exception, *, path: str) -> tuple[Mistake, ...]:
    """Return the mistakes in text that tomllib rejected with `error`, in the order of their lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    last = max(len(text.rstrip().split("\n")), 1)
    match = _AT_LINE.search(str(error))
    refused = min(int(match["line"]), last) if match else last if "end of document" in str(error) else None
    found = _TomlLines().over(lines) if len(text) <= _MOST_LOOKED_AT else []
    if refused is None and not found:
        if isinstance(error, RecursionError):
            line, what, remedy = _fullest(lines, "[{"), "the brackets are nested too deeply", "delete some of them"
        else:
            line, what, remedy = _fullest(lines, "0123456789"), "the number has too many digits", "write a shorter one"
        return (Mistake(path=path, line=line, what=what, remedy=remedy),)
    # The parser accepted everything before its line, so a mistake further down cannot be the reason.
    if refused is not None and not any(line <= refused for line, _, _ in found):
        found.append((refused, *_of_the_parser(lines[refused - 1].strip(), str(error))))
    told = sorted(found)[:_MOST_TOLD]
    return tuple(Mistake(path=path, line=line, what=what, remedy=remedy) for line, what, remedy in told)


def _of_the_parser(line: str, said: str) -> tuple[str, str]:
    """Return what is wrong with the line that the parser rejected, and what to do."""
    words = f"“{shortened(line)}”" if line else "the end of the file"
    if said.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate")):
        return f"{words} gives a value to a key or table that already has one", "delete one of them"
    remedy = 'write `key = "text"` with the text in quotes, and each [table] on its own line'
    return f"{words} cannot be read", remedy


_Told = tuple[int, str, str]  # the line, what is wrong, what to do


class _OpenValue(Struct, frozen=True):
    """Text of several lines, or a list, that began on an earlier line."""

    sign: str
    line: int
    key: str


class _TomlLines(Struct):
    table: str = ""
    tables: dict[str, int] = field(default_factory=dict)
    keys: dict[tuple[str, str], int] = field(default_factory=dict)
    opened: _OpenValue | None = None
    needs_comma: bool = False  # the last item of the open list has no comma after it
    found: list[_Told] = field(default_factory=list)

    def over(self, lines: list[str]) -> list[_Told]:
        """Return at most one mistake for each line."""
        for number, line in enumerate(lines, start=1):
            if self.opened is None and line.strip() and (odd := _ODD_INDENTATION.match(line)):
                what = "the line is indented with non-breaking or other special spaces"
                self._tell(number, what, f"write it without them: {shortened(line[odd.end() :].strip())}")
            self._line(number, line.strip())
        if self.opened is not None:
            self._never_closed(self.opened)
        return self.found

    def _tell(self, number: int, what: str, remedy: str) -> None:
        if not self.found or self.found[-1][0] != number:
            self.found.append((number, shortened(what), shortened(remedy)))

    def _line(self, number: int, line: str) -> None:
        if not line:
            return
        if self.opened is not None and self.opened.sign in {'"""', "'''"}:
            if self.opened.sign in line:
                self.opened = None
            return
        if line.startswith("#"):
            return
        if self.opened is not None:
            if not self._begins_anew(line):
                self._items(number, line)
                return
            self._never_closed(self.opened)
            self.opened = None
        if line.startswith("["):
            self._table(number, line)
        else:
            self._pair(number, line)

    def _begins_anew(self, line: str) -> bool:
        """Return whether a line begins a table or a key, which means that the list before it was not closed."""
        if re.fullmatch(r"\[{1,2}[A-Za-z][\w.-]*\]{1,2}", line):
            return True
        match = _KEY.match(line)
        return match is not None and line[match.end() :].startswith("=")

    def _table(self, number: int, line: str) -> None:
        match = _TABLE.match(line)
        if match is None:
            return
        opening, name, rest = match["opening"], match["name"].strip(), match["rest"].strip()
        closing = "]" * len(opening)
        if match["closing"] != closing:
            self._tell(number, f"the table {name} is not closed", f"write {opening}{name}{closing}")
        elif rest and not rest.startswith("#"):
            what = f"there is text after the table {opening}{name}{closing}"
            self._tell(number, what, f"put it on a line of its own: {shortened(rest)}")
        elif not name:
            self._tell(number, "the table has no name", "write its name in the brackets, for example [newsletter]")
        elif not re.fullmatch(_KEY, name):
            self._tell(number, f"{name} cannot be the name of a table", f'put it in quotes: {opening}"{name}"{closing}')
        elif len(opening) == 1 and name in self.tables:
            what = f"the table [{name}] is written twice, first on line {self.tables[name]}"
            self._tell(number, what, "move its keys there, and delete this line")
        self.tables.setdefault(name, number)
        # Each `[[table]]` of the same name is a new one, and so are the tables in it.
        self.table = f"{name}#{number}" if len(opening) == 2 else name
        if len(opening) == 2:
            self.tables.clear()

    def _pair(self, number: int, line: str) -> None:
        match = _KEY.match(line)
        if match is None:
            if line[0] in CURLY_QUOTES or line.startswith(("=", "//", ";", "-", "*")):
                remedy = "begin a comment with #" if line.startswith(("//", ";")) else 'write `key = "text"`'
                self._tell(number, f"“{shortened(line)}” is neither a key nor a table", remedy)
            return
        key, rest = match["key"], line[match.end() :]
        if not rest.startswith("="):
            if rest.startswith(("]", "]]")):
                self._tell(number, f"the table {key} has no opening bracket", f"write [{key}]")
            elif rest.startswith(":"):
                what = f"{key} is followed by a colon, not by ="
                self._tell(number, what, f"write {key} = {as_value(rest[1:].strip())}")
            elif rest:
                self._tell(number, f"there is no = after {key}", f"write {key} = {as_value(rest)}")
            else:
                self._tell(number, f"{key} has no value", f'write {key} = "text"')
            return
        plain_key = re.sub(r"[\"' \t]", "", key)
        first = self.keys.setdefault((self.table, plain_key), number)
        if first != number:
            self._tell(number, f"the key {key} is written twice, first on line {first}", "delete one of them")
        self._value(number, f"{key} = ", rest[1:].strip())

    def _value(self, number: int, prefix: str, value: str) -> None:
        key = prefix.partition(" ")[0]
        if not value or value.startswith("#"):
            self._tell(number, f"{key} has no value", f'write {prefix}"{inside_quotes(value)}"')
        elif value.startswith(('"""', "'''")):
            sign = value[:3]
            if sign not in value[3:]:
                self.opened = _OpenValue(sign=sign, line=number, key=key)
        elif value[0] in _CLOSING:
            self.opened = _OpenValue(sign=value[0], line=number, key=key)
            self.needs_comma = False
            self._items(number, value)
        elif fault := fault_in_value(prefix, value):
            self._tell(number, *fault)

    def _items(self, number: int, line: str) -> None:
        """Go through a line of a list or of braces up to its closing bracket; nested brackets are skipped."""
        opened = self.opened
        if opened is None:
            return
        if opened.sign == "{":
            self._braces(number, line, opened)
            return
        position: int | None = 0
        depth = -1 if number == opened.line else 0  # the list's own bracket is on its first line
        while position is not None and position < len(line) and line[position] != "#":
            sign = line[position]
            if sign not in " \t,[]":
                position = self._item(number, opened, line, position)
                continue
            position += 1
            depth += {"[": 1, "]": -1}.get(sign, 0)
            self.needs_comma = sign == "]" or (self.needs_comma and sign != ",")
            if sign == "]" and depth < 0:
                self._end_of_list(number, opened, line[position:].strip())
                return

    def _item(self, number: int, opened: _OpenValue, line: str, position: int) -> int | None:
        """Check one item of a list. Return the position after it, or None if the rest of the line is skipped."""
        if self.needs_comma:
            what = f"there is no comma between two items in {opened.key}"
            self._tell(number, what, f"write a comma before {shortened(line[position : position + 100])}")
        self.needs_comma = True
        sign = line[position]
        if sign == "{":
            end = line.find("}", position)
            return None if end < 0 else end + 1
        if sign in STRAIGHT_QUOTES:
            is_long = line.startswith(sign * 3, position)  # skipped, with the rest of the line
            closed = len(line) if is_long else end_of_quotes(line, position + 1, sign)
            if closed is not None:
                return closed
            words = line[position + 1 :].rstrip(" \t],")
            self._tell(number, f"an item in {opened.key} has no closing quote", f"write {in_quotes(words)}")
            return len(line) - 1 if line.endswith("]") else len(line)
        end = match.end() if (match := _ITEM.match(line, position)) else position + 1
        word = line[position:end].strip()
        if is_bare_value(word):
            return end
        if sign in CURLY_QUOTES:
            what = f"an item in {opened.key} is in curly quotes"
            self._tell(number, what, f"write straight quotes: {in_quotes(inside_quotes(word))}")
        else:
            self._tell(number, f"an item in {opened.key} is not in quotes", f"write {in_quotes(word)}")
        return end

    def _end_of_list(self, number: int, opened: _OpenValue, rest: str) -> None:
        self.opened = None
        if rest and not rest.startswith("#"):
            what = f"there is text after the list {opened.key}"
            self._tell(number, what, f"put it on a line of its own: {shortened(rest)}")

    def _braces(self, number: int, line: str, opened: _OpenValue) -> None:
        self.opened = None
        if "}" not in line:
            what = f"the brace after {opened.key} is not closed on the same line"
            self._tell(number, what, f"write {opened.key} = {shortened(line)} }}")

    def _never_closed(self, opened: _OpenValue) -> None:
        if opened.sign in _CLOSING:
            what = f"the list {opened.key} has no closing bracket"
            self._tell(opened.line, what, f"write {_CLOSING[opened.sign]} after its last item")
        else:
            what = f"the text of {opened.key} has no closing {opened.sign}"
            self._tell(opened.line, what, f"write {opened.sign} after its last line")


def _fullest(lines: list[str], signs: str) -> int:
    """Return the number of the line with the most of these characters."""
    return max(range(len(lines)), key=lambda index: sum(lines[index].count(sign) for sign in signs)) + 1
