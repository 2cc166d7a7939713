"""Files with people in them: their owner alone can read them, and they appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from newsletter.errors import InputError


@contextmanager
def private_file(path: Path, *, overwrite: bool) -> Iterator[TextIO]:
    """A UTF-8 file to write CSV into; it gets its name when the block ends well.

    That it can have that name is seen to before the block begins.

    Raises InputError where it cannot be written, or exists and is not to be overwritten.
    """
    _require_free(path, overwrite=overwrite)
    try:
        descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
            _require_free(path, overwrite=overwrite)  # writing a million people takes a while
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as err:
        raise InputError(f"{path}: cannot be written ({err.strerror}); check the folder and its permissions") from err


def _require_free(path: Path, *, overwrite: bool) -> None:
    if path.is_dir():
        raise InputError(f"{path}: it is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; name another file, or add --force")
