"""The time zone database: the newer of the system's and the package `tzdata`.

Python prefers the system's, which is often a year old. Governments change their clocks at a few weeks' notice, so an
old database shows times that are an hour off. Each states a version such as `2026f`; later versions sort after it.
"""

import re
import zoneinfo
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_LOCAL_TIME = Path("/etc/localtime")
_VERSION = re.compile(r"(?:# version )?(\d{4}[a-z]{1,2})\s*")


class ZoneDatabases(NamedTuple):
    """The versions of the system's database and of the package's. A version is empty if it is not known."""

    system: str
    package: str

    @property
    def is_package_newer(self) -> bool:
        """Whether the package is used. If the versions are the same, the system's is."""
        return self.package > self.system

    @property
    def used(self) -> str:
        """The version in use, or an empty string if neither is known."""
        return max(self)


def use_newer_zones() -> ZoneDatabases:
    """Make `zoneinfo` read the newer database from now on, and return the versions of both.

    Zones that exist already keep the rules that they were made with, so this must be called before any is made.
    """
    found = ZoneDatabases(system=_system_version(map(Path, zoneinfo.TZPATH)), package=_package_version())
    if found.is_package_newer:
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo.clear_cache()
    return found


def _system_version(folders: Iterable[Path]) -> str:
    """Return the version in the first folder that has time zones, which is the one that `zoneinfo` reads.

    Linux writes it into the first line of `tzdata.zi`, and macOS into the file `+VERSION`.
    """
    for folder in folders:
        if not folder.is_dir():
            continue
        for name in ("tzdata.zi", "+VERSION"):
            with suppress(OSError), folder.joinpath(name).open(encoding="ascii", errors="replace") as file:
                return found[1] if (found := _VERSION.fullmatch(file.readline(64))) else ""
        return ""
    return ""


def _package_version() -> str:
    try:
        import tzdata
    except ImportError:
        return ""
    return str(tzdata.IANA_VERSION)


def zone_of_machine(environ: Mapping[str, str]) -> str:
    """Return the time zone that a person has set on this machine, or an empty text if it is unknown or only UTC.

    It is in `TZ`, or else where the link /etc/localtime leads.
    """
    named = environ.get("TZ", "").removeprefix(":")
    if not named:
        try:
            named = str(_LOCAL_TIME.readlink())
        except OSError:
            return ""
    zone = named.rpartition("zoneinfo/")[2]
    return zone if zone in zoneinfo.available_timezones() and "/" in zone and not zone.startswith("Etc/") else ""
