"""Import a list of subscribers."""

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


class ImportRequest(Struct, frozen=True, kw_only=True):
    """The list to import, and the options for importing it."""

    path: Path
    mapping: Mapping[str, str]  # column name → field to import it as
    tags: tuple[str, ...] = ()  # tags to add to everyone in the file
    basis: str = ""  # the reason for emailing people without recorded consent
    encoding: str = ""  # detected if empty
    report: Path | None = None  # the file in which to report what happened to each row
    is_dry_run: bool = False


def import_list(
    database: Database,
    request: ImportRequest,
    *,
    now: datetime,
    on_shape: Callable[[ListShape], None] = lambda _: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """Merge a list into the existing subscribers, in one transaction.

    `on_shape` is called with a description of how the file is read, and `on_progress` with the number of bytes read so
    far. Raise InputError or MistakesError if the file cannot be read as a list; in that case, nothing is imported.
    """
    terms = ImportTerms(
        file=on_one_line(request.path.name),
        basis=require_one_line("--basis", request.basis),
        tags=tuple(sorted(_tags_of(request.tags))),
    )
    if request.report is not None and request.report.resolve() == request.path.resolve():
        raise InputError(
            f"--report {request.report} is the list itself; name another file, for example --report report.csv"
        )
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
    """Return the mapping given by options such as `Email Address=email`. Raise InputError if one is malformed."""
    mapping = {}
    for option in options:
        name, equals, target = option.rpartition("=")
        if not equals or not name.strip():
            raise InputError(
                f'--map {option!r} has no = after the column name; write, for example, --map "Email Address=email"'
            )
        if name in mapping:
            raise InputError(f"--map names the column {name!r} twice; delete one of them")
        mapping[name] = target
    return mapping


def _tags_of(options: tuple[str, ...]) -> set[str]:
    """Return the tags given as options, parsed like the tags in a cell."""
    tags = {tag for option in options for tag in tags_in_cell(option)}
    return {require_one_line("--tag", tag) for tag in tags}


@contextmanager
def _fates_into(path: Path | None) -> Iterator[Callable[[RowFate], None] | None]:
    """Write what happens to each row to a CSV file that only its owner can read."""
    if path is None:
        yield None
        return
    _require_report(path)
    with private_file(path, overwrite=True) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(RowFate.__struct_fields__)
        yield lambda fate: writer.writerow((fate.line, guarded(fate.email), fate.fate.value, guarded(fate.remark)))


def _require_report(path: Path) -> None:
    """Raise InputError if the file exists, unless it is an earlier report, which may be replaced."""
    head = ",".join(RowFate.__struct_fields__).encode()
    if not path.is_file():
        return
    with path.open("rb") as file:
        found = file.read(len(head))
    if found not in {head, b""}:
        raise InputError(f"--report {path} is not an import report; name a new file, for example --report report.csv")


@contextmanager
def _without_collection() -> Iterator[None]:
    """Turn the cyclic garbage collector off: an import creates millions of objects, and none are in a cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
