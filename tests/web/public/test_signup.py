"""Joining: the form, the email that asks to confirm, the button, and what it changes."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from newsletter.config import load_config
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastKind, BroadcastState
from newsletter.model.ledger import Entry
from newsletter.model.preferences import TrackingChoice
from newsletter.model.signup import MOST_PER_ADDRESS, VALID_FOR, SignupRefusal, SignupState
from newsletter.store.forgotten import forget_person
from newsletter.store.ledger.broadcasts import list_broadcasts, pause_broadcast, resume_broadcast
from newsletter.store.ledger.states import set_running
from newsletter.store.ledger.status import tally_of
from newsletter.store.preferences import tracking_choices
from newsletter.store.signups import refusals_since, signups_of, wording_of
from newsletter.store.subscribers import find_subscriber, past_consents
from newsletter.store.suppressions import add_suppression, find_suppression, past_suppressions, suppressions_of
from newsletter.system.environment import VARIABLE
from newsletter.system.log import no_log
from newsletter.workflows.send.newcomers import queue_answers
from newsletter.workflows.signup.snippet import snippet_of
from tests.providers.smtp_server import SmtpServer
from tests.providers.workspace import smtp_settings
from tests.store.builders import NOW, add, row
from tests.web.public.conftest import KEY, SECRET, TOPICS, ServedPages, serving
from tests.web.public.joining import NEW, Fields, Joining, body_of, links_in
from tests.workspaces import CONFIG

ANA, BO = "ana@example.org", "bo@example.org"
SIGNUP = '\n[signup]\nasks_tracking = true\ndisposable = "throwaway.txt"\n[signup.about]\nen = "Once a month."\n'


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    """The relay that takes the email."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def settings(relay: SmtpServer) -> str:
    """A workspace that sends through the relay."""
    return CONFIG + TOPICS + SIGNUP + smtp_settings(relay.port, more="concurrency = 1")


@pytest.fixture
def joining(served: ServedPages, relay: SmtpServer) -> Joining:
    (served.config.root / "throwaway.txt").write_text("# by hand\nmailinator.com\n", encoding="utf-8")
    return Joining(served, relay)


@pytest.fixture
def any_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every request come from another client, as those of a botnet do."""
    monkeypatch.setattr("newsletter.web.public.limits.ClientLimits.allow", lambda *_: True)


def test_someone_joins_by_the_link_in_the_email(joining: Joining) -> None:
    served = joining.pages
    asked_at = served.now + timedelta(seconds=5)

    answer = joining.ask("New@Example.org", {"first_name": "Nia", "topic": ("events",), "tracking": "yes"})

    assert (answer.status, find_subscriber(served.database, NEW)) == (200, None)
    assert joining.relay.taken == []
    joining.run()
    (mail,) = joining.mails_to("New@example.org")
    assert find_subscriber(served.database, NEW) is None
    confirmed = joining.confirm(joining.link_in(mail))
    assert (confirmed.status, "You have joined" in confirmed.text) == (200, True)
    person = find_subscriber(served.database, NEW)
    assert person is not None
    record = person.record
    assert (record.email, record.first_name, record.language) == ("New@example.org", "Nia", "en")
    assert (record.consented_at, record.consent_confirmed_at) == (asked_at, served.now)
    assert (record.consent_source, record.tracking_consented_at) == ("join", served.now)
    wording = wording_of(served.database, record.consent_wording)
    assert wording is not None
    assert wording.language == "en"
    assert "Once a month." in wording.words
    assert "which links I follow" in wording.words
    with served.database.read() as connection:
        proofs = tracking_choices(connection, person.id)
    assert proofs == (TrackingChoice(at=served.now, agrees=True, wording=wording.version),)
    assert [each.topic for each in suppressions_of(served.database, NEW)] == ["news"]


def test_the_email_has_nothing_of_the_form_but_its_address(joining: Joining) -> None:
    joining.ask(NEW, {"first_name": "Buy-Pills", "form": "spam-source", "topic": "events"})
    joining.run()

    (mail,) = joining.mails_to(NEW)
    text, html = body_of(mail, "plain"), body_of(mail, "html")
    assert str(mail["To"]) == NEW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    assert mail["List-Unsubscribe-Post"] is None
    for word in ("Buy-Pills", "spam-source", "retreats", NEW):
        assert word not in text
        assert word not in html
    assert "<img" not in html
    assert set(links_in(mail)) == {joining.link_in(mail)}
    assert all(len(line) <= 90 for line in text.splitlines())


def test_the_email_and_the_pages_are_in_the_language_of_the_form(joining: Joining) -> None:
    page = joining.pages.get("/join", Accept_Language="de-AT,de;q=0.9")
    joining.pages.later(seconds=5)
    answer = joining.send(page, {"email": NEW}, Accept_Language="de-AT,de;q=0.9")
    joining.run()

    (mail,) = joining.mails_to(NEW)
    confirmed = joining.confirm(joining.link_in(mail), Accept_Language="en")

    assert 'lang="de"' in answer.text
    assert "bestätigen" in str(mail["Subject"])
    assert "Ja, ich melde mich an" in body_of(mail, "html")
    assert 'lang="de"' in confirmed.text
    person = find_subscriber(joining.pages.database, NEW)
    assert person is not None
    assert person.record.language == "de"


def test_a_scanner_that_follows_every_link_confirms_nothing(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    (mail,) = joining.mails_to(NEW)

    for link in [*links_in(mail), joining.link_in(mail) + "/", joining.link_in(mail) + "?confirm=yes&do=confirm"]:
        for method in ("GET", "HEAD", "GET"):
            assert joining.pages.ask(method, link).status == 200
        for method in ("PUT", "DELETE", "OPTIONS"):
            assert joining.pages.ask(method, link).status == 405
        assert joining.pages.ask("POST", link, b"List-Unsubscribe=One-Click").status == 200

    assert find_subscriber(joining.pages.database, NEW) is None
    joining.confirm(joining.link_in(mail))
    assert find_subscriber(joining.pages.database, NEW) is not None


def test_a_button_pressed_too_soon_or_from_elsewhere_confirms_nothing(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    link = joining.link_in(joining.mails_to(NEW)[0])
    page = joining.pages.get(link)

    soon = joining.press(page, link)
    joining.pages.later(seconds=4)
    foreign = joining.press(page, link, Origin="https://example.com")
    joining.pages.later(hours=25)
    late = joining.press(page, link)

    assert [answer.status for answer in (soon, foreign, late)] == [200, 200, 200]
    assert "press the button once more" in soon.text
    assert find_subscriber(joining.pages.database, NEW) is None
    joining.pages.later(seconds=4)
    assert "You have joined" in joining.press(late, link).text


def test_a_link_has_one_effect_however_often_it_is_used(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    link = joining.link_in(joining.mails_to(NEW)[0])
    first = joining.confirm(link)
    person = find_subscriber(joining.pages.database, NEW)
    joining.pages.later(hours=5)

    second = joining.confirm(link)

    assert first.body == second.body
    assert find_subscriber(joining.pages.database, NEW) == person
    joining.pages.ask("POST", joining.pages.link(NEW), b"List-Unsubscribe=One-Click")
    joining.pages.later(hours=5)
    third = joining.confirm(link)
    assert joining.pages.has_left(NEW)
    assert "You have joined" not in third.text


def test_a_link_ends_after_seven_days(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    link = joining.link_in(joining.mails_to(NEW)[0])
    page = joining.pages.get(link)
    joining.pages.later(days=VALID_FOR.days, hours=1)

    opened, pressed = joining.pages.get(link), joining.press(page, link)

    assert "too old" in opened.text
    assert 'href="/join"' in opened.text
    assert "<form" not in opened.text
    assert "You have joined" not in pressed.text
    assert find_subscriber(joining.pages.database, NEW) is None


@pytest.mark.parametrize("change", ["other id", "cut", "one letter", "token", "text", "leaving"])
def test_a_link_that_is_not_ours_leads_to_the_neutral_page(joining: Joining, change: str) -> None:
    joining.ask(NEW)
    joining.run()
    link = joining.link_in(joining.mails_to(NEW)[0])
    number, _, code = link.removeprefix("/join/").partition("-")
    signup = signups_of(joining.pages.database, NEW)[0]
    links = {
        "other id": f"/join/{int(number) + 1}-{code}",
        "cut": link[:-1],
        "one letter": link[:-1] + ("A" if link[-1] != "A" else "B"),
        "token": f"/join/{number}-{signup.token}",
        "text": "/join/hello",
        "leaving": joining.pages.link(ANA).replace("/u/", "/join/"),
    }

    page = joining.pages.get(links[change])

    assert page.body == joining.pages.get("/join/999-aaaaaaaaaaaaaaaaaaaaaa").body
    assert "not valid" in page.text


STANDINGS = ("new", "known", "left", "complained", "bounced", "by hand", "in doubt", "forgotten", "no consent")


@pytest.mark.parametrize("standing", STANDINGS)
def test_the_answer_is_the_same_for_everyone(joining: Joining, standing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = joining.pages.database
    monkeypatch.setenv(VARIABLE, SECRET)
    plain = joining.ask("other@example.org")
    reasons = {
        "left": SuppressionReason.UNSUBSCRIBED,
        "complained": SuppressionReason.COMPLAINED,
        "bounced": SuppressionReason.BOUNCED,
        "by hand": SuppressionReason.MANUAL,
        "in doubt": SuppressionReason.IN_DOUBT,
    }
    if standing != "new":
        add(database, row(NEW, **({"consented_at": None} if standing == "no consent" else {})))
    if standing in reasons:
        add_suppression(database, NEW, reasons[standing], now=NOW)
    if standing in {"complained", "forgotten"}:
        add_suppression(database, NEW, SuppressionReason.COMPLAINED, now=NOW)
    if standing == "forgotten":
        forget_person(database, NEW, key=KEY, now=NOW)

    answer = joining.ask(NEW)
    joining.run()

    assert (answer.status, answer.text.replace(NEW, "")) == (200, plain.text.replace("other@example.org", ""))
    assert {**answer.headers, "date": "", "content-length": ""} == {**plain.headers, "date": "", "content-length": ""}
    subjects = [str(mail["Subject"]).split()[0] for mail in joining.mails_to(NEW)]
    asked, told = ["Please"], ["You"]
    expected = {"new": asked, "left": asked, "no consent": asked, "known": told}
    assert subjects == expected.get(standing, [])
    assert joining.mails_to("other@example.org")


def test_someone_who_is_on_the_list_is_told_so_at_their_own_address(joining: Joining) -> None:
    joining.ask("ANA@example.org", {"first_name": "Eve"})
    joining.run()

    (mail,) = joining.mails_to(ANA)
    assert "You already get Small Letter" in str(mail["Subject"])
    assert joining.pages.link(ANA) in links_in(mail)
    assert not [link for link in links_in(mail) if link.startswith("/join")]
    assert [signup.state for signup in signups_of(joining.pages.database, ANA)] == [SignupState.KNOWN]


def test_someone_who_left_comes_back_with_their_history(joining: Joining) -> None:
    database = joining.pages.database
    before = find_subscriber(database, ANA)
    joining.pages.ask("POST", joining.pages.link(ANA), b"List-Unsubscribe=One-Click")
    joining.pages.later(days=40)

    joining.join(ANA, {"first_name": "Eve"})

    after = find_subscriber(database, ANA)
    assert before is not None
    assert after is not None
    assert find_suppression(database, ANA) is None
    assert (after.id, after.record.first_name) == (before.id, "Ana")
    assert after.record.consent_confirmed_at == joining.pages.now
    assert [consent.consented_at for consent in past_consents(database, after.id)] == [NOW]
    assert [past.reason for past in past_suppressions(database, ANA)] == [SuppressionReason.UNSUBSCRIBED]


def test_a_leaving_after_the_form_counts_more_than_the_form(joining: Joining) -> None:
    joining.pages.ask("POST", joining.pages.link(ANA), b"List-Unsubscribe=One-Click")
    joining.pages.later(hours=1)
    joining.ask(ANA)
    joining.run()
    joining.pages.later(hours=1)
    joining.pages.ask("POST", joining.pages.link(ANA), b"List-Unsubscribe=One-Click")
    joining.pages.later(days=2)
    joining.pages.ask("POST", joining.pages.link(ANA), b"List-Unsubscribe=One-Click")

    answer = joining.confirm(joining.link_in(joining.mails_to(ANA)[0]))

    assert joining.pages.has_left(ANA)
    assert "cannot send email to this address" in answer.text


@pytest.mark.parametrize("reason", [each for each in SuppressionReason if each is not SuppressionReason.UNSUBSCRIBED])
def test_a_confirmed_signup_lifts_nothing_but_an_unsubscription(joining: Joining, reason: SuppressionReason) -> None:
    joining.pages.ask("POST", joining.pages.link(BO), b"List-Unsubscribe=One-Click")
    joining.pages.later(hours=1)
    joining.ask(NEW)
    joining.run()
    link = joining.link_in(joining.mails_to(NEW)[0])
    joining.pages.later(hours=1)
    add_suppression(joining.pages.database, NEW, reason, now=NOW - timedelta(days=30))

    joining.confirm(link)

    found = find_suppression(joining.pages.database, NEW)
    assert found is not None
    assert found.reason is reason
    assert find_subscriber(joining.pages.database, NEW) is None


@pytest.mark.parametrize("reason", [each for each in SuppressionReason if each is not SuppressionReason.IN_DOUBT])
@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_reported_beside_an_unsubscription_is_not_lifted_with_it(
    joining: Joining, reason: SuppressionReason, is_first: bool
) -> None:
    reports = [
        lambda: joining.pages.ask("POST", joining.pages.link(ANA), b"List-Unsubscribe=One-Click"),
        lambda: add_suppression(joining.pages.database, ANA, reason, now=joining.pages.now),
    ]
    for report in reports if is_first else reversed(reports):
        report()
        joining.pages.later(seconds=1)
    joining.pages.later(days=2)

    joining.ask(ANA)
    joining.run()
    for mail in joining.mails_to(ANA):
        joining.confirm(joining.link_in(mail))

    is_lifted = reason is SuppressionReason.UNSUBSCRIBED
    assert (len(joining.mails_to(ANA)), joining.pages.has_left(ANA)) == (is_lifted, not is_lifted)


def test_a_person_who_complains_before_the_email_leaves_gets_none(joining: Joining) -> None:
    joining.ask(NEW)
    joining.ask(ANA)
    for address in (NEW, ANA):
        add_suppression(joining.pages.database, address, SuppressionReason.COMPLAINED, now=NOW)
    joining.run()

    assert joining.relay.taken == []


def test_one_address_gets_few_emails_however_often_it_is_entered(joining: Joining, any_client: None) -> None:
    for _ in range(60):  # an hour apart, from ever new clients
        joining.ask(NEW)
        joining.ask(ANA)
        joining.run()
        joining.pages.later(hours=1)

    for address in (NEW, ANA):
        assert len(joining.mails_to(address)) == MOST_PER_ADDRESS[timedelta(days=30)]
    assert refusals_since(joining.pages.database, NOW)[SignupRefusal.ADDRESS] > 0
    joining.pages.later(days=31)
    joining.ask(NEW)
    joining.run()
    assert len(joining.mails_to(NEW)) == MOST_PER_ADDRESS[timedelta(days=30)] + 1


@pytest.mark.parametrize("fields", [{"website": "https://spam.example"}, {"email": "x@mailinator.com"}])
def test_a_program_or_a_disposable_address_gets_the_same_page_and_no_email(
    joining: Joining, fields: dict[str, str]
) -> None:
    plain = joining.ask(NEW).text
    address = fields.get("email", "other@example.org")

    answer = joining.ask(address, fields)
    joining.run()

    assert answer.text.replace(address, "") == plain.replace(NEW, "")
    assert [mail.recipient for mail in joining.relay.taken] == [NEW]
    assert not signups_of(joining.pages.database, address)


def test_a_form_sent_too_soon_or_too_late_is_shown_again_with_what_was_filled_in(joining: Joining) -> None:
    page = joining.pages.get("/join")
    fields: Fields = {"email": NEW, "first_name": "Nia & Co", "topic": ("events",), "tracking": "yes"}

    soon = joining.send(page, fields)
    joining.pages.later(hours=25)
    late = joining.send(page, fields)

    for answer in (soon, late):
        assert answer.status == 200
        assert f'value="{NEW}"' in answer.text
        assert 'value="Nia &amp; Co"' in answer.text
        assert 'value="events" checked' in answer.text
        assert 'name="tracking" value="yes" checked' in answer.text
        assert 'value="news" checked' not in answer.text
    assert not signups_of(joining.pages.database, NEW)
    joining.pages.later(seconds=4)
    joining.send(late, fields)
    assert signups_of(joining.pages.database, NEW)


def test_no_box_is_ticked_at_first(joining: Joining) -> None:
    page = joining.pages.get("/join").text

    assert page.count('type="checkbox"') == 3
    assert "checked" not in page


def test_a_form_on_another_site_is_shown_to_be_checked_and_then_counts_with_its_name(joining: Joining) -> None:
    sent = {"email": NEW, "form": "home-page", "language": "fr"}
    foreign = {"Origin": "https://www.example.org", "Sec_Fetch_Site": "cross-site"}

    page = joining.pages.press("/join", sent, **foreign)

    assert not signups_of(joining.pages.database, NEW)
    assert (page.status, f'value="{NEW}"' in page.text, 'lang="fr"' in page.text) == (200, True, True)
    joining.pages.later(seconds=4)
    joining.send(page, {"email": NEW})
    joining.run()
    joining.confirm(joining.link_in(joining.mails_to(NEW)[0]))
    person = find_subscriber(joining.pages.database, NEW)
    assert person is not None
    assert (person.record.consent_source, person.record.language) == ("home-page", "fr")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:8001", "Host": "127.0.0.1:8001"},
        {"Origin": "http://localhost:8001", "Host": "localhost:8001"},
    ],
)
def test_a_page_opened_at_another_address_says_so_and_leads_to_its_own(
    joining: Joining, headers: dict[str, str]
) -> None:
    page = joining.pages.get("/join")
    joining.pages.later(seconds=4)
    fields = {name: page.value_of(name) for name in ("from", "stamp", "form", "language", "wording")}

    answer = joining.pages.press("/join", {**fields, "email": NEW}, **headers)

    assert "not the newsletter’s own address" in answer.text
    assert '<a href="https://news.example.org/join"><bdi>news.example.org</bdi></a>' in answer.text
    assert "press the button once more" not in answer.text
    assert not signups_of(joining.pages.database, NEW)


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://[", "https://news.example.org:x"])
def test_a_form_from_elsewhere_learns_no_address(joining: Joining, origin: str) -> None:
    page = joining.pages.get("/join")
    fields = {name: page.value_of(name) for name in ("from", "stamp", "form", "language", "wording")}

    answer = joining.pages.press("/join", {**fields, "email": NEW}, Origin=origin, Sec_Fetch_Site="cross-site")

    assert "press the button once more" in answer.text
    assert not signups_of(joining.pages.database, NEW)


def test_the_snippet_for_a_website_leads_to_our_own_form(joining: Joining) -> None:
    snippet = snippet_of(joining.pages.config)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', snippet))

    page = joining.pages.press("/join", {**fields, "email": NEW}, Origin="https://www.example.org")

    assert 'action="https://news.example.org/join" method="post"' in snippet
    assert fields == {"form": "website", "language": "en"}
    assert 'name="form" value="website"' in page.text


@pytest.mark.parametrize(
    "address", ["", "no one", "a@b", "a b@example.org", "a@example.org\r\nBcc: b@example.org", "@"]
)
def test_what_is_no_address_is_said_beside_its_field(joining: Joining, address: str) -> None:
    answer = joining.ask(address)

    assert answer.status == 422
    assert 'aria-invalid="true" aria-describedby="email-error"' in answer.text
    assert 'href="#email"' in answer.text
    joining.run()
    assert joining.relay.taken == []


def test_a_form_is_ours_only_with_its_code_and_from_our_own_page(joining: Joining) -> None:
    page = joining.pages.get("/join")
    joining.pages.later(seconds=5)

    for forged in ({"stamp": ""}, {"stamp": "1" * 10 + "." + "a" * 22}, {"wording": "en-00000000"}):
        joining.send(page, {"email": NEW, **forged})
    joining.send(page, {"email": NEW}, Origin="null")
    joining.send(page, {"email": NEW}, Sec_Fetch_Site="same-site")

    assert not signups_of(joining.pages.database, NEW)


def test_many_from_one_network_are_not_followed_up(joining: Joining) -> None:
    for number in range(20):
        joining.ask(f"victim{number}@example.org")
    joining.run()

    assert len(joining.relay.taken) == 5
    assert refusals_since(joining.pages.database, NOW) == {SignupRefusal.CLIENT: 15}


def test_a_thousand_signups_mail_one_victim_no_more_than_the_limit(joining: Joining, any_client: None) -> None:
    page = joining.pages.get("/join")
    joining.pages.later(seconds=5)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: joining.send(page, {"email": NEW}).status, range(1000)))
    while joining.run():
        pass

    assert set(answers) == {200}
    assert len(joining.mails_to(NEW)) == 1


def test_the_emails_of_a_day_are_in_one_broadcast_and_further_ones_of_a_person_in_others(joining: Joining) -> None:
    for address in (NEW, ANA):
        joining.ask(address)
        joining.run()
    joining.pages.later(hours=1)
    joining.ask(NEW)
    joining.run()
    joining.pages.later(days=1)
    joining.ask("late@example.org")
    joining.run()

    found = [
        (each.issue, each.kind, tally_of(joining.pages.database, each.id))
        for each in list_broadcasts(joining.pages.database)
    ]
    assert {kind for _, kind, _ in found} == {BroadcastKind.CONFIRMATION}
    assert [(issue, tally.frozen, tally.accepted) for issue, _, tally in reversed(found)] == [
        ("2026-02-19", 2, 2),
        ("2026-02-19-2", 1, 1),
        ("2026-02-20", 1, 1),
    ]
    assert all(tally.adds_up for _, _, tally in found)


def test_an_address_that_does_not_exist_holds_up_no_one_else(joining: Joining) -> None:
    joining.relay.behavior.on_rcpt = lambda to: "550 5.1.1 no such user" if to == NEW else "250 2.1.5 ok"
    joining.ask(NEW)
    joining.run()
    joining.ask(BO)
    joining.run()

    assert len(joining.mails_to(BO)) == 1


def test_a_pending_signup_is_no_one_on_the_list_and_an_import_does_not_take_its_number(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    add(joining.pages.database, row("cleo@example.org"), row("dan@example.org"))

    joining.confirm(joining.link_in(joining.mails_to(NEW)[0]))

    people = [find_subscriber(joining.pages.database, each) for each in (NEW, "cleo@example.org", "dan@example.org")]
    assert all(people)
    assert len({person.id for person in people if person}) == 3


def test_someone_who_is_on_a_list_imported_before_they_confirm_is_one_person(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    link = joining.link_in(joining.mails_to(NEW)[0])
    add(joining.pages.database, row(NEW, consented_at=None))
    joining.pages.later(hours=1)
    joining.ask(NEW)
    joining.run()

    answers = [joining.confirm(link).text for _ in range(2)]

    person = find_subscriber(joining.pages.database, NEW)
    assert person is not None
    assert person.record.consent_confirmed_at is not None
    assert all("You have joined" in text for text in answers)


@pytest.mark.parametrize("key", [None, b"another" * 4])
def test_without_the_key_no_one_is_saved_once_someone_was_erased(joining: Joining, key: bytes | None) -> None:
    forget_person(joining.pages.database, ANA, key=KEY, now=NOW)

    with serving(joining.pages.config, joining.pages.database, key=key) as keyless:
        answer = Joining(keyless, joining.relay).ask(ANA)

    assert answer.status == 200
    assert not signups_of(joining.pages.database, ANA)
    assert refusals_since(joining.pages.database, NOW) == {SignupRefusal.NO_KEY: 1}


def test_an_erased_person_who_confirms_comes_back_with_their_number(
    joining: Joining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    before = find_subscriber(joining.pages.database, ANA)
    forget_person(joining.pages.database, ANA, key=KEY, now=NOW)

    joining.join(ANA)

    after = find_subscriber(joining.pages.database, ANA)
    assert before is not None
    assert after is not None
    assert (after.id, after.token == before.token) == (before.id, False)


def test_who_is_erased_and_asks_again_on_the_same_day_gets_another_email(
    joining: Joining, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    joining.join(NEW)
    before = find_subscriber(joining.pages.database, NEW)
    forget_person(joining.pages.database, NEW, key=KEY, now=joining.pages.now)
    joining.pages.later(minutes=1)
    joining.join(NEW)
    joining.ask("other@example.org")
    joining.run()

    after = find_subscriber(joining.pages.database, NEW)
    assert before is not None
    assert after is not None
    assert after.id == before.id  # the ledger still knows that this person has got an email today
    names = [each.issue for each in list_broadcasts(joining.pages.database)]
    assert sorted(names) == ["2026-02-19", "2026-02-19-2"]  # the day where the newsletter is at home
    assert len(joining.mails_to("other@example.org")) == 1
    assert not [words for words in joining.logged if "not running" in words]


def test_forgetting_someone_ends_their_signup(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    link = joining.link_in(joining.mails_to(NEW)[0])
    forget_person(joining.pages.database, NEW, key=KEY, now=NOW)

    assert not signups_of(joining.pages.database, NEW)
    assert "not valid" in joining.pages.get(link).text


def test_a_rush_of_people_who_confirm_nothing_waits_and_the_reviewers_learn_of_it(
    joining: Joining, any_client: None
) -> None:
    for number in range(100):
        joining.ask(f"victim{number}@example.org")
    joining.run()
    joining.run()

    asked = [mail for mail in joining.relay.taken if mail.recipient.startswith("victim")]
    told = [mail for mail in joining.relay.taken if mail.recipient == "noor@example.net"]
    assert (len(asked), len(told)) == (60, 1)
    assert b"far more people than usual" in told[0].content.replace(b"=\r\n", b"")
    joining.pages.later(hours=2)
    joining.run()
    assert len([mail for mail in joining.relay.taken if mail.recipient.startswith("victim")]) == 100


def test_a_rush_of_people_who_confirm_is_no_attack(joining: Joining, any_client: None) -> None:
    for number in range(60):
        joining.ask(f"fan{number}@example.org")
    joining.run()
    for number in range(20):
        joining.confirm(joining.link_in(joining.mails_to(f"fan{number}@example.org")[0]))
    for number in range(60, 100):
        joining.ask(f"fan{number}@example.org")
    joining.run()

    assert len(joining.relay.taken) == 100


def test_people_who_join_wait_for_no_sending_hours(joining: Joining) -> None:
    toml = joining.pages.config.root / "newsletter.toml"
    closed = "[provider.smtp.pace]\nhours = '09:00-10:00'\n"  # it is midnight in Los Angeles
    toml.write_text(toml.read_text(encoding="utf-8") + closed, encoding="utf-8")
    joining.pages.config = load_config(joining.pages.config.root)

    joining.ask(NEW)
    joining.run()

    assert len(joining.mails_to(NEW)) == 1


def test_a_paused_broadcast_holds_everyone_until_it_continues(joining: Joining) -> None:
    joining.ask(NEW)
    joining.run()
    (broadcast,) = list_broadcasts(joining.pages.database)
    with joining.pages.database.transaction() as connection:
        set_running(connection, broadcast.id, Entry.RESUMED, "for the test", now=NOW)
    pause_broadcast(joining.pages.database, broadcast.id, "the key is wrong", now=NOW)
    joining.ask(BO.replace("bo", "cleo"))
    joining.run()

    assert [mail.recipient for mail in joining.relay.taken if "cleo" in mail.recipient] == []
    assert any("is not running" in words for words in joining.logged)
    resume_broadcast(joining.pages.database, broadcast.id, now=joining.pages.now)
    joining.run()
    assert len(joining.mails_to("cleo@example.org")) == 1
    assert len(list_broadcasts(joining.pages.database)) == 1


def test_a_worker_puts_the_email_of_people_who_join_in_the_ledger(joining: Joining) -> None:
    config, database = joining.pages.config, joining.pages.database
    joining.ask(NEW)

    queue_answers(config, database, now=joining.pages.now, log=no_log)

    (broadcast,) = list_broadcasts(database)
    assert (broadcast.state, tally_of(database, broadcast.id).waiting) == (BroadcastState.RUNNING, 1)
