"""Tell whether the files have changed that an issue is made from, without reading them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from newsletter import __version__
from newsletter.calendars.announcing import RECORD_FILE
from newsletter.config import CONFIG_FILE, TEMPLATES_FOLDER, Config

_MOST_FILES = 2000  # of one issue


def made_from(folder: Path, shared: str) -> str:
    """Return a digest of the names, sizes and times of an issue's files, and of what all issues share."""
    return _digest_of_files(_files_below(folder), shared)


def shared_by_all(config: Config) -> str:
    """Return a digest of what all issues share: the settings, the logos, the templates and the version."""
    return _digest_of_files(_shared_files(config))


def _shared_files(config: Config) -> Iterator[str]:
    yield str(config.root / CONFIG_FILE)
    brand = config.settings.brand
    yield from (str(config.root / logo) for logo in (brand.logo, brand.logo_dark) if logo is not None)
    yield from _files_below(config.root / TEMPLATES_FOLDER)


def _files_below(folder: Path) -> Iterator[str]:
    """Yield the visible files of a folder and of those in it, without following links to other folders."""
    count = 0
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name == RECORD_FILE:  # written by publishing, and nothing is made from it
                continue
            count += 1
            if count > _MOST_FILES:
                return
            yield os.path.join(path, name)  # noqa: PTH118 - a page asks for thousands, and pathlib takes ten times as long


def _digest_of_files(paths: Iterable[str], shared: str = __version__) -> str:
    digest = blake2b(shared.encode(), digest_size=16)
    for path in paths:
        with suppress(OSError):
            status = os.stat(path)  # noqa: PTH116 - likewise
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()
