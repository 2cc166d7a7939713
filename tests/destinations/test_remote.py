"""Stores on other machines: what is left when a publisher is killed, headers, the lock, and failures."""

import os
import re
from pathlib import Path

import pytest
from gcsfs.core import GCSFileSystem
from s3fs import S3FileSystem

from newsletter.destinations import remote
from newsletter.destinations.addresses import open_destination
from newsletter.destinations.manifest import MANIFEST
from newsletter.destinations.remote import DRAFT, LOCK
from newsletter.destinations.store_failures import failure_of
from newsletter.errors import DestinationError, NewsletterError
from newsletter.model.site_files import SiteFile
from tests.destinations.conftest import AWS, BUCKET
from tests.destinations.places import KilledError, PublishingPlace, cloud_environment
from tests.destinations.sites import AFTER, NEW, OLD, faults_of, files_of
from tests.openssh import SshServer

# Every step of a publisher is tried if this is set; otherwise some of them, which are others for each kind of store.
EVERY_STEP = bool(os.environ.get("NEWSLETTER_LONG_TESTS"))


def quiet(_done: int, _total: int) -> None:
    """No progress is wanted."""


def test_a_publisher_that_is_killed_leaves_whole_pages_and_no_link_to_nothing(store: PublishingPlace) -> None:
    store.open().publish(files_of(OLD), quiet)
    with store.killed_after(10**6):
        store.open().publish(files_of(NEW), quiet)
    steps, store.steps = len(store.steps), []
    assert store.site() == AFTER
    for number in range(0, steps, 1 if EVERY_STEP else max(1, steps // 6)):
        store.open().publish(files_of(OLD), quiet)
        killed = False
        with store.killed_after(number):
            try:
                store.open().publish(files_of(NEW), quiet)
            except NewsletterError:
                killed = True
        left = store.site()
        assert faults_of({**left, "i/ccc.png": left.get("i/ccc.png", NEW["i/ccc.png"])}) == []
        assert killed or left == AFTER
        store.now += 700
        store.open().publish(files_of(NEW), quiet)
        assert store.site() == AFTER
        assert not [name for name in store.read() if name.rpartition("/")[2] == DRAFT]


def test_what_a_killed_publisher_has_added_goes_with_its_issue(store: PublishingPlace) -> None:
    store.open().publish(files_of(OLD), quiet)

    def killed(_done: int, _total: int) -> None:
        if "2026-03/index.html" in store.site():
            raise KilledError

    with pytest.raises(KilledError):
        store.open().publish(files_of(NEW), killed)
    store.open().publish(files_of(OLD), quiet)
    assert store.site() == OLD | {"i/ccc.png": NEW["i/ccc.png"]}


@pytest.mark.parametrize("name", [MANIFEST, LOCK])
def test_a_file_that_someone_made_huge_is_not_read_whole(
    store: PublishingPlace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_MOST_READ_BYTES", 1_000_000)
    store.put(name, b"[" * 3_000_000)
    with pytest.raises(DestinationError, match=rf"{re.escape(name)} in .* is larger than 1 MB"):
        store.open().publish(files_of(OLD), quiet)
    assert store.site() == {}


@pytest.mark.parametrize("lock", [b"", b"{}", b'{"token":"x","renewed":1e999}', b'{"token":"x","renewed":"now"}'])
def test_a_lock_that_says_nothing_belongs_to_no_one(store: PublishingPlace, lock: bytes) -> None:
    store.put(LOCK, lock)
    store.open().publish(files_of(OLD), quiet)
    assert store.site() == OLD


def test_a_lock_counts_until_it_was_not_renewed_for_ten_minutes(store: PublishingPlace) -> None:
    store.put(LOCK, b'{"token":"other","renewed":%.1f}' % store.now)
    store.now += 590
    with pytest.raises(DestinationError, match=r"publish again after \d\d:\d\d UTC"):
        store.open().publish(files_of(OLD), quiet)
    assert store.site() == {}
    store.now += 20
    store.open().publish(files_of(OLD), quiet)
    assert store.site() == OLD
    assert LOCK not in store.read()


def test_a_long_publication_renews_its_lock_and_stops_when_another_took_over(store: PublishingPlace) -> None:
    def slow(_done: int, _total: int) -> None:
        store.now += 400  # so after two steps a lock that was not renewed would be stale
        with pytest.raises(DestinationError):
            store.open().publish(files_of(NEW), quiet)

    store.open().publish(files_of(OLD), slow)
    assert store.site() == OLD

    def asleep(done: int, _total: int) -> None:
        if done < 3:
            store.now += 1000
            store.open().publish(files_of(OLD), quiet, again=True)

    with pytest.raises(DestinationError, match="someone else is publishing"):
        store.open().publish(files_of(NEW), asleep)
    assert faults_of(store.site()) == []


@pytest.mark.parametrize("store", ["s3", "gs"], indirect=True)
def test_files_have_their_media_types_and_cache_headers(store: PublishingPlace) -> None:
    store.open().publish([*files_of(OLD), SiteFile("pagefind/wasm.en.pagefind", b"w")], quiet)
    forever, shortly = "public, max-age=31536000, immutable", "max-age=300"
    assert store.headers("2026-02/index.html") == ("text/html; charset=utf-8", shortly)
    assert store.headers("i/aaa.png") == ("image/png", forever)
    assert store.headers("events/retreat.ics") == ("text/calendar; charset=utf-8", shortly)
    assert store.headers("feed.xml") == ("application/rss+xml; charset=utf-8", shortly)
    assert store.headers("pagefind/fragment/en_11.pf_fragment") == ("application/octet-stream", forever)
    assert store.headers("pagefind/pagefind-entry.json") == ("application/json", shortly)
    assert store.headers("pagefind/wasm.en.pagefind") == ("application/octet-stream", shortly)
    assert store.headers(MANIFEST) == ("application/json", "no-store")


def test_a_bucket_that_does_not_exist_is_named(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud_environment(monkeypatch, {**AWS, "AWS_ENDPOINT_URL_S3": moto_url})
    with pytest.raises(DestinationError, match="s3://no-such-bucket does not exist; create it"):
        open_destination("s3://no-such-bucket", os.environ).publish(files_of(OLD), quiet)


def test_a_service_that_cannot_be_reached_is_named_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud_environment(monkeypatch, {**AWS, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"})
    S3FileSystem.clear_instance_cache()
    with pytest.raises(DestinationError, match=f"s3://{BUCKET} cannot be reached") as caught:
        open_destination(f"s3://{BUCKET}", os.environ).plan(files_of(OLD))
    S3FileSystem.clear_instance_cache()
    assert AWS["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


def test_missing_credentials_are_named(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud_environment(monkeypatch, {"AWS_ENDPOINT_URL_S3": moto_url, "AWS_EC2_METADATA_DISABLED": "true"})
    S3FileSystem.clear_instance_cache()
    with pytest.raises(DestinationError, match="has no login to use; set the credentials"):
        open_destination(f"s3://{BUCKET}", os.environ).plan(files_of(OLD))
    S3FileSystem.clear_instance_cache()
    cloud_environment(monkeypatch, {})
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
    GCSFileSystem.clear_instance_cache()
    with pytest.raises(DestinationError, match="has no login to use"):
        open_destination(f"gs://{BUCKET}", os.environ).plan(files_of(OLD))


def test_the_words_of_a_library_are_shown_without_secrets() -> None:
    error = ValueError("token=abcdef12345 is\n wrong")
    shown = str(failure_of(error, "s3://x", {"AWS_SESSION_TOKEN": "abcdef12345"}))
    assert shown == "s3://x answered with an error (token=••• is wrong); correct its cause, and publish again"


@pytest.mark.parametrize("store", ["sftp"], indirect=True)
def test_an_unknown_or_changed_host_key_is_refused(store: PublishingPlace, keep_home_clean: Path) -> None:
    known = keep_home_clean / ".ssh" / "known_hosts"
    right = known.read_text()
    known.write_text("")
    with pytest.raises(DestinationError, match=r"is not in ~/\.ssh/known_hosts; connect once"):
        store.open()
    assert known.read_text() == ""  # nothing was added
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIJ" + right.split()[-1][26:60] + "AAAAAAAA"
    known.write_text(right.replace(right.split()[-1], other))
    with pytest.raises(DestinationError, match="another host key than before"):
        store.open()


@pytest.mark.parametrize("store", ["sftp"], indirect=True)
def test_a_rejected_login_and_a_closed_folder_are_named(store: PublishingPlace, ssh_server: SshServer) -> None:
    stranger = store.where.replace("publisher@", "stranger@")
    with pytest.raises(DestinationError, match="rejects the login"):
        open_destination(stranger, os.environ)
    closed = store.where.partition("/tmp")[0] + "/sys/site"
    with pytest.raises(DestinationError, match="denied access"):
        open_destination(closed, os.environ).publish(files_of(OLD), quiet)


@pytest.mark.parametrize("store", ["sftp"], indirect=True)
def test_a_folder_may_be_below_the_home_folder(store: PublishingPlace, ssh_server: SshServer) -> None:
    where = store.where.partition("/tmp")[0] + "/~/at-home"
    open_destination(where, os.environ).publish(files_of(OLD), quiet)
    assert (ssh_server.folder / "at-home" / "index.html").read_bytes() == OLD["index.html"]
