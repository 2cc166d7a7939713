"""The table of what each mail program makes of each feature, as this program keeps it.

It is caniemail's (see `published.py`). The program carries a copy; a workspace may have a newer one, which
`newsletter clients --refresh` puts there.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from newsletter.errors import InputError

TABLE_FILE = "caniemail.json"  # in the workspace, and among this package's data
_CARRIED = ("checks", "clients", "data", TABLE_FILE)


class Support(StrEnum):
    """What a mail program makes of a feature, in caniemail's letters."""

    SEEN = "y"
    PARTLY = "a"
    UNSEEN = "n"
    UNTESTED = "u"


Words = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=2000)]


class Feature(BaseModel):
    """A feature of HTML, CSS or picture formats."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: Words
    url: Annotated[str, Field(pattern=r"^https://[^\s\x00-\x1f]+$")]
    category: Words  # `css`, `html`, `image` or `others`
    tested: Words  # the day of the last test
    answers: Annotated[str, Field(pattern=r"^[yanu]+$")]  # a letter for each of the table's mail programs
    remarks: Mapping[str, tuple[str, ...]] = {}  # what caniemail notes → about which mail programs


class Table(BaseModel):
    """All features, and all mail programs that they were tested in: each in its newest version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Words
    licence: Words
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]  # of the last change
    clients: Mapping[Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")], Words]  # `gmail.ios` → Gmail on iOS
    families: Mapping[str, Words]  # `gmail` → Gmail
    features: tuple[Feature, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> "Table":
        for feature in self.features:
            if len(feature.answers) != len(self.clients):
                raise ValueError(f"{feature.slug} does not have one answer for each mail program")
        return self

    def remarks(self, feature: Feature, client: str) -> tuple[str, ...]:
        """Return what caniemail notes about that."""
        return tuple(remark for remark, clients in feature.remarks.items() if client in clients)

    def members(self, family: str) -> tuple[str, ...]:
        """Return the mail programs of a family."""
        return tuple(client for client in self.clients if client.partition(".")[0] == family)

    def __hash__(self) -> int:
        return hash((self.date, self.source, len(self.features)))


def load_table(workspace: Path) -> Table:
    """Return the workspace's table where that is the newer one, else the one that the program carries.

    Raise InputError where the workspace's cannot be read.
    """
    carried = load_carried()
    path = workspace / TABLE_FILE
    if not path.is_file():
        return carried
    own = _load(path)
    return own if own.date > carried.date else carried


def load_carried() -> Table:
    """Return the table that the program carries."""
    return _load(Path(str(files("newsletter").joinpath(*_CARRIED))))


def read_table(content: bytes) -> Table:
    """Return a table from the bytes that `written` made of it.

    Raise ValueError with the first thing that is not as it should be.
    """
    try:
        return Table.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError as err:
        raise ValueError(f"it is no JSON ({err})") from err
    except ValidationError as err:
        raise ValueError(first_problem(err)) from err


def written(table: Table) -> bytes:
    """Return the table as a file, a feature a line, so that a change of one can be read."""
    features = b",\n".join(orjson.dumps(feature.model_dump(exclude_defaults=True)) for feature in table.features)
    head = orjson.dumps(table.model_dump(exclude={"features"}), option=orjson.OPT_INDENT_2)
    return head.removesuffix(b"\n}") + b',\n  "features": [\n' + features + b"\n]\n}\n"


def first_problem(error: ValidationError) -> str:
    """Return where data is not as it should be, and how."""
    first = error.errors(include_url=False)[0]
    where = " › ".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _load(path: Path) -> Table:
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as err:
        what = f"{path.name}: it is not as `newsletter clients --refresh` writes it: {err}"
        raise InputError(f"{what}; run that again, or delete the file") from err


@lru_cache(maxsize=4)
def _read(path: Path, _: int) -> Table:
    """Return a file's table; remembered until the file changes."""
    return read_table(path.read_bytes())
