"""Places to publish to: a folder, and stores that run on this machine, each read without the program's own code."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import paramiko
import pytest
from gcsfs.core import GCSFileSystem
from s3fs import S3FileSystem

from newsletter.destinations.addresses import open_destination
from newsletter.destinations.destination import Destination
from tests.fakes.storage_api import StorageApi
from tests.openssh import USER, SshServer

OWN = (".newsletter-site.json", ".newsletter-publishing.json", ".newsletter-draft")


class KilledError(Exception):
    """The process was killed: nothing more reaches the store, not even what would clean up."""


@dataclass
class PublishingPlace:
    """A place, how it is read, and how a publisher is killed there."""

    where: str
    read: Callable[[], dict[str, bytes]]  # all files
    headers: Callable[[str], tuple[str, str] | None]  # the media type and the cache header of a file, if it has any
    put: Callable[[str, bytes], None]  # writes a file as another program would
    writes: Callable[[], int]  # how many files were written, deleted or moved since the start
    step: tuple[Any, str] | None  # the method through which each step of its library goes
    now: float = 1_000_000_000.0
    steps: list[str] = field(default_factory=list)

    def open(self) -> Destination:
        """Open it."""
        return open_destination(self.where, os.environ, clock=lambda: self.now)

    def site(self) -> dict[str, bytes]:
        """The files that are there, without the program's own."""
        return {path: content for path, content in self.read().items() if path.rpartition("/")[2] not in OWN}

    @contextmanager
    def killed_after(self, steps: int) -> Iterator[None]:
        """Let the library take only so many steps."""
        assert self.step is not None
        kind, name = self.step
        taken, original = 0, getattr(kind, name)

        def counted(system: Any, *args: Any, **keywords: Any) -> Any:
            nonlocal taken
            taken += 1
            self.steps.append(str(args[:1]))
            if taken > steps:
                raise KilledError
            return original(system, *args, **keywords)

        self.steps = []
        setattr(kind, name, counted)
        try:
            yield
        finally:
            setattr(kind, name, original)


def folder_place(folder: Path) -> PublishingPlace:
    """A folder on this machine."""
    return PublishingPlace(
        where=str(folder),
        read=partial(files_in, folder),
        headers=lambda _path: None,
        put=partial(_put, folder),
        writes=lambda: sum(path.stat().st_ctime_ns for path in [folder, *folder.rglob("*")]),
        step=None,
    )


def s3_place(url: str, bucket: str, prefix: str, requests: list[str]) -> PublishingPlace:
    """A bucket of moto's S3."""
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    start = f"{prefix}/" if prefix else ""

    def read() -> dict[str, bytes]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        return {key.removeprefix(start): client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def headers(path: str) -> tuple[str, str]:
        head = client.head_object(Bucket=bucket, Key=f"{start}{path}")
        return head["ContentType"], head["CacheControl"]

    return PublishingPlace(
        where=f"s3://{bucket}/{prefix}".rstrip("/"),
        read=read,
        headers=headers,
        put=lambda path, content: client.put_object(Bucket=bucket, Key=f"{start}{path}", Body=content),
        writes=lambda: sum(method not in {"GET", "HEAD"} for method in requests),
        step=(S3FileSystem, "_call_s3"),
    )


def gcs_place(api: StorageApi, bucket: str, prefix: str) -> PublishingPlace:
    """A bucket of our double of Google Cloud Storage."""
    objects = api.buckets.setdefault(bucket, {})
    start = f"{prefix}/" if prefix else ""

    def put(path: str, content: bytes) -> None:
        from tests.fakes.storage_api import StoredObject

        objects[f"{start}{path}"] = StoredObject(
            content=content, content_type="text/plain", cache_control=None, generation=1
        )

    def headers(path: str) -> tuple[str, str]:
        stored = objects[f"{start}{path}"]
        return stored.content_type, str(stored.cache_control)

    return PublishingPlace(
        where=f"gs://{bucket}/{prefix}".rstrip("/"),
        read=lambda: {k.removeprefix(start): each.content for k, each in objects.items() if k.startswith(start)},
        headers=headers,
        put=put,
        writes=lambda: sum(method != "GET" for method, _ in api.requests),
        step=(GCSFileSystem, "_request"),
    )


def sftp_place(server: SshServer, folder: Path, home: Path) -> PublishingPlace:
    """A folder behind an OpenSSH server, with the user's settings in the given home folder."""
    (home / ".ssh").mkdir()
    (home / ".ssh" / "known_hosts").write_text(server.host_key)
    (home / ".ssh" / "config").write_text(f"Host 127.0.0.1\n  IdentityFile {server.key}\n")
    return PublishingPlace(
        where=f"sftp://{USER}@127.0.0.1:{server.port}{folder}",
        read=partial(files_in, folder),
        headers=lambda _path: None,
        put=partial(_put, folder),
        writes=lambda: sum(path.stat().st_ctime_ns for path in [folder, *folder.rglob("*")] if path.exists()),
        step=(paramiko.SFTPClient, "_async_request"),
    )


def files_in(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def cloud_environment(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Set what the libraries read, and nothing that would lead them elsewhere."""
    for name in os.environ:
        if name.startswith(("AWS_", "GOOGLE_", "NEWSLETTER_")):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def _put(folder: Path, path: str, content: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)
    for each in (folder, *folder.rglob("*")):  # the user of a server is another one than that of the tests
        each.chmod(0o777)
