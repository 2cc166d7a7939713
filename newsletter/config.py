"""`newsletter.toml`, read once into a frozen `Config`.

Secrets are not part of it: they come from the environment alone, read by the provider that needs them.
"""

import re
import tomllib
from collections import Counter
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from pydantic import ValidationError

from newsletter.errors import InputError, Location, Mistake, MistakesError
from newsletter.model.finding import Place
from newsletter.settings.mistakes import mistakes_of
from newsletter.settings.workspace import SQLITE, Settings

CONFIG_FILE = "newsletter.toml"
TEMPLATES_FOLDER = "templates"


class Config(Struct, frozen=True, kw_only=True):
    """The settings, and the workspace folder that they were read from."""

    root: Path
    settings: Settings

    @property
    def database(self) -> Path | str:
        """The SQLite file, relative to the workspace unless given absolutely; or the URL of a PostgreSQL database."""
        url = self.settings.database.url
        return self.root / url.removeprefix(SQLITE) if url.startswith(SQLITE) else url

    @property
    def has_database(self) -> bool:
        """Whether there may be a list yet: before the first import there is no file."""
        return isinstance(self.database, str) or self.database.is_file()

    @property
    def theme_folders(self) -> tuple[Path, Path]:
        """Where the files of the theme are looked up: in the workspace first, then in the built-in theme."""
        return self.root / TEMPLATES_FOLDER, builtin_theme()

    def shown(self, path: Path) -> str:
        """The path as the user would type it: relative to the workspace where it is inside."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def builtin_theme() -> Path:
    """The theme that comes with the program: inside the wheel, or at the top of a source checkout."""
    package = Path(__file__).parent
    shipped = package / "theme"
    return shipped if shipped.is_dir() else package.parent / TEMPLATES_FOLDER


def find_workspace(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds a `newsletter.toml`.

    Raises InputError where there is none.
    """
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    remedy = "go to your workspace, or make one with `newsletter init`"
    raise InputError(f"there is no {CONFIG_FILE} in {start} or above it; {remedy}")


def load_config(root: Path) -> Config:
    """Reads `newsletter.toml` of a workspace.

    Raises MistakesError with every mistake in it, InputError where it cannot be read.
    """
    path = root / CONFIG_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as err:
        remedy = "save it with the encoding UTF-8"
        raise MistakesError([Mistake(path=CONFIG_FILE, what="is not UTF-8 text", remedy=remedy)]) from err
    except OSError as err:
        raise InputError(f"{path}: cannot be read ({err.strerror}); check its permissions") from err
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise MistakesError([_syntax_mistake(err)]) from err
    try:
        settings = Settings.model_validate(data)
    except ValidationError as err:
        mistakes = mistakes_of(err, model=Settings, path=CONFIG_FILE, line_of=lambda location: _line_of(text, location))
        raise MistakesError(mistakes) from err
    return Config(root=root, settings=settings)


def line_of_key(config: Config, *keys: str | int) -> int | None:
    """The line of `newsletter.toml` on which a key stands, named with its tables, or the nearest table around it.

    A number picks one of several tables of a name, from 0. None where the line cannot be told.
    """
    try:
        text = (config.root / CONFIG_FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    return _line_of(text, keys)


def place_of_key(config: Config, *keys: str | int) -> Place:
    """Return the place of a key of `newsletter.toml`, named with its tables."""
    return Place(path=CONFIG_FILE, line=line_of_key(config, *keys))


def _syntax_mistake(error: tomllib.TOMLDecodeError) -> Mistake:
    match = re.search(r"^(?P<what>.*?) \(at line (?P<line>\d+)", str(error))
    said, line = (match["what"], int(match["line"])) if match else (str(error), None)
    what = f"not valid TOML: {said[:1].lower()}{said[1:]}"
    remedy = "text stands in quotes, and each table name in [brackets] on a line of its own"
    return Mistake(path=CONFIG_FILE, line=line, what=what, remedy=remedy)


@lru_cache(maxsize=256)
def _line_of(text: str, location: Location) -> int | None:
    """The line of the deepest part of a key's location that can be found: `key =` inside its `[table]`."""
    table: Location = ()
    seen: Counter[Location] = Counter()  # how many `[[tables]]` of a name came before
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*(\[+)\s*([^\]]+?)\s*\]+", line):
            name = _keys(header[2])
            table = (*name, seen[name]) if header[1] == "[[" else name
            here = table if table == location[: len(table)] else name
            seen[name] += 1
        elif assignment := re.match(r"\s*([\w\"'.-]+)\s*=", line):
            here = table + _keys(assignment[1])
        else:
            continue
        if here == location[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _keys(dotted: str) -> Location:
    return tuple(word.strip().strip("\"'") for word in dotted.split("."))
