"""The newer of the two time zone databases is used, wherever the program is imported."""

import os
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata

from newsletter import ZONE_DATABASES
from newsletter.system import zone_database
from newsletter.system.zone_database import ZoneDatabases

SHOWN = (
    "import newsletter, zoneinfo, datetime;"
    "at = datetime.datetime(2026, 12, 9, 8, tzinfo=zoneinfo.ZoneInfo('America/Vancouver'));"
    "print(newsletter.ZONE_DATABASES.used, at.utcoffset(), zoneinfo.ZoneInfo('Europe/Berlin').utcoffset(at))"
)


def shown_with(system: Path) -> str:
    """What a new process says that begins with this folder as the system's database."""
    environ = {**os.environ, "PYTHONTZPATH": str(system)}
    ran = subprocess.run([sys.executable, "-c", SHOWN], env=environ, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def system_database(folder: Path, first_line: str, *, name: str = "tzdata.zi") -> Path:
    """A system's database in which Berlin lies in Tokyo, so that one sees who was asked."""
    (folder / "Europe").mkdir(parents=True)
    tokyo = Path(tzdata.__file__).parent / "zoneinfo" / "Asia" / "Tokyo"
    (folder / "Europe" / "Berlin").write_bytes(tokyo.read_bytes())
    (folder / name).write_text(first_line, encoding="ascii")
    return folder


@pytest.mark.parametrize(
    ("first_line", "name"),
    [("# version 2025b\n", "tzdata.zi"), ("2025b\n", "+VERSION"), ("zones of ours\n", "tzdata.zi"), ("", "other")],
)
def test_an_older_database_of_the_system_is_not_used(tmp_path: Path, first_line: str, name: str) -> None:
    said = shown_with(system_database(tmp_path / "zones", first_line, name=name))
    assert said == f"{tzdata.IANA_VERSION} -1 day, 17:00:00 1:00:00"


@pytest.mark.parametrize(("first_line", "name"), [("# version 2099a\n", "tzdata.zi"), ("2099a\n", "+VERSION")])
def test_a_newer_database_of_the_system_is_used_and_the_package_fills_its_gaps(
    tmp_path: Path, first_line: str, name: str
) -> None:
    said = shown_with(system_database(tmp_path / "zones", first_line, name=name))
    assert said == "2099a -1 day, 17:00:00 9:00:00"


def test_without_a_database_of_the_system_the_package_is_used(tmp_path: Path) -> None:
    assert shown_with(tmp_path / "nowhere").startswith(f"{tzdata.IANA_VERSION} ")


def test_of_equal_versions_the_systems_is_used() -> None:
    assert not ZoneDatabases(system="2026f", package="2026f").is_package_newer
    assert ZoneDatabases(system="2026f", package="2026g").used == "2026g"
    assert ZoneDatabases(system="2026g", package="2026f").used == "2026g"


def test_this_process_uses_the_newer_one() -> None:
    assert ZONE_DATABASES.used >= tzdata.IANA_VERSION
    assert ZoneInfo("America/Vancouver").key


@pytest.mark.parametrize(
    ("environ", "leads_to", "zone"),
    [
        ({"TZ": "Europe/Lisbon"}, "/usr/share/zoneinfo/Asia/Tokyo", "Europe/Lisbon"),
        ({"TZ": ":/usr/share/zoneinfo/Europe/Lisbon"}, "", "Europe/Lisbon"),
        ({}, "/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ({}, "../usr/share/zoneinfo/America/Argentina/Salta", "America/Argentina/Salta"),
        ({}, "/usr/share/zoneinfo/Etc/UTC", ""),
        ({"TZ": "UTC"}, "", ""),
        ({"TZ": "CET-1CEST"}, "", ""),
        ({}, "", ""),
    ],
)
def test_the_zone_of_the_machine_is_one_that_a_person_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], leads_to: str, zone: str
) -> None:
    link = tmp_path / "localtime"
    if leads_to:
        link.symlink_to(leads_to)
    monkeypatch.setattr(zone_database, "_LOCAL_TIME", link)
    assert zone_database.zone_of_machine(environ) == zone
