"""What holds for every destination: a folder, S3, Google Cloud Storage and SFTP."""

import pytest

from newsletter.destinations.manifest import MANIFEST
from newsletter.errors import DestinationError, InputError, NewsletterError
from newsletter.model.site_files import SiteFile
from tests.destinations.places import PublishingPlace
from tests.destinations.sites import AFTER, CHANGED, NEW, OLD, REMOVED, faults_of, files_of


def quiet(_done: int, _total: int) -> None:
    """No progress is wanted."""


def test_a_site_is_published_completely(place: PublishingPlace) -> None:
    seen: list[tuple[int, int]] = []
    done = place.open().publish(files_of(OLD), lambda *numbers: seen.append(numbers))
    assert place.site() == OLD
    assert set(done.written) == set(OLD)
    assert seen[-1] == (len(OLD), len(OLD))


def test_publishing_again_writes_nothing(place: PublishingPlace) -> None:
    place.open().publish(files_of(OLD), quiet)
    before = place.writes()
    done = place.open().publish(files_of(OLD), quiet)
    assert place.writes() == before
    assert (done.written, set(done.unchanged), done.removed) == ((), set(OLD), ())


def test_only_what_changed_is_written_and_what_is_gone_is_removed(place: PublishingPlace) -> None:
    place.open().publish(files_of(OLD), quiet)
    plan = place.open().plan(files_of(NEW))
    assert set(plan.added + plan.changed) == CHANGED
    assert set(plan.removed) == REMOVED
    assert place.site() == OLD  # a plan changes nothing
    done = place.open().publish(files_of(NEW), quiet)
    assert place.site() == AFTER
    assert (set(done.written), set(done.removed)) == (CHANGED, REMOVED)
    assert done.written == plan.added + plan.changed


def test_files_of_others_stay_although_a_page_of_ours_has_gone(place: PublishingPlace) -> None:
    place.open().publish(files_of(OLD), quiet)
    place.put("2026-01/theirs.html", b"theirs")
    place.put("CNAME", b"news.example.org")
    place.open().publish(files_of(NEW), quiet)
    assert place.site() == AFTER | {"2026-01/theirs.html": b"theirs", "CNAME": b"news.example.org"}


def test_a_place_with_files_of_others_is_refused_and_left_alone(place: PublishingPlace) -> None:
    place.put("photos/cat.jpg", b"cat")
    for act in (place.open().plan, lambda files: place.open().publish(files, quiet), place.open().put_pictures):
        with pytest.raises(InputError, match=r"already contains photos/cat\.jpg"):
            act(files_of(OLD))
    assert place.read() == {"photos/cat.jpg": b"cat"}


def test_hidden_files_are_in_no_ones_way(place: PublishingPlace) -> None:
    place.put(".well-known/security.txt", b"theirs")
    place.open().publish(files_of(OLD), quiet)
    assert place.site() == OLD | {".well-known/security.txt": b"theirs"}


def test_pictures_are_there_before_the_pages_and_never_leave(place: PublishingPlace) -> None:
    pictures = [SiteFile("i/aaa.png", OLD["i/aaa.png"]), SiteFile("i/bbb.png", OLD["i/bbb.png"])]
    assert place.open().put_pictures(pictures[:1]).written == ("i/aaa.png",)
    assert place.open().put_pictures(pictures).written == ("i/bbb.png",)
    before = place.writes()
    assert place.open().put_pictures(pictures).written == ()
    assert place.writes() == before
    done = place.open().publish(files_of(OLD), quiet)
    assert not {"i/aaa.png", "i/bbb.png"} & set(done.written)
    place.open().publish(files_of(NEW), quiet)
    place.open().put_pictures([])
    assert place.site() == AFTER


def test_the_manifest_tells_no_one_which_pages_exist(place: PublishingPlace) -> None:
    place.open().publish(files_of(OLD), quiet)
    manifest = place.read()[MANIFEST]
    assert b"2026" not in manifest
    assert b"retreat" not in manifest


def test_a_broken_manifest_stops_everything(place: PublishingPlace) -> None:
    place.open().publish(files_of(OLD), quiet)
    place.put(MANIFEST, b'{"format": 2}')
    with pytest.raises(InputError, match="cannot be read"):
        place.open().publish(files_of(NEW), quiet)
    assert place.site() == OLD


def test_everything_is_written_again_if_that_is_wanted(place: PublishingPlace) -> None:
    place.open().publish(files_of(OLD), quiet)
    place.put("index.html", b"damaged")
    assert set(place.open().publish(files_of(OLD), quiet, again=True).written) == set(OLD)
    assert place.site() == OLD


@pytest.mark.parametrize("path", ["../x.html", "/etc/x.html", "a//b.html", "a/.b", "a\\b.html", "a\x00b", "i/"])
def test_no_path_leads_out_of_the_place(place: PublishingPlace, path: str) -> None:
    with pytest.raises(NewsletterError):
        place.open().publish([SiteFile(path, b"x")], quiet)
    assert place.site() == {}


def test_two_files_cannot_have_the_same_path(place: PublishingPlace) -> None:
    with pytest.raises(InputError, match=r"two files of the archive would be a\.html"):
        place.open().publish([SiteFile("a.html", b"x"), SiteFile("a.html", b"y")], quiet)


def test_two_publishers_do_not_meet(place: PublishingPlace) -> None:
    refused = []

    def meanwhile(_done: int, _total: int) -> None:
        with pytest.raises(DestinationError, match="publishing to") as caught:
            place.open().publish(files_of(OLD), quiet)
        refused.append(caught.value)

    place.open().publish(files_of(NEW), meanwhile)
    assert refused
    assert place.site() == NEW
    assert place.open().publish(files_of(NEW), quiet).written == ()


def test_a_publisher_that_fails_lets_the_next_one_in(place: PublishingPlace) -> None:
    place.open().publish(files_of(OLD), quiet)

    def interrupted(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.open().publish(files_of(NEW), interrupted)
    assert faults_of(place.site()) == []
    place.open().publish(files_of(NEW), quiet)
    assert place.site() == AFTER
