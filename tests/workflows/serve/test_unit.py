"""The systemd unit: systemd takes it, it is hardened, and it shows what it hides."""

import shutil
import subprocess
from pathlib import Path

import pytest

from newsletter.config import Config, load_config
from newsletter.workflows.serve.unit import ServicePlace, explanations, unit_text
from tests.workspaces import CONFIG, write_workspace

MOST_EXPOSED = 1.7  # of 10, as systemd-analyze computes it


def place(workspace: str, *needed: str, user: str = "daemon") -> ServicePlace:
    return ServicePlace(
        workspace=Path(workspace), user=user, command=Path("/bin/true"), needed=tuple(map(Path, needed))
    )


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(write_workspace(tmp_path / "workspace"))


PLACES = [
    place("/srv/newsletter"),
    place("/home/ana/My 50% News", "/home/ana/.venv", "/opt/python"),
    place('/srv/a "quoted" name'),
]


@pytest.mark.parametrize("where", PLACES, ids=str)
def test_systemd_takes_the_unit_and_finds_it_hardened(config: Config, tmp_path: Path, where: ServicePlace) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    unit = tmp_path / "newsletter.service"
    unit.write_text(unit_text(config, where))
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exposure = float(found.rpartition("exposure level for newsletter.service:")[2].split()[0])
    assert exposure <= MOST_EXPOSED


def test_a_workspace_in_a_home_folder_is_shown_to_the_service_and_that_is_said(config: Config) -> None:
    text, told = unit_text(config, PLACES[1]), " ".join(explanations(PLACES[1]))
    assert "\nProtectHome=tmpfs\n" in text
    assert '\nBindPaths="/home/ana/My 50%% News"\n' in text
    assert "\nBindReadOnlyPaths=/home/ana/.venv\n" in text
    assert "/opt/python" not in text
    assert "A service sees no home folders" in told
    assert "/home/ana/.venv" in told


def test_elsewhere_no_home_folder_is_seen(config: Config) -> None:
    assert "\nProtectHome=yes\n" in unit_text(config, PLACES[0])
    assert "home folders" not in " ".join(explanations(PLACES[0]))


def test_a_folder_of_root_is_told(config: Config) -> None:
    assert "belongs to root" in " ".join(explanations(place("/srv/newsletter", user="root")))


def test_a_name_with_percent_signs_stays_text(tmp_path: Path) -> None:
    settings = CONFIG.replace("Small Letter", "100% %h Letter")
    config = load_config(write_workspace(tmp_path, {"newsletter.toml": settings}))
    assert "\nDescription=100%% %%h Letter: pages" in unit_text(config, PLACES[0])


def test_postgresql_is_started_first(tmp_path: Path) -> None:
    settings = f'{CONFIG}\n[database]\nurl = "postgresql://localhost/news"\n'
    config = load_config(write_workspace(tmp_path, {"newsletter.toml": settings}))
    assert "\nAfter=network-online.target postgresql.service\n" in unit_text(config, PLACES[0])
