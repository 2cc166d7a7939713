"""A copy of the repository with a virtual environment of its own, in which a recipe is followed."""

import shutil
import sys
import sysconfig
import venv
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from tests.e2e.program import environment
from tests.extending.recipe import WORKSPACE, Copy

REPOSITORY = Path(__file__).parents[2]
# Compiled modules are copied, so that the programs start as quickly as here.
_NOT_COPIED = (".git", ".venv", ".*_cache", "build", "dist", "logs", "outbox", "newsletter.db*", WORKSPACE)
_PROGRAMS = ("newsletter", "pytest")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Return a copy of the repository, with the programs that its pages name first on the path."""
    root = tmp_path / "repository"
    shutil.copytree(REPOSITORY, root, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    programs = _make_venv(root)
    surroundings = environment()
    del surroundings["PYTHONWARNINGS"]  # the copy's tests set their own
    return Copy(root=root, folder=tmp_path, environment={**surroundings, "PATH": f"{programs}:{surroundings['PATH']}"})


def _make_venv(root: Path) -> Path:
    """Make a virtual environment that has this one's packages, and the copy in place of what is installed of ours."""
    folder = root / ".venv"
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # Lines of a .pth file are folders; .pth files in these, such as the one of an editable installation, are not read.
    (packages / "copy.pth").write_text(f"{root}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    programs = folder / "bin"
    for entry in entry_points(group="console_scripts"):
        if entry.name in _PROGRAMS:
            _write_program(programs / entry.name, entry)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff
    (programs / "ruff").symlink_to(ruff)
    return programs


def _write_program(path: Path, entry: EntryPoint) -> None:
    script = f"import sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n"
    path.write_text(f"#!{path.with_name('python')}\n{script}", encoding="utf-8")
    path.chmod(0o755)
