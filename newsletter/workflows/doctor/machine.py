"""This machine: Python, the libraries, the time zone database, free disk space, and the clock."""

import platform
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from newsletter import DISTRIBUTION, ZONE_DATABASES, install_hint
from newsletter.config import Config
from newsletter.errors import CannotRunError
from newsletter.model.diagnosis import Health, HealthItem, error, from_words, not_judged, ok, warning
from newsletter.model.finding import Means
from newsletter.system.environment import certificate_notes
from newsletter.system.zone_database import ZoneDatabases
from newsletter.workflows.compose.compose import BUILD_FOLDER

_LITTLE_ROOM, _NO_ROOM = 1 << 30, 100 << 20  # bytes
_DRIFT, _WRONG_TIME = timedelta(minutes=2), timedelta(minutes=5)


def machine_items(config: Config | None, clocks: tuple[tuple[str, str], ...], now: datetime) -> Iterator[HealthItem]:
    """Yield the state of this machine. `clocks` contains pairs of a host and its time (from the HTTP Date header)."""
    yield _python()
    yield from (from_words("certificates", Health.WARNING, note) for note in certificate_notes())
    yield from _libraries(is_with_postgres=config is not None and isinstance(config.database, str))
    yield _zones(ZONE_DATABASES)
    if config is not None:
        yield from _disks(config)
    yield _clock(clocks, now)


def browser_item() -> HealthItem:
    """Start the browser, and return whether the content that it shows is confined."""
    try:
        from newsletter.checks.browser.confinement import started_browser  # only if the package is installed

        with started_browser(()) as started:
            exposure = started.exposure
    except ModuleNotFoundError:
        what = "packages for the checks in a browser are missing"
        return not_judged("browser", what, f"run: {install_hint(Means.BROWSER)}")
    except (CannotRunError, OSError) as err:
        return from_words("browser", Health.NOT_JUDGED, err)
    if exposure:
        return from_words("browser", Health.WARNING, exposure)
    return ok("browser", "Chromium shows emails in its sandbox")


def _python() -> HealthItem:
    ours, bounds = platform.python_version(), SpecifierSet(metadata(DISTRIBUTION)["Requires-Python"] or "")
    if bounds.contains(ours, prereleases=True):
        return ok("python", f"Python {ours}")
    what = f"this is Python {ours}, but newsletter needs {bounds}"
    return error("python", what, f"install newsletter with Python {bounds}")


def _libraries(*, is_with_postgres: bool) -> Iterator[HealthItem]:
    """Yield each library that is missing or incompatible, or a single item if all are compatible."""
    extra = {"extra": "postgres" if is_with_postgres else ""}
    asked = [Requirement(text) for text in requires(DISTRIBUTION) or ()]
    needed = [each for each in asked if each.marker is None or each.marker.evaluate(extra)]
    faults = [fault for each in needed if (fault := _library_fault(each)) is not None]
    yield from faults
    if not faults:
        yield ok("libraries", f"all {len(needed)} libraries are compatible")


def _library_fault(needed: Requirement) -> HealthItem | None:
    bounds = needed.specifier
    try:
        there = version(needed.name)
    except PackageNotFoundError:
        return error("libraries", f"the {needed.name} library is not installed", "install newsletter again")
    if bounds.contains(there, prereleases=True):
        return None
    what = f"the {needed.name} library is version {there}, but {bounds} is needed"
    return error("libraries", what, f'run: pip install "{needed.name}{bounds}"')


def _zones(databases: ZoneDatabases) -> HealthItem:
    if not databases.used:
        remedy = f'run: pip install --upgrade "{DISTRIBUTION}" tzdata'
        return warning("time zones", "the version of the time zone database is not known", remedy)
    return ok("time zones", f"time zones {databases.used} ({_other_zones(databases)})")


def _other_zones(databases: ZoneDatabases) -> str:
    if databases.is_package_newer:
        return f"the package tzdata; the system has {databases.system or 'an unknown version'}"
    return f"the system's; the package tzdata has {databases.package or 'an unknown version'}"


def _disks(config: Config) -> Iterator[HealthItem]:
    """Yield the free space on each disk that holds the database or the built issues."""
    folders = {"built issues": config.root / BUILD_FOLDER}
    if isinstance(config.database, Path):
        folders = {"the database": config.database.parent, **folders}
    by_disk: dict[int, list[tuple[str, Path]]] = {}
    for what, folder in folders.items():
        there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
        by_disk.setdefault(there.stat().st_dev, []).append((what, there))
    for users in by_disk.values():
        yield _room(" and ".join(what for what, _ in users), shutil.disk_usage(users[0][1]).free)


def _room(users: str, free: int) -> HealthItem:
    shown = f"{free / (1 << 30):,.1f} GB" if free >= 1 << 30 else f"{free // (1 << 20):,} MB"
    what = f"{shown} free for {users}"
    if free < _NO_ROOM:
        return error("disk", what, "free some space: a broadcast stops if it cannot record what was sent")
    return warning("disk", what, "free some space soon") if free < _LITTLE_ROOM else ok("disk", what)


def _clock(clocks: tuple[tuple[str, str], ...], now: datetime) -> HealthItem:
    for host, date in clocks:
        try:
            theirs = parsedate_to_datetime(date).astimezone(UTC)
        except (ValueError, TypeError):
            continue
        return _drift(now - theirs, host)
    return not_judged("clock", "no server reported its time, so the clock was not compared")


def _drift(off: timedelta, host: str) -> HealthItem:
    far = abs(off)
    if far <= _DRIFT:
        return ok("clock", f"the clock agrees with {host}")
    minutes = round(far.total_seconds() / 60)
    what = f"the clock is {minutes:,} minutes {'ahead of' if off > timedelta() else 'behind'} {host}"
    remedy = "let the system set its clock over the network (NTP), because schedules and email dates depend on it"
    return error("clock", what, remedy) if far > _WRONG_TIME else warning("clock", what, remedy)
