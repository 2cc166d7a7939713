"""The stores that the tests of destinations publish to."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from werkzeug.serving import WSGIRequestHandler

from tests.destinations.places import (
    PublishingPlace,
    cloud_environment,
    folder_place,
    gcs_place,
    s3_place,
    sftp_place,
)
from tests.fakes.storage_api import StorageApi
from tests.openssh import SshServer, running_openssh

BUCKET = "newsletter-site"
AWS = {
    "AWS_ACCESS_KEY_ID": "testing-id",
    "AWS_SECRET_ACCESS_KEY": "testing-secret-key",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_numbers = count()


@pytest.fixture(scope="session")
def moto_requests() -> list[str]:
    """The methods of the requests that moto has answered."""
    return []


@pytest.fixture(scope="session")
def moto_url(moto_requests: list[str]) -> Iterator[str]:
    """A local S3."""
    patch = pytest.MonkeyPatch()
    patch.setattr(WSGIRequestHandler, "log_request", lambda self, *_: moto_requests.append(self.command))
    for name, value in AWS.items():
        patch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=url).create_bucket(Bucket=BUCKET)
    yield url
    server.stop()
    patch.undo()


@pytest.fixture(scope="session")
def storage_api() -> Iterator[StorageApi]:
    """Our double of Google Cloud Storage."""
    with StorageApi() as api:
        yield api


@pytest.fixture(scope="session")
def ssh_server() -> Iterator[SshServer]:
    """A local OpenSSH server."""
    with running_openssh() as server:
        yield server


@pytest.fixture(params=["folder", "s3", "gs", "sftp"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, keep_home_clean: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PublishingPlace]:
    """An empty place of each kind."""
    yield from _place(request.param, request, tmp_path, keep_home_clean, monkeypatch)


@pytest.fixture(params=["s3", "gs", "sftp"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, keep_home_clean: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PublishingPlace]:
    """An empty place of each kind on another machine."""
    yield from _place(request.param, request, tmp_path, keep_home_clean, monkeypatch)


def _place(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PublishingPlace]:
    number = f"site-{next(_numbers)}"
    if kind == "folder":
        yield folder_place(tmp_path / "site")
    elif kind == "s3":
        url = request.getfixturevalue("moto_url")
        cloud_environment(monkeypatch, {**AWS, "AWS_ENDPOINT_URL_S3": url})
        yield s3_place(url, BUCKET, number, request.getfixturevalue("moto_requests"))
    elif kind == "gs":
        api = request.getfixturevalue("storage_api")
        cloud_environment(monkeypatch, {"STORAGE_EMULATOR_HOST": api.url})
        yield gcs_place(api, BUCKET, number)
    else:
        server = request.getfixturevalue("ssh_server")
        yield sftp_place(server, server.folder / number, home)
        for name in ("known_hosts", "config"):
            (home / ".ssh" / name).unlink()
        (home / ".ssh").rmdir()
