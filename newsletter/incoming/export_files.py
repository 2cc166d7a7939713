"""Open the export of another tool, a zip file, a folder or one file, within limits.

Names are only looked up in the result. Nothing is ever unpacked to a path that an export names.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from newsletter.errors import InputError
from newsletter.system.file_errors import explained
from newsletter.system.files import size_of_file

_MOST_ENTRIES = 20_000
_MOST_BYTES = 300_000_000  # of all files together, after decompression
_MOST_FILE_BYTES = 50_000_000
_WANTED = frozenset({".csv", ".json", ".html", ".htm", ".md", ".png", ".jpg", ".jpeg", ".gif", ".webp"})
_SMALLER = "export fewer issues at a time, or remove what is not an issue"


def read_export(path: Path) -> Mapping[str, bytes]:
    """Return the files of an export by their names, with `/` between folders.

    Raise InputError if it cannot be read, or if it is larger than any export should be.
    """
    try:
        if path.is_dir():
            return _within_limits(path, _folder_files(path))
        if size_of_file(path) > _MOST_BYTES:
            raise InputError(f"{path}: the file is larger than {_MOST_BYTES // 1_000_000} MB; {_SMALLER}")
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _within_limits(path, _zip_files(path, archive))
        return {path.name: path.read_bytes()}
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err
    except ValueError as err:  # a pipe, or a name that is no path
        raise InputError(f"{path}: {err}") from err
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zipfile.zlib.error) as err:  # type: ignore[attr-defined]
        raise InputError(f"{path}: the zip file is damaged or encrypted; download the export again") from err


def text_of(content: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16 with a mark, otherwise UTF-8, otherwise Windows-1252."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _within_limits(path: Path, files: Iterator[tuple[str, bytes]]) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    for name, content in files:
        found[name] = content
        total += len(content)
        if len(found) > _MOST_ENTRIES or total > _MOST_BYTES:
            most = f"{_MOST_ENTRIES:,} files or {_MOST_BYTES // 1_000_000} MB"
            raise InputError(f"{path}: the export has more than {most}; {_SMALLER}")
    return found


def _folder_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for each in sorted(folder.rglob("*")):
        if each.suffix.lower() in _WANTED and each.is_file() and not each.is_symlink():
            if size_of_file(each) > _MOST_FILE_BYTES:
                raise InputError(f"{each}: the file is larger than {_MOST_FILE_BYTES // 1_000_000} MB; {_SMALLER}")
            yield each.relative_to(folder).as_posix(), each.read_bytes()


def _zip_files(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise InputError(f"{path}: the zip file has more than {_MOST_ENTRIES:,} files; {_SMALLER}")
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        is_foreign = name.is_absolute() or ".." in name.parts or name.parts[:1] == ("__MACOSX",)
        if entry.is_dir() or is_foreign or name.suffix.lower() not in _WANTED:
            continue
        with archive.open(entry) as file:
            content = file.read(_MOST_FILE_BYTES + 1)  # the size that an entry states may be wrong
        if len(content) > _MOST_FILE_BYTES:
            raise InputError(f"{path}: {name.name[:60]!r} in it is too large; {_SMALLER}")
        yield str(name), content
