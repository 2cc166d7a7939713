"""Links that people ask for: they arrive by email, open their data, and change their address."""

import json
from collections.abc import Iterator

import pytest

from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.edit import Edit
from newsletter.model.preferences import LinkRequestKind
from newsletter.store.editing import edit_people
from newsletter.store.forgotten import forget_person, forgotten_since
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.subscribers import find_subscriber, history
from newsletter.store.suppressions import add_suppression, find_suppression, suppressions_of
from tests.providers.smtp_server import SmtpServer
from tests.store.builders import NOW, add, row
from tests.web.public.choosing import do
from tests.web.public.conftest import KEY, TOPICS, ServedPages, serving
from tests.web.public.joining import Joining, body_of, links_in
from tests.workspaces import CONFIG

ANA, BO, NEW = "ana@example.org", "bo@example.org", "new@example.org"
DATA = LinkRequestKind.DATA
ONE_CLICK = b"List-Unsubscribe=One-Click"


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


def link_to(post: Joining, address: str) -> str:
    """The link in the newest email to someone, as it was delivered."""
    post.run()
    return post.link_in(post.mails_to(address)[-1], "/my/")


def change(post: Joining, email: str = NEW) -> tuple[str, str]:
    """Ana asks for another address. Return the links in both emails."""
    do(post.pages, post.pages.preferences(ANA), "address", email=email)
    return link_to(post, ANA), link_to(post, email)


def test_a_link_arrives_by_email_and_shows_the_data_after_a_button(post: Joining) -> None:
    served = post.pages
    asked = do(served, served.preferences(ANA), "data")
    link = link_to(post, ANA)
    page = served.get(link)
    shown = do(served, link, "show")
    file = do(served, link, "download")

    (mail,) = post.mails_to(ANA)
    data = json.loads(file.body)
    assert "a…@e….org" in asked.text
    assert ANA not in asked.text + page.text
    assert ANA in shown.text
    assert file.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert (data["email"], data["subscriber"]["first_name"]) == (ANA, "Ana")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    assert "works for a day" in body_of(mail, "plain")
    assert ANA not in body_of(mail, "plain") + body_of(mail, "html")
    assert len(set(links_in(mail))) == 1


def test_the_email_is_in_the_ledger_as_one_of_its_own_kind(post: Joining) -> None:
    do(post.pages, post.pages.preferences(ANA), "data")
    post.run()

    (broadcast,) = list_broadcasts(post.pages.database)
    found = find_subscriber(post.pages.database, ANA)
    assert found is not None
    assert broadcast.kind is BroadcastKind.LINK
    assert [each.status for each in history(post.pages.database, found.id)] == ["accepted"]


def test_the_email_speaks_the_language_of_the_person(post: Joining) -> None:
    do(post.pages, post.pages.preferences(BO), "data")
    post.run()

    (mail,) = post.mails_to(BO)
    assert mail["Subject"] == "Ihr Link zu Ihren Daten"


def test_several_links_of_one_day_all_arrive(post: Joining) -> None:
    served = post.pages
    for _ in range(3):
        do(served, served.preferences(ANA), "data")
        served.later(minutes=1)
    post.run()
    do(served, served.preferences(BO), "data")
    post.run()

    links = {post.link_in(mail, "/my/") for mail in post.mails_to(ANA)}
    assert len(links) == 3
    assert all("Your data" in served.get(link).text for link in links)
    assert len(post.mails_to(BO)) == 1


def test_someone_who_has_just_changed_their_address_gets_further_links(post: Joining) -> None:
    served = post.pages
    old_link, new_link = change(post)
    do(served, old_link, "confirm")
    do(served, new_link, "confirm")

    do(served, served.preferences(NEW), "data")
    do(served, served.preferences(NEW), "data")
    post.run()

    assert len(post.mails_to(NEW)) == 3


def test_a_fresh_link_to_preferences_arrives_and_works_for_a_year(post: Joining) -> None:
    served = post.pages
    do(served, served.preferences(ANA, days_ago=400), "preferences")
    post.run()
    link = post.link_in(post.mails_to(ANA)[-1], "/p/")
    served.later(days=360)

    assert 'value="save"' in served.get(link).text
    assert served.get(link).text.count("too old") == 0


@pytest.mark.parametrize(
    ("reason", "arrives"),
    [
        (SuppressionReason.UNSUBSCRIBED, True),
        (SuppressionReason.BOUNCED, False),
        (SuppressionReason.COMPLAINED, False),
        (SuppressionReason.MANUAL, False),
    ],
)
@pytest.mark.parametrize("is_queued", [True, False])
def test_who_has_unsubscribed_can_ask_for_their_data_and_no_blocked_address_is_mailed(
    post: Joining, reason: SuppressionReason, *, arrives: bool, is_queued: bool
) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "data")
    if is_queued:
        served.asked(ANA, DATA)
    add_suppression(served.database, ANA, reason, now=NOW)

    post.run()

    assert len(post.mails_to(ANA)) == arrives


def test_someone_deletes_all_that_is_known_about_them(post: Joining) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "data")
    link = link_to(post, ANA)

    answer = do(served, link, "delete")

    assert "You have been deleted" in answer.text
    assert find_subscriber(served.database, ANA) is None
    assert forgotten_since(served.database, ANA, key=KEY) is not None
    with served.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM link_request").fetchall() == [(0,)]
        assert connection.execute("SELECT count(*) FROM tracking_choice").fetchall() == [(0,)]
    assert "not valid" in served.get(link).text
    assert find_subscriber(served.database, BO) is not None


def test_without_the_key_no_one_is_deleted_and_the_page_says_what_to_do(post: Joining) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "data")
    link = link_to(post, ANA)
    with serving(served.config, served.database, key=None) as keyless:
        keyless.now = served.now
        page = keyless.get(link)
        answer = do(keyless, link, "delete")

    assert "answer one of our emails" in page.text
    assert 'value="delete"' not in page.text
    assert "answer one of our emails" in answer.text
    assert find_subscriber(served.database, ANA) is not None


def test_a_forwarded_newsletter_does_not_open_the_data_of_its_first_reader(post: Joining) -> None:
    """Anyone who has the newsletter has the token, and could make any code with it."""
    served = post.pages
    do(served, served.preferences(ANA), "data")
    real = link_to(post, ANA)
    person = find_subscriber(served.database, ANA)
    assert person is not None
    url = real.partition("-")[0]
    made_up = [
        f"/my/{person.id}-{person.token}",
        f"/my/{person.id}-{served.preferences(ANA).partition('-')[2]}",
        f"{url}-{real.partition('-')[2][:-1]}",
        f"{url}-{real.partition('-')[2]}A",
        real.replace("/my/", "/p/"),
        real.replace("/my/", "/u/"),
        "/my/999999-AAAAAAAAAAAAAAAAAAAAAA",
    ]

    answers = [served.get(link) for link in made_up]
    for link in made_up:
        served.press(link, {"from": "page", "do": "delete", "stamp": served.get(real).value_of("stamp")})

    assert len({answer.body for answer in answers}) == 1
    assert find_subscriber(served.database, ANA) is not None


def test_a_link_to_the_data_works_for_a_day(post: Joining) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "data")
    link = link_to(post, ANA)
    stamp = served.get(link).value_of("stamp")
    served.later(hours=25)

    page = served.get(link)
    served.press(link, {"from": "page", "do": "delete", "stamp": stamp})

    assert "not valid" in page.text
    assert find_subscriber(served.database, ANA) is not None


def test_an_address_changes_once_both_mailboxes_have_confirmed(post: Joining) -> None:
    served = post.pages
    edit_people(served.database, [ANA], Edit(cells={"timezone": "Asia/Tokyo"}), shown=0, now=NOW)
    add_suppression(served.database, ANA, SuppressionReason.UNSUBSCRIBED, topic="events", now=NOW)
    before = find_subscriber(served.database, ANA)
    old_link, new_link = change(post)
    page = served.get(new_link)
    first = do(served, old_link, "confirm")
    waiting = find_subscriber(served.database, NEW)
    second = do(served, new_link, "confirm")

    after = find_subscriber(served.database, NEW)
    assert before is not None
    assert after is not None
    assert waiting is None
    assert "n…@e….org" in page.text
    assert NEW not in page.text
    assert "email to the other address too" in first.text
    assert "address has been changed" in second.text
    assert (after.id, after.record.consented_at, after.record.timezone) == (before.id, NOW, "Asia/Tokyo")
    assert [each.topic for each in suppressions_of(served.database, NEW)] == ["events"]
    blocked = find_suppression(served.database, ANA)
    assert blocked is not None
    assert (blocked.reason, "another address" in blocked.detail) == (SuppressionReason.MANUAL, True)
    assert find_subscriber(served.database, ANA) is None


@pytest.mark.parametrize("which", [0, 1])
def test_one_mailbox_alone_changes_nothing_however_often_it_confirms(post: Joining, which: int) -> None:
    served = post.pages
    link = change(post)[which]
    for _ in range(3):
        do(served, link, "confirm")

    assert find_subscriber(served.database, ANA) is not None
    assert find_subscriber(served.database, NEW) is None


def test_links_of_two_changes_do_not_count_together(post: Joining) -> None:
    served = post.pages
    old_of_first, _ = change(post, "first@example.org")
    served.later(minutes=1)
    _, new_of_second = change(post, "second@example.org")

    do(served, old_of_first, "confirm")
    do(served, new_of_second, "confirm")

    assert find_subscriber(served.database, ANA) is not None


def test_a_change_of_address_has_to_be_confirmed_within_a_week(post: Joining) -> None:
    served = post.pages
    old_link, new_link = change(post)
    do(served, old_link, "confirm")
    served.later(days=7, minutes=1)

    assert "not valid" in served.get(new_link).text


def test_old_links_only_unsubscribe_after_a_change_and_only_for_sixty_days(post: Joining) -> None:
    served = post.pages
    leaving, preferences = served.link(ANA), served.preferences(ANA)
    do(served, preferences, "data")
    data = link_to(post, ANA)
    old_link, new_link = change(post)
    do(served, old_link, "confirm")
    do(served, new_link, "confirm")
    page = served.get(leaving)
    stamp = page.value_of("stamp")
    served.later(seconds=5)
    served.press(leaving, [("from", "page"), ("do", "topics"), ("stamp", stamp)])
    dead = [served.get(link).text for link in (preferences, data, old_link, new_link)]
    kept = suppressions_of(served.database, NEW)
    served.later(days=59)
    served.ask("POST", leaving, ONE_CLICK)

    assert all("not valid" in text for text in dead)
    assert 'value="topics"' not in page.text
    assert kept == ()
    assert served.has_left(NEW)


def test_after_sixty_days_the_former_token_is_worth_nothing(post: Joining) -> None:
    served = post.pages
    leaving = served.link(ANA)
    old_link, new_link = change(post)
    do(served, old_link, "confirm")
    do(served, new_link, "confirm")
    served.later(days=61)

    answer = served.ask("POST", leaving, ONE_CLICK)

    assert "not valid" in answer.text
    assert not served.has_left(NEW)


@pytest.mark.parametrize("what", ["taken", "bounced", "erased"])
def test_an_address_that_cannot_be_used_looks_the_same_from_outside(post: Joining, what: str) -> None:
    served = post.pages
    email = f"{what}@example.org"
    if what == "taken":
        add(served.database, row(email))
    elif what == "bounced":
        add_suppression(served.database, email, SuppressionReason.BOUNCED, now=NOW)
    else:
        add(served.database, row(email))
        forget_person(served.database, email, key=KEY, now=NOW)
    free = do(served, served.preferences(BO), "address", email="free@example.org")
    answer = do(served, served.preferences(BO), "address", email=email)
    post.run()

    def same(text: str) -> str:
        return text.replace(free.value_of("stamp"), "").replace(answer.value_of("stamp"), "")

    assert same(answer.text) == same(free.text)
    assert len(post.mails_to(email)) == (what == "taken")
    with served.database.read() as connection:
        stored = connection.execute("SELECT email FROM link_request WHERE email = :email", {"email": email}).fetchall()
    assert bool(stored) == (what == "taken")


def test_an_address_that_belongs_to_another_subscriber_is_not_taken_over(post: Joining) -> None:
    served = post.pages
    old_link, new_link = change(post, BO)
    do(served, old_link, "confirm")

    answer = do(served, new_link, "confirm")

    assert "has not been changed" in answer.text or "nicht geändert" in answer.text
    assert find_subscriber(served.database, ANA) is not None
    assert find_subscriber(served.database, BO) is not None


@pytest.mark.parametrize(
    "email", ["nobody", "", "a@b", "ANA@example.org", "x" * 400 + "@example.org", "a@example.org\n"]
)
def test_a_new_address_that_is_none_is_told_beside_its_field(post: Joining, email: str) -> None:
    served = post.pages

    answer = do(served, served.preferences(ANA), "address", email=email)
    post.run()

    is_address = email.strip() == "a@example.org"
    assert ('id="email-fault"' in answer.text) is not is_address
    assert bool(post.relay.taken) is is_address


def test_a_stranger_gets_no_more_emails_than_the_form_for_joining_may_send(post: Joining) -> None:
    served = post.pages
    for number in range(6):
        add(served.database, row(f"friend{number}@example.org"))
        do(served, served.preferences(f"friend{number}@example.org"), "address", email="victim@example.com")
        post.run()
        served.later(minutes=16)

    assert len(post.mails_to("victim@example.com")) == 3


def test_a_bounce_of_the_new_address_is_not_held_against_the_old_one(post: Joining) -> None:
    served = post.pages
    change(post)
    ana = find_subscriber(served.database, ANA)
    assert ana is not None
    with served.database.read() as connection:
        (recipient,) = connection.execute(
            "SELECT recipient FROM link_request WHERE kind = 'new address'", {}
        ).fetchall()[0]

    assert recipient != ana.id


def test_a_scanner_that_follows_the_links_changes_nothing(post: Joining) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "data")
    change(post)
    links = [path for mail in (*post.mails_to(ANA), *post.mails_to(NEW)) for path in links_in(mail)]

    for link in links:
        for method in ("GET", "HEAD"):
            answer = served.ask(method, link)
            assert answer.status == 200
            assert ANA.encode() not in answer.body

    assert find_subscriber(served.database, ANA) is not None
    assert find_subscriber(served.database, NEW) is None


def test_nothing_about_a_person_is_logged(post: Joining, capfd: pytest.CaptureFixture[str]) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "data")
    link = link_to(post, ANA)
    do(served, link, "show")
    change(post)

    logged = "".join([*post.logged, *capfd.readouterr()])
    assert not any(secret in logged for secret in (ANA, NEW, link, served.link(ANA).partition("-")[2]))


def test_requests_are_kept_no_longer_than_they_work(post: Joining) -> None:
    served = post.pages
    do(served, served.preferences(ANA), "data")
    served.later(days=2)

    post.run()

    assert post.mails_to(ANA) == []  # too late: an email now would surprise them
    with served.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM link_request").fetchall() == [(0,)]
