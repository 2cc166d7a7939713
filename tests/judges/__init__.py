"""Programs of others, written in JavaScript. `scripts/install-judges` installs them."""

import shutil
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parent


def require_judge(name: str) -> Path:
    """Return the folder of a program, or skip the test if the program or Node is absent."""
    folder = _FOLDER / "node_modules" / name
    if shutil.which("node") is None or not folder.is_dir():
        pytest.skip(f"{name} is not installed here; run scripts/install-judges")
    return folder
