"""Bring a list into the audience."""

import csv
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from newsletter.errors import InputError
from newsletter.lists.cells import guarded, on_one_line, require_one_line
from newsletter.lists.csv_import import ListShape, read_list
from newsletter.lists.fields import tags_in_cell
from newsletter.model.imports import ImportReport, ImportTerms, RowFate
from newsletter.store.database import Database
from newsletter.store.merge import merge_subscribers
from newsletter.system.environment import forget_key
from newsletter.system.files import private_file

_FATE_COLUMNS = ("line", "email", "fate", "remark")


class ImportRequest(Struct, frozen=True, kw_only=True):
    """What to bring in, and how."""

    path: Path
    mapping: Mapping[str, str]  # a column's name → what it is to be taken for
    tags: tuple[str, ...] = ()  # given to everybody
    basis: str = ""  # why those may be mailed of whom no consent is known
    encoding: str = ""  # found out where none is named
    report: Path | None = None  # where to write what became of each row
    is_dry_run: bool = False


def import_list(
    database: Database,
    request: ImportRequest,
    *,
    now: datetime,
    on_shape: Callable[[ListShape], None] = lambda _: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """Merge a list into the audience, in one transaction.

    `on_shape` hears how the list is read, `on_progress` how many bytes of it were read so far. Raises InputError or
    MistakesError, with nothing imported, where the file cannot be read as a list.
    """
    terms = ImportTerms(
        file=on_one_line(request.path.name),
        basis=require_one_line("--basis", request.basis),
        tags=tuple(sorted(_tags_of(request.tags))),
    )
    if request.report is not None and request.report.resolve() == request.path.resolve():
        raise InputError(f"--report {request.report} would overwrite the list itself; name another file")
    batches = read_list(request.path, mapping=request.mapping, encoding=request.encoding, now=now, on_shape=on_shape)
    key = forget_key()
    with _without_collection(), _fates_into(request.report) as on_fate:
        return merge_subscribers(
            database,
            batches,
            terms=terms,
            key=key,
            is_dry_run=request.is_dry_run,
            now=now,
            on_progress=on_progress,
            on_fate=on_fate,
        )


def mapping_of(options: tuple[str, ...]) -> dict[str, str]:
    """Return the mapping of options such as `Email Address=email`; raise InputError where one has another form."""
    mapping = {}
    for option in options:
        name, equals, target = option.rpartition("=")
        if not equals or not name.strip():
            raise InputError(
                f'--map {option!r} is not of the form "Email Address=email"; nothing after the = leaves the column out'
            )
        if name in mapping:
            raise InputError(f"--map {name!r} is there twice; say once what the column is to be taken for")
        mapping[name] = target
    return mapping


def _tags_of(options: tuple[str, ...]) -> set[str]:
    """Return the tags that somebody names, read as those of a cell."""
    tags = {tag for option in options for tag in tags_in_cell(option)}
    return {require_one_line("--tag", tag) for tag in tags}


@contextmanager
def _fates_into(path: Path | None) -> Iterator[Callable[[RowFate], None] | None]:
    """Write what becomes of each row into a CSV file that its owner alone can read."""
    if path is None:
        yield None
        return
    _require_report(path)
    with private_file(path, overwrite=True) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_FATE_COLUMNS)
        yield lambda fate: writer.writerow((fate.line, guarded(fate.email), fate.fate.value, guarded(fate.remark)))


def _require_report(path: Path) -> None:
    """Raise InputError where the file exists and is not an earlier report, which may be replaced."""
    head = ",".join(_FATE_COLUMNS).encode()
    if not path.is_file():
        return
    with path.open("rb") as file:
        found = file.read(len(head))
    if found not in {head, b""}:
        raise InputError(f"--report {path} exists, and is no report of an import; name another file")


@contextmanager
def _without_collection() -> Iterator[None]:
    """Switch off the collector of cyclic garbage: an import makes millions of objects, none of them in a cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
