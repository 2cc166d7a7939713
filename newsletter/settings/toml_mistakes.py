"""Finds the mistakes in a TOML file that cannot be read, and describes them in plain words.

The parser stops at the first mistake and says only what it expected there. This module goes through the file line by
line. It knows what people write in settings (tables, keys, text, numbers and lists) and skips any line that it does not
understand. If it finds no mistake up to the line at which the parser stopped, that line is reported.
"""

import re
from typing import Final

from msgspec import Struct, field

from newsletter.errors import Mistake

_TABLE = re.compile(r"(?P<opening>\[{1,2})(?P<name>[^\[\]#]*)(?P<closing>\]{0,2})(?P<rest>.*)")
_KEY = re.compile(r"""(?P<key>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"[^"]*"|'[^']*'))*)[ \t]*""")
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9_]*)(?:\.[0-9_]+)?(?:[eE][+-]?[0-9_]+)?|0[xob][0-9A-Fa-f_]+|[+-]?(?:inf|nan)")
_TIME = re.compile(r"\d\d:\d\d(?::\d\d)?(?:\.\d+)?")
_DATE = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[T ]{_TIME.pattern}(?:Z|[+-]\d\d:\d\d)?)?")
_ITEM = re.compile(r"[^,\]#]+")
_GROUPED_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_TRUTH: Final = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_QUOTES: Final = "\"'"
_CURLY: Final = "“”„‟‘’‚‛"
_ESCAPES: Final = 'btnfr"\\uU'
_CLOSING: Final = {"[": "]", "{": "}"}
_AT_LINE = re.compile(r"at line (?P<line>\d+)")
_ODD_SPACES = re.compile(r"[ \t]*(?:[^\S \t\r]|[\u200b\u2060\ufeff])+\s*")
_LONGEST_SHOWN: Final = 300
_MOST_TOLD: Final = 20
_MOST_LOOKED_AT: Final = 100_000  # characters; no settings file comes close


def toml_mistakes(text: str, error: Exception, *, path: str) -> tuple[Mistake, ...]:
    """Return the mistakes in a text that tomllib rejected with `error`, in the order of their lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    last = max(len(text.rstrip().split("\n")), 1)
    match = _AT_LINE.search(str(error))
    refused = min(int(match["line"]), last) if match else last if "end of document" in str(error) else None
    found = _TomlLines().over(lines) if len(text) <= _MOST_LOOKED_AT else []
    if refused is None and not found:
        remedy = "write a shorter value: text in quotes, a number, or a list"
        return (Mistake(path=path, line=_longest(lines), what="a value cannot be read", remedy=remedy),)
    # The parser accepted everything before its line, so a mistake further down cannot be the reason.
    if refused is not None and not any(line <= refused for line, _, _ in found):
        found.append((refused, *_of_the_parser(lines[refused - 1].strip(), str(error))))
    told = sorted(found)[:_MOST_TOLD]
    return tuple(Mistake(path=path, line=line, what=what, remedy=remedy) for line, what, remedy in told)


def _of_the_parser(line: str, said: str) -> tuple[str, str]:
    """Return what is wrong with the line that the parser rejected, and what to do."""
    words = f"“{_shown(line)}”" if line else "the end of the file"
    if said.startswith(("Cannot overwrite", "Cannot declare", "Cannot mutate")):
        return f"{words} gives a value to a key or table that already has one", "keep one of them"
    remedy = 'write `key = "text"` with the text in quotes, and each [table] on its own line'
    return f"{words} cannot be read", remedy


_Told = tuple[int, str, str]  # the line, what is wrong, what to do


class _OpenValue(Struct, frozen=True):
    """A text of several lines, or a list, that began on an earlier line."""

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
            if self.opened is None and line.strip() and (odd := _ODD_SPACES.match(line)):
                what = "the line is indented with non-breaking or other special spaces"
                self._tell(number, what, f"write it without them: {_shown(line[odd.end() :].strip())}")
            self._line(number, line.strip())
        if self.opened is not None:
            self._never_closed(self.opened)
        return self.found

    def _tell(self, number: int, what: str, remedy: str) -> None:
        if not self.found or self.found[-1][0] != number:
            self.found.append((number, _shown(what), _shown(remedy)))

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
            self._tell(number, what, f"put it on a line of its own: {_shown(rest)}")
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
            if line[0] in _CURLY or line.startswith(("=", "//", ";", "-", "*")):
                remedy = "begin a comment with #" if line.startswith(("//", ";")) else 'write `key = "text"`'
                self._tell(number, f"“{_shown(line)}” is neither a key nor a table", remedy)
            return
        key, rest = match["key"], line[match.end() :]
        if not rest.startswith("="):
            if rest.startswith(("]", "]]")):
                self._tell(number, f"the table {key} has no opening bracket", f"write [{key}]")
            elif rest.startswith(":"):
                what = f"{key} is followed by a colon, not by ="
                self._tell(number, what, f"write {key} = {_as_value(rest[1:].strip())}")
            elif rest:
                self._tell(number, f"there is no = after {key}", f"write {key} = {_as_value(rest)}")
            else:
                self._tell(number, f"{key} has no value", f'write {key} = "text"')
            return
        plain_key = re.sub(r"[\"' \t]", "", key)
        first = self.keys.setdefault((self.table, plain_key), number)
        if first != number:
            self._tell(number, f"the key {key} is written twice, first on line {first}", "keep one of them")
        self._value(number, f"{key} = ", rest[1:].strip())

    def _value(self, number: int, prefix: str, value: str) -> None:
        key = prefix.partition(" ")[0]
        if not value or value.startswith("#"):
            self._tell(number, f"{key} has no value", f'write {prefix}"{_inside(value)}"')
        elif value.startswith(('"""', "'''")):
            sign = value[:3]
            if sign not in value[3:]:
                self.opened = _OpenValue(sign=sign, line=number, key=key)
        elif value[0] in _CLOSING:
            self.opened = _OpenValue(sign=value[0], line=number, key=key)
            self.needs_comma = False
            self._items(number, value)
        else:
            self._text(number, prefix, value)

    def _text(self, number: int, prefix: str, value: str) -> None:
        """Check a value that is not a list: text in quotes, a number, a date, true or false."""
        key = prefix.partition(" ")[0]
        if value[0] in _QUOTES:
            self._quoted(number, prefix, value)
            return
        bare = value.partition("#")[0].strip()
        if _is_bare_value(bare):
            return
        if value[0] in _CURLY:
            what = f"the text of {key} is in curly quotes"
            self._tell(number, what, f"write straight quotes: {prefix}{_quoted(_inside(value))}")
        elif bare.lower() in _TRUTH:
            remedy = f"write {prefix}{_TRUTH[bare.lower()]}, or put it in quotes if it is text"
            self._tell(number, f"{key} is {bare}", remedy)
        elif _GROUPED_NUMBER.fullmatch(bare):
            self._tell(number, f"the number of {key} has a comma", f"write {prefix}{bare.replace(',', '')}")
        elif re.fullmatch(r"0[0-9]+", bare):
            remedy = f'write {prefix}{bare.lstrip("0") or 0}, or "{bare}" as text'
            self._tell(number, f"the number of {key} begins with 0", remedy)
        elif value[-1] in _QUOTES + _CURLY:
            what = f"the text of {key} has no quote at its beginning"
            self._tell(number, what, f"write {prefix}{_quoted(value[:-1])}")
        else:
            self._tell(number, f"the text of {key} is not in quotes", f"write {prefix}{_quoted(value)}")

    def _quoted(self, number: int, prefix: str, value: str) -> None:
        key, sign = prefix.partition(" ")[0], value[0]
        end = _end_of_quotes(value, 1, sign)
        if end is None:
            words = value[1:-1] if value[-1] in _CURLY else value[1:]
            what = f"the text of {key} has no quote at its end"
            if value[-1] in _CURLY:
                what = f"the text of {key} ends with a curly quote"
            self._tell(number, what, f"write {prefix}{_quoted(words)}")
            return
        rest = value[end:].strip()
        if rest and not rest.startswith("#"):
            whole = value[1:-1] if value[-1] == sign and len(value) > end + 1 else value
            if sign == "'" and value[-1] != sign:
                whole = value[1:]
            what = f"the text of {key} continues after its closing quote"
            self._tell(number, what, f"write {prefix}{_quoted(whole)}")
        elif sign == '"' and (escape := _unknown_escape(value[:end])):
            what = f"the text of {key} has a backslash in double quotes ({escape})"
            self._tell(number, what, f"write {prefix}{_quoted(value[1 : end - 1])}")

    def _items(self, number: int, line: str) -> None:
        """Go through a line of a list or of braces up to its closing bracket; nested ones are skipped."""
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
            what = f"there is no comma between two items of {opened.key}"
            self._tell(number, what, f"write a comma before {_shown(line[position : position + 100])}")
        self.needs_comma = True
        sign = line[position]
        if sign == "{":
            end = line.find("}", position)
            return None if end < 0 else end + 1
        if sign in _QUOTES:
            is_long = line.startswith(sign * 3, position)  # skipped, with the rest of the line
            closed = len(line) if is_long else _end_of_quotes(line, position + 1, sign)
            if closed is not None:
                return closed
            words = line[position + 1 :].rstrip(" \t],")
            self._tell(number, f"an item of {opened.key} has no quote at its end", f"write {_quoted(words)}")
            return len(line) - 1 if line.endswith("]") else len(line)
        end = match.end() if (match := _ITEM.match(line, position)) else position + 1
        word = line[position:end].strip()
        if _is_bare_value(word):
            return end
        if sign in _CURLY:
            what = f"an item of {opened.key} is in curly quotes"
            self._tell(number, what, f"write straight quotes: {_quoted(_inside(word))}")
        else:
            self._tell(number, f"an item of {opened.key} is not in quotes", f"write {_quoted(word)}")
        return end

    def _end_of_list(self, number: int, opened: _OpenValue, rest: str) -> None:
        self.opened = None
        if rest and not rest.startswith("#"):
            what = f"there is text after the list of {opened.key}"
            self._tell(number, what, f"put it on a line of its own: {_shown(rest)}")

    def _braces(self, number: int, line: str, opened: _OpenValue) -> None:
        self.opened = None
        if "}" not in line:
            what = f"the brace of {opened.key} is not closed on its line"
            self._tell(number, what, f"write {opened.key} = {_shown(line)} }}")

    def _never_closed(self, opened: _OpenValue) -> None:
        if opened.sign in _CLOSING:
            what = f"the list of {opened.key} has no closing bracket"
            self._tell(opened.line, what, f"write {_CLOSING[opened.sign]} after its last item")
        else:
            what = f"the text of {opened.key} has no {opened.sign} at its end"
            self._tell(opened.line, what, f"write {opened.sign} after its last line")


def _end_of_quotes(text: str, start: int, sign: str) -> int | None:
    position = start
    while position < len(text):
        if sign == '"' and text[position] == "\\":
            position += 2
        elif text[position] == sign:
            return position + 1
        else:
            position += 1
    return None


def _unknown_escape(quoted: str) -> str | None:
    return next((match[0] for match in re.finditer(r"\\(.)", quoted) if match[1] not in _ESCAPES), None)


def _inside(value: str) -> str:
    """Return a text without the curly quotes around it, and without a comment."""
    if not value.strip("#") or value.startswith("# "):
        return "text"
    return value.strip(f"{_CURLY}{_QUOTES}")


def _quoted(text: str) -> str:
    """Return a text in quotes that TOML reads back as the same text."""
    if '"' not in text and "\\" not in text:
        return f'"{_shown(text)}"'
    if "'" not in text:
        return f"'{_shown(text)}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_shown(escaped)}"'


def _as_value(text: str) -> str:
    """Return a text as a TOML value: unchanged if it is already a value, otherwise in quotes."""
    is_value = text[:1] in {'"', "'", "[", "{"} or _is_bare_value(text)
    return _shown(text) if is_value else _quoted(text)


def _is_bare_value(text: str) -> bool:
    """Return whether a text without quotes is a value: a number, a date, true or false."""
    return text in {"true", "false"} or any(kind.fullmatch(text) for kind in (_NUMBER, _DATE, _TIME))


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _longest(lines: list[str]) -> int:
    """Return the number of the longest line, which has too long a number or too many nested brackets."""
    return max(range(len(lines)), key=lambda index: len(lines[index])) + 1
