"""Create a new workspace, or a new issue from an existing one."""

import re
import shutil
from datetime import date, timedelta
from importlib.resources import as_file, files
from pathlib import Path

from newsletter.config import CONFIG_FILE, Config, load_config
from newsletter.content.loader import ISSUE_FILE, ISSUES_FOLDER, issue_names
from newsletter.errors import FaultError, InputError
from newsletter.model.values import file_name
from newsletter.system.file_errors import explained
from newsletter.system.files import whole_folder
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.compose.copied_events import keep_ids
from newsletter.workflows.compose.copied_translations import keep_translations

_LONGEST_NAME = 100  # characters; files whose names begin with the issue's may have up to 255 bytes
# Names that Windows keeps for devices, with any ending, and a dot or space at the end, which it drops:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_NOT_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*[. ]", re.IGNORECASE)
_ALLOWED_BEFORE = frozenset({".git", ".hg", ".jj", ".svn", ".DS_Store"})  # in a folder that is otherwise empty
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DATE_LINE = re.compile(rb"^date:[^\r\n]*", re.MULTILINE)
_ID_LINE = re.compile(rb"^id[ \t]*:[^\r\n]*(?:\r\n|\n|\r|\Z)", re.MULTILINE)
_FIRST_EVENT_AFTER = timedelta(days=14)


def init_workspace(folder: Path, today: date) -> tuple[Path, ...]:
    """Create a small, working workspace in a new or empty folder, and return its files.

    An empty repository counts as an empty folder. Raise InputError if the folder is not empty, cannot be written, or
    has a name that other systems cannot store.
    """
    try:
        before = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        if before - _ALLOWED_BEFORE or (folder.exists() and not folder.is_dir()):
            raise InputError(f"{folder} is not empty; name a new folder, for example newsletter init my-newsletter")
        if not folder.exists():
            _require_portable(folder.name)
        folder.mkdir(parents=True, exist_ok=True)
        with as_file(files("newsletter") / "starter") as starter:
            _copy_starter(starter, folder, today)
    except OSError as err:
        place = Path(err.filename or folder)
        raise InputError(str(explained(err, place, elsewhere="choose another folder"))) from err
    made = (path for path in folder.iterdir() if path.name not in before)
    return tuple(sorted(path for top in made for path in (top, *top.rglob("*")) if path.is_file()))


def new_issue(config: Config, name: str, *, source: str | None, issue_date: date | None, today: date) -> Path:
    """Copy an issue, by default the newest, and give the copy a new name and date, and no `id`. Return the new folder.

    If the workspace has no issue yet, create a first one. Raise InputError if the name is taken or not a valid name,
    if the `source` issue does not exist, or if the copy cannot be written.
    """
    name = _new_name(config, name)
    target = config.root / ISSUES_FOLDER / name
    try:
        if source is None and not issue_names(config):
            with as_file(files("newsletter") / "starter") as starter:
                return _first_issue(starter, target, issue_date or _date_for(name, today), config)
        original = require_issue(config, source)
        with whole_folder(target) as copy:
            shutil.copytree(original, copy, dirs_exist_ok=True)
            fields = copy / ISSUE_FILE
            day = issue_date or _date_for(name, today)
            without_id = _ID_LINE.sub(b"", fields.read_bytes(), count=1)  # the former name of the original alone
            fields.write_bytes(_DATE_LINE.sub(f"date: {day}".encode(), without_id, count=1))
            keep_ids(config, original, copy, day)
            keep_translations(config, original, copy)
    except OSError as err:
        place = Path(err.filename or target)
        raise InputError(str(explained(err, place, deed="copied", elsewhere="", shown=config.shown))) from err
    return target


def _new_name(config: Config, name: str) -> str:
    """Return the name of an issue in one spelling (NFC).

    Raise InputError if an issue cannot have this name, here or on another system, or if the name is taken.
    """
    if len(name) > _LONGEST_NAME:
        remedy = f"use at most {_LONGEST_NAME} characters, for example 2026-03"
        raise InputError(f"the issue's name {name[:40]}… has {len(name)} characters; {remedy}")
    try:
        name = file_name(name)
    except FaultError as err:
        what = f"{name!r} cannot be an issue's name"
        raise InputError(f"{what}; use letters, digits, dots and dashes, for example 2026-03") from err
    _require_portable(name)
    folder = config.root / ISSUES_FOLDER
    taken = (path for path in folder.iterdir() if path.name.casefold() == name.casefold()) if folder.is_dir() else ()
    for path in taken:
        differs = "" if path.name == name else ", and macOS and Windows do not tell capitals from small letters"
        raise InputError(
            f"{config.shown(path)} already exists{differs}; choose another name for the issue, for example {name}-2"
        )
    return name


def _require_portable(name: str) -> None:
    """Raise InputError if Windows cannot store a file of this name, so that no copy or clone there would work."""
    if _NOT_ON_WINDOWS.fullmatch(name):
        what = f"{name!r} cannot be the name of a folder on Windows"
        raise InputError(f"{what}, where someone may open a copy; choose another name, for example 2026-03")


def _copy_starter(starter: Path, folder: Path, today: date) -> None:
    shutil.copy(starter / CONFIG_FILE, folder / CONFIG_FILE)
    shutil.copy(starter / "gitignore", folder / ".gitignore")
    shutil.copy(starter / "recipients.example.csv", folder / "recipients.example.csv")
    _first_issue(starter, folder / ISSUES_FOLDER / f"{today:%Y-%m}", today, load_config(folder))


def _first_issue(starter: Path, target: Path, issue_date: date, config: Config) -> Path:
    """Create a first issue from the starter. It is about the workspace's first topic, if there are topics."""
    topics = list(config.settings.topics)[:1]
    filled_in = {
        "@DATE@": f"{issue_date}",
        "@EVENT@": f"{issue_date + _FIRST_EVENT_AFTER}",
        "@TOPICS@": "".join(f"topics:\n  - {topic}\n" for topic in topics),
    }
    shutil.copytree(starter / "issue", target)
    for path in target.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        for mark, value in filled_in.items():
            text = text.replace(mark, value)
        path.write_text(text, encoding="utf-8")
    return target


def _date_for(name: str, today: date) -> date:
    """Return the first day of the month in a name such as `2026-03` if it is in the future, otherwise today."""
    match = _MONTH.fullmatch(name)
    try:
        first = date(int(match[1]), int(match[2]), 1) if match else today
    except ValueError:
        return today
    return max(first, today)
