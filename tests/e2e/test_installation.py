"""What gets installed: constraints.txt pins every package by hash, and the set-up refuses any other file."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from newsletter import DISTRIBUTION, install_hint

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^\w(?:.*\\\n)*.*\n", CONSTRAINTS, flags=re.MULTILINE)
PINNED = {canonicalize_name(pin.name): pin for pin in (Requirement(entry.split("\\\n")[0]) for entry in ENTRIES)}
SMALL = "mdurl"  # one of the packages, for what is tried on one alone


def asked_for() -> list[str]:
    """Every requirement in pyproject.toml: of the program, its extras, its development and its build."""
    project = PROJECT["project"]
    extras = [text for extra in project["optional-dependencies"].values() for text in extra]
    build = PROJECT["build-system"]["requires"]
    return [*project["dependencies"], *extras, *PROJECT["dependency-groups"]["dev"], *build]


@pytest.mark.parametrize("text", [*asked_for(), "pip"])
def test_whatever_the_project_asks_for_is_pinned_within_its_bounds(text: str) -> None:
    requirement = Requirement(text)
    (pin,) = PINNED[canonicalize_name(requirement.name)].specifier

    assert pin.operator == "=="
    assert requirement.specifier.contains(pin.version)


def test_every_pinned_release_has_its_hashes_and_no_address() -> None:
    assert "".join(ENTRIES) == "".join(line for line in CONSTRAINTS.splitlines(keepends=True) if line[0] != "#")
    for entry in ENTRIES:
        first, *hashes = entry.rstrip("\n").split(" \\\n")
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", first)
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", each) for each in hashes), entry
    assert "://" not in CONSTRAINTS


def wheel_made_here(folder: Path) -> str:
    """Put a wheel under the name and version of a pinned release into the folder, and return its SHA-256."""
    (pin,) = PINNED[SMALL].specifier
    path = folder / f"{SMALL}-{pin.version}-py3-none-any.whl"
    info = f"{SMALL}-{pin.version}.dist-info"
    with ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {SMALL}\nVersion: {pin.version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def set_up(checkout: Path, constraints: str) -> subprocess.CompletedProcess[str]:
    """Run the script that `make` sets up .venv with, where pip finds only the wheel that was made here."""
    (checkout / "constraints.txt").write_text(constraints)
    only_here = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(checkout)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    # pip asks a Rust compiler, where there is one, for its version, and some of those then write to the home folder.
    env = {**kept, **only_here, "PIP_NO_CACHE_DIR": "1", "HOME": str(checkout), "PYTHON": sys.executable}
    return subprocess.run(["scripts/make-venv"], cwd=checkout, env=env, capture_output=True, text=True, check=False)


def test_set_up_refuses_a_file_whose_hash_differs_in_one_digit(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    ours = wheel_made_here(tmp_path)
    (entry,) = (each for each in ENTRIES if each.startswith(f"{SMALL}=="))
    theirs = re.findall(r"sha256:(\w+)", entry)
    pinning_ours = entry.replace(theirs[0], ours)
    changed = ours[:-1] + ("0" if ours[-1] != "0" else "1")

    for wrong in (entry, pinning_ours.replace(ours, changed)):
        refused = set_up(tmp_path, wrong)
        assert refused.returncode != 0
        assert "DO NOT MATCH THE HASHES" in refused.stderr
        assert ours in refused.stderr
        assert not list(tmp_path.glob(f".venv/lib/*/site-packages/{SMALL}-*"))

    done = set_up(tmp_path, pinning_ours)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob(f".venv/lib/*/site-packages/{SMALL}-*"))


def test_a_copied_folder_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    shutil.copytree(ROOT / "scripts", original / "scripts")
    shutil.copy(ROOT / "Makefile", original)
    (original / "pyproject.toml").touch()
    ours = wheel_made_here(original)
    (entry,) = (each for each in ENTRIES if each.startswith(f"{SMALL}=="))
    pinning_ours = entry.replace(re.findall(r"sha256:(\w+)", entry)[0], ours)
    assert set_up(original, pinning_ours).returncode == 0
    (original / ".venv/.dev").write_text(f"{original.resolve()}\n")
    assert subprocess.run(["make", "--question", "setup"], cwd=original, check=False).returncode == 0
    assert set_up(original, pinning_ours).returncode == 0  # nothing has moved, so this changes nothing
    shutil.copytree(original, copy, symlinks=True)

    assert subprocess.run(["make", "--question", "setup"], cwd=copy, check=False).returncode == 1
    assert set_up(copy, pinning_ours).returncode == 0
    assert str(original) not in (copy / ".venv/bin/pip").read_text()
    assert list(copy.glob(f".venv/lib/*/site-packages/{SMALL}-*"))


@pytest.mark.parametrize("variable", ["PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "PYTHONHOME"])
def test_settings_for_another_python_do_not_reach_the_set_up(tmp_path: Path, variable: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = subprocess.run(
        ["make", "--eval", "show: ; @env", "show"],
        cwd=tmp_path,
        env={**os.environ, variable: "/nowhere", "PIP_USER": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "/nowhere" not in done.stdout
    assert "PIP_USER=0" in done.stdout


def test_every_hint_installs_the_distribution_of_this_project() -> None:
    assert PROJECT["project"]["name"] == DISTRIBUTION
    assert PROJECT["project"]["scripts"].keys() == {"newsletter"}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "newsletter").rglob("*.py")]
    hints = [hint for page in pages for hint in re.findall(r'pip install "[\w-]+\[\w+\]"', page.read_text("utf-8"))]
    assert set(hints) == {install_hint(extra) for extra in PROJECT["project"]["optional-dependencies"]}
