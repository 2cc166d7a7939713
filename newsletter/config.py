"""Read `newsletter.toml` into a frozen `Config`.

The file contains no secrets. Secrets come only from the environment, and each provider reads the one that it needs.
"""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from pydantic import ValidationError

from newsletter.errors import InputError, Location, Mistake, MistakesError
from newsletter.model.finding import Place
from newsletter.settings.mistakes import mistakes_of
from newsletter.settings.toml_mistakes import mistake_in_long_key, toml_mistakes
from newsletter.settings.workspace import RENAMED_KEYS, SQLITE, Settings
from newsletter.system.file_errors import explained

CONFIG_FILE = "newsletter.toml"
TEMPLATES_FOLDER = "templates"
_MOST_BYTES = 200_000  # a hundred times as much as most workspaces need
_TABLE = re.compile(r"[ \t]*+(?P<opening>\[{1,2})(?P<name>[^\[\]]*+)\]")
_ASSIGNMENT = re.compile(r"[ \t]*+(?P<key>[\w\"'.-]++(?:[ \t]*+\.[ \t]*+[\w\"'-]++)*+)[ \t]*+=")
_LONG_QUOTES = frozenset({'"""', "'''"})


class Config(Struct, frozen=True, kw_only=True):
    """The settings, and the workspace folder that they were read from."""

    root: Path
    settings: Settings
    notes: tuple[str, ...] = ()  # advice about a file that is valid

    @property
    def database(self) -> Path | str:
        """The path of the SQLite file, or the PostgreSQL URL. A relative path is resolved in the workspace."""
        url = self.settings.database.url
        return self.root / url.removeprefix(SQLITE) if url.startswith(SQLITE) else url

    @property
    def has_database(self) -> bool:
        """Whether a list can exist yet. Before the first import, the SQLite file does not exist."""
        return isinstance(self.database, str) or self.database.is_file()

    @property
    def theme_folders(self) -> tuple[Path, Path]:
        """The folders in which theme files are looked up: the workspace first, then the built-in theme."""
        return self.root / TEMPLATES_FOLDER, builtin_theme()

    def shown(self, path: Path) -> str:
        """Return the path as the user would type it: relative to the workspace if it is inside."""
        text, inside = str(path), f"{self.root}/"
        if text.startswith(inside):  # asked for every file of every build, and pathlib takes ten times as long
            return text[len(inside) :]
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else text


def builtin_theme() -> Path:
    """Return the folder of the built-in theme: inside the wheel, or at the top of a source checkout."""
    package = Path(__file__).parent
    shipped = package / "theme"
    return shipped if shipped.is_dir() else package.parent / TEMPLATES_FOLDER


def find_workspace(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that contains a `newsletter.toml`.

    Raise InputError if there is none.
    """
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    remedy = "go to your newsletter folder, or create one with `newsletter init`"
    raise InputError(f"there is no {CONFIG_FILE} in {start} or above it; {remedy}")


def load_config(root: Path) -> Config:
    """Read the `newsletter.toml` of a workspace.

    Raise MistakesError with every mistake in it, or InputError if the file cannot be read.
    """
    text = _read_text(root / CONFIG_FILE)
    if mistake := mistake_in_long_key(text, path=CONFIG_FILE):
        raise MistakesError([mistake])
    try:
        data = tomllib.loads(text)
    # The file is not TOML, or it has a number with thousands of digits or brackets that are nested too deeply.
    except (ValueError, RecursionError) as err:
        raise MistakesError(toml_mistakes(text, err, path=CONFIG_FILE)) from err
    try:
        settings = Settings.model_validate(data)
    except ValidationError as err:
        raise MistakesError(
            mistakes_of(err, model=Settings, path=CONFIG_FILE, line_of=lambda location: _line_of(text, location) or 1)
        ) from err
    return Config(root=root, settings=settings, notes=_rename_notes(text, data))


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            what = f"the file is larger than {_MOST_BYTES // 1000} KB ({size:,} bytes)"
            raise MistakesError([Mistake(path=CONFIG_FILE, what=what, remedy="delete text until it is smaller")])
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as err:
        line = path.read_bytes()[: err.start].count(b"\n") + 1
        what, remedy = "the file is not UTF-8 text", "save it in your text editor as UTF-8"
        raise MistakesError([Mistake(path=CONFIG_FILE, line=line, what=what, remedy=remedy)]) from err
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err


def line_of_key(config: Config, *keys: str | int) -> int | None:
    """Return the line of a key in `newsletter.toml`, or the line of the nearest table around it.

    `keys` are the names of the tables around the key, then the key's own name. A number selects one of several tables
    of the same name, counted from 0. Return None if the line cannot be determined.
    """
    path = f"{config.root}{os.sep}{CONFIG_FILE}"
    try:
        stat = os.stat(path)  # noqa: PTH116 - asked two dozen times in each build, and a path as text takes a third of the time
        text = _written_text(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, UnicodeDecodeError):
        return None
    return _line_of(text, keys)


@lru_cache(maxsize=8)
def _written_text(path: str, _modified_ns: int, _size_bytes: int) -> str:
    """Return the text of a file, which is read again when it has changed. The checks ask for a dozen of its lines."""
    return Path(path).read_text(encoding="utf-8-sig")


def place_of_key(config: Config, *keys: str | int) -> Place:
    """Return the place of a key in `newsletter.toml`. `keys` are as in `line_of_key`."""
    return Place(path=CONFIG_FILE, line=line_of_key(config, *keys))


def _rename_notes(text: str, data: Mapping[str, object]) -> tuple[str, ...]:
    """Return one note for each key that is written under its old name."""
    return tuple(
        f"{CONFIG_FILE}:{_line_of(text, old)}: `{old[-1]}` is now called `{new[-1]}`; rename the key. "
        "The old name still works."
        for old, new in RENAMED_KEYS.items()
        if _contains(data, old)
    )


def _contains(data: object, location: Location) -> bool:
    for key in location:
        if not isinstance(data, Mapping) or key not in data:
            return False
        data = data[key]
    return True


class _WrittenKey(Struct, frozen=True):
    """A key or a table of `newsletter.toml`, with the names of the tables around it, and its line."""

    location: Location
    line: int


@lru_cache(maxsize=256)
def _line_of(text: str, location: Location) -> int | None:
    """Return the line of `key =` inside its `[table]`, or of the deepest table around it that exists."""
    best: _WrittenKey | None = None
    for key in _written_keys(text):
        here = key.location
        is_on_the_way = here == location[: len(here)] or RENAMED_KEYS.get(here) == location
        if is_on_the_way and (best is None or len(here) > len(best.location)):
            best = key
    return best.line if best else None


@lru_cache(maxsize=8)
def _written_keys(text: str) -> tuple[_WrittenKey, ...]:
    table: Location = ()
    seen: Counter[Location] = Counter()  # how many `[[tables]]` of the same name came before
    keys: list[_WrittenKey] = []
    closing = ""  # the quotes that end the text of several lines around a line
    for number, line in enumerate(text.split("\n"), start=1):
        if closing:
            closing = "" if closing in line else closing
        elif header := _TABLE.match(line):
            name = _keys(header["name"])
            table = (*name, seen[name]) if header["opening"] == "[[" else name
            seen[name] += 1
            keys.append(_WrittenKey(table, number))
        elif assignment := _ASSIGNMENT.match(line):
            keys.append(_WrittenKey(table + _keys(assignment["key"]), number))
            sign = line[assignment.end() :].lstrip()[:3]
            closing = sign if sign in _LONG_QUOTES and line.count(sign) == 1 else ""
    return tuple(keys)


def _keys(dotted: str) -> Location:
    return tuple(word.strip().strip("\"'") for word in dotted.split("."))
