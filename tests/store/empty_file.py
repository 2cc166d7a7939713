"""An empty SQLite database with all tables, for tests that are not about how the tables are made."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from newsletter.store.opening import open_database


def write_empty_file(path: Path) -> Path:
    """Write an empty database to a path where there is no file, as `open_database` does, in a tenth of the time."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_content())
    return path


@cache
def _content() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        open_database(path).close()
        return path.read_bytes()
