"""What a hostile or unlucky visitor tries at the service's forms and links."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from newsletter.model.preferences import LinkRequestKind
from newsletter.model.signup import MOST_PER_ADDRESS
from newsletter.store.forgotten import forget_person
from newsletter.store.subscribers import find_subscriber
from newsletter.system.environment import VARIABLE
from tests.providers.smtp_server import SmtpServer
from tests.store.builders import KEY, NOW
from tests.web.public.choosing import do, save
from tests.web.public.conftest import TOPICS, ServedPages
from tests.web.public.joining import NEW, Joining
from tests.workspaces import CONFIG

ANA, BO, VICTIM = "ana@example.org", "bo@example.org", "victim@example.com"
OTHER_KEY = b"1" * 32


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    """The relay that takes the email."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def settings(relay: SmtpServer) -> str:
    """A workspace that sends through the relay."""
    smtp = f'[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = {relay.port}\n'
    return CONFIG + TOPICS + smtp + 'security = "none"\nconcurrency = 1\n'


@pytest.fixture
def post(served: ServedPages, relay: SmtpServer) -> Joining:
    """The service and the relay."""
    return Joining(served, relay)


def test_a_change_of_address_does_not_start_the_limits_of_a_stranger_again(post: Joining) -> None:
    served, own = post.pages, [ANA, *(f"other{number}@example.org" for number in range(4))]
    for now, then in pairwise(own):
        do(served, served.preferences(now), "address", email=VICTIM)
        post.run()
        do(served, served.preferences(now), "address", email=then)
        post.run()
        links = [post.link_in(post.mails_to(each)[-1], "/my/") for each in (now, then)]
        assert all("address" in do(served, link, "confirm").text for link in links)

    assert find_subscriber(served.database, own[-1]) is not None
    (mail,) = post.mails_to(VICTIM)
    assert served.get(post.link_in(mail, "/my/")).body == served.get("/my/1-" + "A" * 22).body


def test_the_address_of_a_stranger_is_kept_no_longer_than_the_limits_need_it(post: Joining) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "address", email=VICTIM)
    post.run()
    served.later(seconds=(max(MOST_PER_ADDRESS) + timedelta(minutes=1)).total_seconds())
    do(served, served.preferences(ANA), "data")
    post.run()

    with served.database.read() as connection:
        assert connection.execute("SELECT kind FROM link_request", {}).fetchall() == [("data",)]


@pytest.mark.parametrize("address", [f"{VICTIM}.", "VICTIM@Example.com", '"victim"@example.com', "ｖictim@example.com"])
def test_another_spelling_of_an_address_gets_no_further_email(post: Joining, address: str) -> None:
    post.ask(VICTIM)
    post.run()

    post.ask(address)
    post.run()

    assert len(post.relay.taken) == 1


@pytest.mark.parametrize(("name", "kept"), [("N\0ia", "Nia"), ("N\x1b]0;ia", ""), ("Nia\r\nBcc: x", "Nia Bcc: x")])
def test_a_name_has_no_characters_that_a_terminal_or_a_database_refuses(post: Joining, name: str, kept: str) -> None:
    post.join(NEW, {"first_name": name})

    person = find_subscriber(post.pages.database, NEW)
    assert person is not None
    assert person.record.first_name == kept


@pytest.mark.parametrize("key", [None, OTHER_KEY.hex()])
def test_a_key_that_is_missing_or_wrong_is_no_failure_of_the_page(
    post: Joining, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.ask(NEW)
    post.run()
    link = post.link_in(post.mails_to(NEW)[0])
    forget_person(post.pages.database, BO, key=KEY, now=NOW)
    if key is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, key)

    answer = post.confirm(link)

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert find_subscriber(post.pages.database, NEW) is None


def test_no_one_is_deleted_with_another_key(post: Joining) -> None:
    served = post.pages
    forget_person(served.database, BO, key=OTHER_KEY, now=NOW)
    do(served, served.preferences(ANA), "data")

    answer = do(served, served.asked(ANA, LinkRequestKind.DATA), "delete")

    assert answer.status == 503
    assert find_subscriber(served.database, ANA) is not None


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_a_remark_does_not_bring_back_the_address_of_an_erased_person(post: Joining, key: bytes) -> None:
    served = post.pages
    forget_person(served.database, BO, key=key, now=NOW)
    link = served.link(ANA)
    left = served.ask("POST", link, b"List-Unsubscribe=One-Click")
    served.later(seconds=5)
    said = {"from": "page", "do": "why", "reason": "other", "remark": f"ask {BO}", "stamp": left.value_of("stamp")}

    served.press(link, said)

    with served.database.read() as connection:
        ((remark,),) = connection.execute("SELECT remark FROM leaving_remark", {}).fetchall()
    assert str(remark).startswith("ask ")
    assert BO not in str(remark)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Pacific/Kiritimati", "America/Los_Angeles", "Europe/Berlin"])
def test_who_has_paused_can_save_at_any_hour_until_the_pause_ends(post: Joining, zone: str) -> None:
    served, begun = post.pages, datetime(2026, 3, 3, 12, tzinfo=UTC)
    served.now = begun
    save(served, served.preferences(ANA), timezone=zone, pause="2026-03-05")

    for hour in range(0, 60, 5):
        served.now = begun + timedelta(hours=hour)
        answer = save(served, served.preferences(ANA), first_name="Ana" if hour % 2 else "Anna")
        assert 'aria-invalid="true"' not in answer.text, served.now
