"""The table of how well each email app supports each feature, in the form in which we store it.

The data is caniemail's (see `published.py`). A copy comes with this package; a workspace may have a newer one, written
by `newsletter clients --refresh`.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from newsletter.errors import InputError, Mistake, MistakesError
from newsletter.settings.mistakes import within_sentence
from newsletter.system.file_errors import explained

TABLE_FILE = "caniemail.json"  # in the workspace and in this package's data
_CARRIED = ("checks", "clients", "data", TABLE_FILE)


class Support(StrEnum):
    """How well an email app supports a feature, in caniemail's letters."""

    SEEN = "y"
    PARTLY = "a"
    UNSEEN = "n"
    UNTESTED = "u"


Words = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=2000)]


class Feature(BaseModel):
    """A feature of HTML or CSS, or an image format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: Words
    url: Annotated[str, Field(pattern=r"^https://[^\s\x00-\x1f]+$")]
    category: Words  # `css`, `html`, `image` or `others`
    tested: Words  # the date of the last test
    answers: Annotated[str, Field(pattern=r"^[yanu]+$")]  # one letter for each of the table's email apps, in order
    remarks: Mapping[str, tuple[str, ...]] = {}  # caniemail's note → the email apps that it is about


class Table(BaseModel):
    """All features, and all email apps in which they were tested, each in its newest version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Words
    license: Annotated[Words, Field(validation_alias=AliasChoices("license", "licence"))]  # older files have `licence`
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]  # of the last change
    clients: Mapping[Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")], Words]  # `gmail.ios` → Gmail on iOS
    families: Mapping[str, Words]  # `gmail` → Gmail
    features: tuple[Feature, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> "Table":
        for feature in self.features:
            if len(feature.answers) != len(self.clients):
                raise ValueError(f"{feature.slug} does not have one answer for each email app")
        return self

    def remarks(self, feature: Feature, client: str) -> tuple[str, ...]:
        """Return caniemail's notes about a feature in an email app."""
        return tuple(remark for remark, clients in feature.remarks.items() if client in clients)

    def members(self, family: str) -> tuple[str, ...]:
        """Return the email apps of a family."""
        return tuple(client for client in self.clients if client.partition(".")[0] == family)

    def __hash__(self) -> int:
        return hash((self.date, self.source, len(self.features)))


def load_table(workspace: Path) -> Table:
    """Return the workspace's table if it is newer, else the one that comes with this package.

    Raise MistakesError if the workspace's table cannot be read.
    """
    carried = load_carried()
    path = workspace / TABLE_FILE
    if not path.is_file():
        return carried
    own = _load(path)
    return own if own.date > carried.date else carried


@cache
def load_carried() -> Table:
    """Return the table that comes with this package."""
    return _load(Path(str(files("newsletter").joinpath(*_CARRIED))))


def read_table(content: bytes) -> Table:
    """Return a table from the bytes that `written` returned for it.

    Raise ValueError with the first problem if they are not a valid table.
    """
    try:
        return Table.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError as err:
        raise ValueError(f"line {err.lineno} is not JSON") from err
    except ValidationError as err:
        raise ValueError(first_problem(err)) from err


def written(table: Table) -> bytes:
    """Return the table as the bytes of a file, with one feature per line so that changes are readable."""
    features = b",\n".join(orjson.dumps(feature.model_dump(exclude_defaults=True)) for feature in table.features)
    head = orjson.dumps(table.model_dump(exclude={"features"}), option=orjson.OPT_INDENT_2)
    return head.removesuffix(b"\n}") + b',\n  "features": [\n' + features + b"\n]\n}\n"


def first_problem(error: ValidationError) -> str:
    """Return the place and the message of the first validation error."""
    first = error.errors(include_url=False)[0]
    where = " › ".join(str(part) for part in first["loc"])
    what = within_sentence(first["msg"])
    return f"{where}: {what}" if where else what


def _load(path: Path) -> Table:
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err
    except ValueError as err:
        what = f"this file is damaged, or `newsletter clients --refresh` did not write it ({err})"
        remedy = "run `newsletter clients --refresh` again, or delete the file to use the built-in table"
        raise MistakesError([Mistake(path=path.name, what=what, remedy=remedy)]) from err


@lru_cache(maxsize=4)
def _read(path: Path, _: int) -> Table:
    """Return a file's table. It is cached until the file's modification time changes."""
    return read_table(path.read_bytes())
