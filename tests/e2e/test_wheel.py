"""The built wheel, used outside the repository: it carries the theme and the starter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what the wheel holds."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)], check=True
    )
    (wheel,) = wheels.glob("newsletter_press-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    return site


def test_the_wheel_makes_and_builds_a_workspace_of_its_own(installed: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(installed)}
    where = subprocess.run(
        [sys.executable, "-c", "import newsletter; print(newsletter.__file__)"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)
    run(tmp_path, "init", "news", env=env)
    run(tmp_path / "news", "build", env=env)
    (html,) = (tmp_path / "news").glob("build/*/email.html")
    assert "Our first letter" in html.read_text()
    assert not list((tmp_path / "news").glob("templates"))
    assert "License: MIT" in run(tmp_path / "news", "clients", env=env).stderr
    pages = Path("newsletter", "web", "studio", "pages")
    assert {path.name for path in (installed / pages).iterdir()} == {path.name for path in (ROOT / pages).iterdir()}
    assert not (installed / "newsletter" / "theme" / "web").exists()
    assert (installed / "newsletter" / "checks" / "clients" / "data" / "caniemail.LICENSE").is_file()
    scripts = sorted((installed / "newsletter" / "checks" / "browser").glob("*.sh"))
    assert [(path.name, os.access(path, os.X_OK)) for path in scripts] == [
        ("driver.sh", True),
        ("unprivileged.sh", True),
    ]
