"""Import a list of subscribers."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec import Struct, field

from newsletter.errors import InputError
from newsletter.lists.attribute_names import target_named
from newsletter.lists.cells import CsvWriter, on_one_line, require_one_line
from newsletter.lists.csv_import import ListShape, read_list
from newsletter.lists.tags import tags_in_cell
from newsletter.model.columns import CONSENT_COLUMNS
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
    replaces: tuple[str, ...] = ()  # columns whose cells replace what is recorded, even if empty
    suppresses_leavers: bool = False  # whether to suppress people who left, even if they are not on the list
    topics: Mapping[str, str] = field(default_factory=dict)  # the topics that people can leave here: name → title
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
        replaces=_replaced(request.replaces),
        suppresses_leavers=request.suppresses_leavers,
    )
    if request.report is not None and request.report.resolve() == request.path.resolve():
        raise InputError(
            f"--report {request.report} is the list itself; name another file, for example --report report.csv"
        )
    batches = read_list(
        request.path,
        mapping=request.mapping,
        encoding=request.encoding,
        topics=request.topics,
        replaced=terms.replaces,
        now=now,
        on_shape=on_shape,
    )
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


def _replaced(options: tuple[str, ...]) -> frozenset[str]:
    """Return the columns and attributes given as options. Raise InputError for one that no list can replace."""
    targets = frozenset(map(target_named, options))
    if "email" in targets:
        raise InputError(
            "--replace email is not possible, because the address says whose row it is; change it with "
            "`newsletter subscribers edit OLD --set email=NEW`"
        )
    if consent := sorted(targets & CONSENT_COLUMNS):
        raise InputError(
            f"--replace {consent[0]} is not possible, because a list must not erase consent; newer consent in the file "
            "replaces older consent anyway, and `newsletter subscribers edit EMAIL --clear consented_at` takes it off"
        )
    return targets


def _tags_of(options: tuple[str, ...]) -> set[str]:
    """Return the tags given as options, parsed like the tags in a cell."""
    try:
        tags = {tag for option in options for tag in tags_in_cell(option)}
    except ValueError as err:
        raise InputError(f"--tag: {err}; write the tags with commas between them, for example member,teacher") from None
    return {require_one_line("--tag", tag) for tag in tags}


@contextmanager
def _fates_into(path: Path | None) -> Iterator[Callable[[RowFate], None] | None]:
    """Write what happens to each row to a CSV file that only its owner can read."""
    if path is None:
        yield None
        return
    _require_report(path)
    with private_file(path, overwrite=True) as file:
        writer = CsvWriter(file, RowFate.__struct_fields__)
        yield lambda fate: writer.write_row((str(fate.line), fate.email, fate.fate.value, fate.remark))


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
