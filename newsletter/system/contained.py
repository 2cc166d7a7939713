"""Read and replace files below one folder, whatever a name says and whatever others change in the meantime.

A name comes from someone who may only reach this folder: an agent, or a form in the studio. Each part of it must be
plain, and is opened relative to the folder above it, without following links. So no name leads elsewhere, even if a
folder is replaced by a link between two steps.
"""

import fcntl
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from unicodedata import category, normalize

from msgspec import Struct

from newsletter.errors import ConflictError, InputError
from newsletter.system.file_errors import explained
from newsletter.system.files import SHARED

NOTHING = ""  # the fingerprint of a file that does not exist
_LONGEST_PART = 200  # bytes; a file system takes 255, and a draft's name is a little longer than the file's
_MOST_PARTS = 8
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK, because opening a pipe would otherwise wait for someone to write to it.
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DRAFT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SEPARATORS = re.compile(r'[/\\:*?"<>|]')  # in some system's paths, streams or patterns
# Names of devices on Windows, whatever their ending is (Microsoft, "Naming Files, Paths, and Namespaces").
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9]) *(?:\..*)?", re.IGNORECASE)


class FoundFile(Struct, frozen=True, kw_only=True):
    """The content of a file, and the permissions of its owner, group and others."""

    content: bytes
    permissions: int = SHARED


class FolderEntry(Struct, frozen=True, kw_only=True):
    """A file or a folder in a folder. Links and anything else are not listed."""

    name: str
    is_folder: bool
    size_bytes: int


def fingerprint_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content in hexadecimal, by which an editor recognizes what it has read."""
    return sha256(content).hexdigest()


def plain_parts(name: str) -> tuple[str, ...]:
    """Return the parts of a relative path, with `/` between them, in the composed spelling (NFC).

    Raise InputError if it is absolute, or if a part is hidden, leads upwards, is a device on some system, or contains
    a character that is invisible or that some system reads as a separator.
    """
    parts = tuple(normalize("NFC", part) for part in name.split("/"))
    if len(parts) > _MOST_PARTS:
        raise InputError(f"{name[:60]!r} is not a path in this folder; it has too many parts")
    for part in parts:
        # A compatibility character such as `／` or `‥` becomes a separator or dots on some drives.
        if fault := _fault_in(part) or _fault_in(normalize("NFKC", part)):
            raise InputError(f"{name[:60]!r} is not a path in this folder; {fault}")
    return parts


def list_below(root: Path, name: str) -> tuple[FolderEntry, ...]:
    """Return the visible files and folders in a folder below `root`, sorted. Raise InputError if it cannot be read."""
    with _opened_folder(root, plain_parts(name)) as folder:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - a path cannot be made of a descriptor
        found = [_entry(folder, each) for each in names if not each.startswith(".")]
    return tuple(entry for entry in found if entry is not None)


def read_below(root: Path, name: str, *, most_bytes: int) -> bytes:
    """Return the content of a file below `root`.

    Raise InputError if there is no such file, if it is a link or no file, or if it is larger than `most_bytes`.
    """
    *above, last = plain_parts(name)
    with _opened_folder(root, above) as folder:
        actual = _actual_name(folder, last)
        if actual is None:
            raise InputError(f"there is no file {name}; list the files, and write the name as it is there")
        return _read(folder, actual, name, most_bytes=most_bytes).content


def write_below(root: Path, name: str, content: bytes, *, replaces: str, most_bytes: int) -> None:
    """Write a file below `root`, completely or not at all. A missing folder directly above it is created.

    `replaces` is the fingerprint of the content that the writer has read, or `NOTHING` for a new file. Raise
    ConflictError if the file is different by now. Raise InputError if it cannot be written, or if it is a link. Other
    writers through this function wait for each other. An editor that saves at the same moment cannot be made to wait;
    the time in which its change would be lost is that of one rename.
    """
    *above, last = plain_parts(name)
    if len(content) > most_bytes:
        raise InputError(f"{name} would have {len(content):,} bytes; the most is {most_bytes:,}")
    with _opened_folder(root, above, makes_last=True) as folder, _turn_in(folder):
        draft = f".{last}-{token_hex(4)}"
        try:
            before = _required(folder, last, name, replaces, most_bytes=most_bytes)
            _write_draft(folder, draft, content, permissions=before.permissions if before else SHARED)
            _required(folder, last, name, replaces, most_bytes=most_bytes)
            if before is None:
                _give_new_name(folder, draft, last, name)
            else:
                os.rename(draft, last, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except OSError as err:
            raise InputError(str(explained(err, root / name, elsewhere=""))) from err
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=folder)


def _fault_in(part: str) -> str:
    """Return what is wrong with one part of a path, or an empty string."""
    if not part or part.startswith((".", " ")) or part.endswith((".", " ")):
        return "no part may be empty, or begin or end with a dot or a space"
    if _SEPARATORS.search(part) or _DEVICES.fullmatch(part):
        return f"{part[:40]!r} means something else on some systems"
    if any(category(sign)[0] in "CZ" and sign != " " for sign in part):
        return "it contains an invisible character"
    return "a part of it is too long" if len(part.encode(errors="replace")) > _LONGEST_PART else ""


@contextmanager
def _opened_folder(root: Path, parts: Sequence[str], *, makes_last: bool = False) -> Iterator[int]:
    """Yield a descriptor of a folder below `root`. `root` itself is trusted, and may be reached through links."""
    shown, folder = "", -1
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for number, part in enumerate(parts, 1):
            shown = f"{shown}{part}/"
            actual = _actual_name(folder, part)
            if actual is None and makes_last and number == len(parts):
                os.mkdir(part, dir_fd=folder)
            inner = os.open(actual or part, _FOLDER_FLAGS, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    except FileNotFoundError as err:
        raise InputError(f"there is no folder {shown or root}; list what is there first") from err
    except (NotADirectoryError, FileExistsError) as err:
        raise InputError(f"{shown} is a link or a file, not a folder; name a folder") from err
    except OSError as err:
        raise InputError(str(explained(err, root / shown, elsewhere=""))) from err
    finally:
        if folder >= 0:
            os.close(folder)


def _actual_name(folder: int, part: str) -> str | None:
    """Return the name of an entry as the drive spells it, or None if there is none.

    Raise InputError if there is one that a drive may take for the same, such as `Letter.md` for `letter.md`.
    """
    names = os.listdir(folder)
    if part in names:
        return part
    for name in names:
        if normalize("NFC", name) == part:
            return name
        if _folded(name) == _folded(part):
            raise InputError(f"there is no {part!r}, but {name!r}, which some drives take for the same; write {name!r}")
    return None


def _folded(name: str) -> str:
    return normalize("NFKC", normalize("NFKC", name).casefold())


def _entry(folder: int, name: str) -> FolderEntry | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:  # deleted in the meantime
        return None
    is_folder = stat.S_ISDIR(found.st_mode)
    if not is_folder and not stat.S_ISREG(found.st_mode):
        return None
    return FolderEntry(name=name, is_folder=is_folder, size_bytes=0 if is_folder else found.st_size)


def _read(folder: int, actual: str, name: str, *, most_bytes: int) -> FoundFile:
    try:
        descriptor = os.open(actual, _FILE_FLAGS, dir_fd=folder)
    except OSError as err:
        raise InputError(f"{name} cannot be read as a file ({err.strerror}); name another one") from err
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{name} is not a file; name a file")
        content = file.read(most_bytes + 1) if found.st_size <= most_bytes else b""
        if found.st_size > most_bytes or len(content) > most_bytes:
            raise InputError(f"{name} is too large ({found.st_size:,} bytes); the most is {most_bytes:,}")
    return FoundFile(content=content, permissions=stat.S_IMODE(found.st_mode) & 0o777)


def _required(folder: int, last: str, name: str, replaces: str, *, most_bytes: int) -> FoundFile | None:
    """Return the file as it is now, or None if there is none. Raise ConflictError unless it is what was expected."""
    actual = _actual_name(folder, last)
    if actual not in {last, None}:
        raise InputError(f"{name} exists in another spelling of the same letters; rename that file first")
    found = None if actual is None else _read(folder, actual, name, most_bytes=most_bytes)
    current = NOTHING if found is None else fingerprint_of(found.content)
    if current == replaces:
        return found
    if found is None:
        raise ConflictError(f"{name} no longer exists; read the folder again")
    if replaces == NOTHING:
        raise ConflictError(f"{name} already exists; read it, then write again with its fingerprint")
    raise ConflictError(f"{name} was changed in the meantime; read it again, and make your change to the new text")


def _write_draft(folder: int, draft: str, content: bytes, *, permissions: int) -> None:
    def opened(path: str, _flags: int) -> int:
        return os.open(path, _DRAFT_FLAGS, permissions, dir_fd=folder)

    with open(draft, "wb", opener=opened) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _give_new_name(folder: int, draft: str, last: str, name: str) -> None:
    """Give a draft the name of a file that must not exist. A link fails if it does, and a rename would replace it."""
    try:
        os.link(draft, last, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError as err:
        raise ConflictError(f"{name} was created in the meantime; read it, and make your change to that text") from err
    except OSError:  # a drive without hard links
        if _actual_name(folder, last) is not None:
            raise ConflictError(f"{name} was created in the meantime; read it first") from None
        os.rename(draft, last, src_dir_fd=folder, dst_dir_fd=folder)


@contextmanager
def _turn_in(folder: int) -> Iterator[None]:
    """Wait until no other process or thread writes to the folder through this module. The turn ends with the block."""
    with suppress(OSError):  # a file system without locks
        fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_UN)
