"""Change keys of `newsletter.toml`, and leave its comments, order and layout as they are.

The new text is read back and validated before it replaces the file, so a wrong answer changes nothing.
"""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

import tomlkit
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from newsletter.config import CONFIG_FILE, Config, load_config
from newsletter.errors import InputError, Location, MistakesError
from newsletter.settings.mistakes import mistakes_of
from newsletter.settings.workspace import Settings
from newsletter.system.file_errors import explained
from newsletter.system.files import write_whole

Changes = Mapping[Location, object]  # the new value of each key; None deletes the key

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_HEADER = re.compile(r"(?P<mark>#?)[ \t]*\[(?P<name>[\w.-]+)\]")
_SAMPLE = re.compile(r"#[ \t]*(?P<line>(?P<key>[\w-]+)[ \t]*=.*)", re.DOTALL)


def save_settings(root: Path, changes: Changes) -> Config:
    """Change keys of a workspace's `newsletter.toml`, and return the new configuration.

    Raise MistakesError if the file has mistakes, or would have them after the change, and InputError if the file is
    read-only or cannot be written. In each case the file stays as it was.
    """
    path = (root / CONFIG_FILE).resolve()  # a link stays a link
    load_config(root)
    text = path.read_bytes().decode("utf-8")
    new = changed_text(text, changes)
    if new != text:
        _validate(new)
        _write(path, new)
    return load_config(root)


def changed_text(text: str, changes: Changes) -> str:
    """Return a valid TOML text with these keys changed.

    A key or table that is only there as a commented-out sample is filled in at its place. Raise InputError if the text
    is written in a way in which the keys cannot be changed safely.
    """
    head, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    has_crlf = "\r\n" in body and "\n" not in body.replace("\r\n", "")
    plain = body.replace("\r\n", "\n") if has_crlf else body
    expected = tomllib.loads(plain)
    try:
        for location, value in changes.items():
            _set(expected, location, value)
            plain = _without_key(plain, location) if value is None else _with_value(plain, location, value)
        is_right = tomllib.loads(plain) == expected
    except (TOMLKitError, ValueError, TypeError, AttributeError, KeyError):
        is_right = False
    if not is_right:
        keys = " and ".join(".".join(map(str, location)) for location in changes)
        raise InputError(f"{CONFIG_FILE} is written in a way that setup cannot change; set {keys} in your text editor")
    return head + (plain.replace("\n", "\r\n") if has_crlf else plain)


def _set(data: dict[str, Any], location: Location, value: object) -> None:
    """Set or delete a key in plain data, which shows what the text must say after the change."""
    *parents, key = map(str, location)
    for name in parents:
        data = data.setdefault(name, {}) if value is not None else data.get(name, {})
    if value is not None:
        data[key] = list(value) if isinstance(value, tuple) else value
    else:
        data.pop(key, None)


def _without_key(text: str, location: Location) -> str:
    document = tomlkit.parse(text)
    table: Any = document
    for name in location[:-1]:
        if name not in table:
            return text
        table = table[name]
    if location[-1] in table:
        del table[location[-1]]
    return document.as_string()


def _with_value(text: str, location: Location, value: object) -> str:
    document = tomlkit.parse(_with_table(_with_sample_used(text, location), location[:-1]))
    table: Any = document
    for name in location[:-1]:
        table = table[name]
    key, item = location[-1], tomlkit.item(list(value) if isinstance(value, tuple) else value)
    if key not in table:
        _insert(table, str(key), item)
        return document.as_string()
    old = table[key]
    column = len(old.as_string()) + len(old.trivia.comment_ws)
    table[key] = item
    if old.trivia.comment:
        item.trivia.comment_ws = " " * max(1, column - len(item.as_string()))  # comments stay below one another
    return document.as_string()


def _insert(table: Any, key: str, item: Any) -> None:
    """Add a key after the last one of a table.

    tomlkit itself adds it after the comments that follow the table, where it would end up in the next sample.
    """
    container = getattr(table, "value", table)
    before = [name for name, each in container.body if name is not None and not isinstance(each, Table | AoT)]
    if before:
        container._insert_after(before[-1], key, item)
    elif container.body:
        container._insert_at(0, key, item)
    else:
        table.append(key, item)


def _with_table(text: str, location: Location) -> str:
    """Return the text with the header of a table, after the tables that it belongs to."""
    name, top = ".".join(map(str, location)), str(location[0])
    data: Any = tomllib.loads(text)
    for part in location:
        data = data.get(part) if isinstance(data, dict) else None
    if data is not None:
        return text
    lines = text.splitlines(keepends=True)
    heads = [number for number, line in enumerate(lines) if (head := _HEADER.match(line)) and not head["mark"]]
    kin = [number for number in heads if lines[number].strip(" \t[").partition("]")[0].split(".")[0] == top]
    if not kin:
        return f"{text.rstrip()}\n\n[{name}]\n"
    end = next((number for number in heads if number > kin[-1]), len(lines))
    last = max(number for number in range(kin[-1], end) if lines[number].strip() and not lines[number].startswith("#"))
    lines[last] = lines[last].rstrip("\n") + f"\n\n[{name}]\n"
    return "".join(lines)


def _with_sample_used(text: str, location: Location) -> str:
    """Return the text with the commented-out sample of a key in use, if the key is missing and there is a sample.

    The sample of a table is a commented-out header with the keys below it.
    """
    table, key = ".".join(map(str, location[:-1])), location[-1]
    lines = text.splitlines(keepends=True)
    has_table = any((head := _HEADER.match(line)) and not head["mark"] and head["name"] == table for line in lines)
    here, used = "", False
    for number, line in enumerate(lines):
        if head := _HEADER.match(line):
            here = head["name"]
            if here == table and head["mark"] and not has_table:
                lines[number] = line.lstrip("# \t")
                used = True
        elif here == table and (has_table or used) and (sample := _SAMPLE.match(line)) and sample["key"] == key:
            candidate = "".join([*lines[:number], sample["line"], *lines[number + 1 :]])
            return candidate if _is_toml(candidate) else text
    candidate = "".join(lines)
    return candidate if used and _is_toml(candidate) else text


def _is_toml(text: str) -> bool:
    """Return whether the text can be read. It cannot if a sample repeats a key that is there."""
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True


def _validate(text: str) -> None:
    try:
        Settings.model_validate(tomllib.loads(text.removeprefix(_BOM)))
    except ValidationError as err:
        raise MistakesError(mistakes_of(err, model=Settings, path=CONFIG_FILE, line_of=lambda _location: None)) from err


def _write(path: Path, text: str) -> None:
    """Replace the file at once, with the same permissions. Raise InputError if it is read-only or cannot be written."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        # The owner of a folder could replace a read-only file in it, but the file says that it must not change.
        if not mode & stat.S_IWUSR or not os.access(path, os.W_OK):
            remedy = f"to let setup change it, run: chmod u+w {quote(str(path))}"
            raise InputError(f"{CONFIG_FILE} is read-only; {remedy}")
        write_whole(path, text.encode("utf-8"), permissions=mode)
    except OSError as err:
        raise InputError(str(explained(err, path, elsewhere=""))) from err
