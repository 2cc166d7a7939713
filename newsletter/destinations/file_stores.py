"""Stores of files behind fsspec: S3 and Google Cloud Storage, which write whole objects, and SFTP.

Credentials come from where each library looks for them: variables of the environment, and its own files.
"""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from newsletter.destinations.remote import DRAFT, RemoteFiles
from newsletter.destinations.site_kinds import FileHeaders

_CONNECT_SECONDS, _READ_SECONDS = 10, 30  # of one step on a connection; the deadlines of whole steps are in remote.py
_AT_ONCE = 8


class ObjectStore:
    """A bucket, or a part of one."""

    threads = _AT_ONCE

    def __init__(self, system: Any, root: str, arguments: Callable[[FileHeaders], dict[str, Any]]) -> None:
        self._system, self._root, self._arguments = system, root.rstrip("/"), arguments

    def read(self, path: str, *, most: int) -> bytes | None:
        """Return the first `most` bytes of an object, or None if there is none."""
        with suppress(FileNotFoundError):
            size = self._system.size(self._full(path))
            # Stores refuse to read a part of an object that is empty.
            return bytes(self._system.cat_file(self._full(path), end=most if size > most else None))
        return None

    def write(self, path: str, content: bytes, headers: FileHeaders) -> None:
        """Write an object, which appears when it is complete."""
        self._system.pipe_file(self._full(path), content, **self._arguments(headers))

    def create(self, path: str, content: bytes, headers: FileHeaders) -> bool:
        """Write an object unless it exists. Return whether it was written."""
        try:
            self._system.pipe_file(self._full(path), content, mode="create", **self._arguments(headers))
        except FileExistsError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Delete an object, if it exists."""
        with suppress(FileNotFoundError):
            self._system.rm_file(self._full(path))

    def names(self) -> Iterator[str]:
        """Yield the paths of all objects."""
        for name in self._system.find(self._root):
            yield name.removeprefix(f"{self._root}/")

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"


class SftpFiles:
    """A folder on a machine that is reached by SFTP."""

    threads = 1  # one connection, which carries out one thing after another

    def __init__(self, system: Any, root: str) -> None:
        self._system, self._root = system, root.rstrip("/")
        self._folders: set[str] = set()  # that exist

    def read(self, path: str, *, most: int) -> bytes | None:
        """Return the first `most` bytes of a file, or None if there is none."""
        with suppress(FileNotFoundError), self._system.ftp.open(self._full(path), "rb") as file:
            return bytes(file.read(most))
        return None

    def write(self, path: str, content: bytes, headers: FileHeaders) -> None:
        """Write a file beside its place, in the same folder, and move it there in one step."""
        self._system.ftp.posix_rename(self._draft_for(path, content), self._full(path))

    def create(self, path: str, content: bytes, headers: FileHeaders) -> bool:
        """Write a file unless it exists. A plain rename of SFTP fails if it does."""
        draft = self._draft_for(path, content)
        try:
            self._system.ftp.rename(draft, self._full(path))
        except OSError:
            self._system.ftp.remove(draft)
            if not self._system.exists(self._full(path)):
                raise
            return False
        return True

    def delete(self, path: str) -> None:
        """Delete a file, if it exists, and the folders that become empty."""
        with suppress(FileNotFoundError):
            self._system.ftp.remove(self._full(path))
        folder = posixpath.dirname(path)
        with suppress(OSError):  # not empty
            while folder:
                self._system.ftp.rmdir(self._full(folder))
                self._folders.discard(self._full(folder))
                folder = posixpath.dirname(folder)

    def names(self) -> Iterator[str]:
        """Yield the paths of all files."""
        for name in self._system.find(self._root or "/"):
            yield name.removeprefix(f"{self._root}/")

    def _draft_for(self, path: str, content: bytes) -> str:
        folder = posixpath.dirname(self._full(path))
        if folder not in self._folders:
            self._system.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        draft = f"{folder}/{DRAFT}"
        try:
            self._system.ftp.putfo(BytesIO(content), draft)
        except OSError:
            with suppress(OSError):
                self._system.ftp.remove(draft)
            raise
        return draft

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"


def s3_files(bucket: str, path: str, environ: Mapping[str, str]) -> RemoteFiles:
    """Open a bucket of S3, or of a service with the same interface that AWS_ENDPOINT_URL names."""
    from s3fs import S3FileSystem

    is_other = any(environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    settings = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "retries": {"total_max_attempts": 3, "mode": "standard"},
        # Many services with this interface know neither the newer checksums nor a host name for each bucket.
        **({"request_checksum_calculation": "when_required"} if is_other else {}),
        **({"s3": {"addressing_style": "path"}} if is_other else {}),
    }
    system = S3FileSystem(config_kwargs=settings, use_listings_cache=False)
    return ObjectStore(
        system,
        f"{bucket}{path}",
        lambda headers: {"ContentType": headers.content_type, "CacheControl": headers.cache_control},
    )


def gcs_files(bucket: str, path: str, environ: Mapping[str, str]) -> RemoteFiles:
    """Open a bucket of Google Cloud Storage."""
    from gcsfs.core import GCSFileSystem  # not the default one, which opens gRPC channels for buckets of another kind

    system = GCSFileSystem(
        token="anon" if environ.get("STORAGE_EMULATOR_HOST") else "google_default",
        requests_timeout=_READ_SECONDS,
        use_listings_cache=False,
    )
    return ObjectStore(
        system,
        f"{bucket}{path}",
        lambda headers: {
            "content_type": headers.content_type,
            "fixed_key_metadata": {"cache_control": headers.cache_control},
        },
    )


def sftp_files(host: str, port: int | None, user: str | None, path: str, environ: Mapping[str, str]) -> RemoteFiles:
    """Open a folder by SFTP, with the settings, keys and known hosts in `~/.ssh`. The path may begin with `~`."""
    from newsletter.destinations.sftp_login import open_sftp

    home = Path(environ.get("HOME") or "~").expanduser()
    system = open_sftp(host, port, user, home=home, password=environ.get("NEWSLETTER_SFTP_PASSWORD") or None)
    root = path.removeprefix("/~/") if path.startswith("/~/") else path
    return SftpFiles(system, root if root.startswith("/") else system.ftp.normalize(root))
