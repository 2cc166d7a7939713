"""People without a consent are asked once for it, by an email and a button, and the silent ones are let go."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import BroadcastKind
from newsletter.model.columns import SubscriberRecord
from newsletter.model.edit import Edit
from newsletter.model.signup import ASKED_AGAIN
from newsletter.store.editing import edit_people
from newsletter.store.forgotten import forget_person
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.status import tally_of
from newsletter.store.re_permission import NO_ANSWER
from newsletter.store.signups import signups_of, wording_of
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import add_suppression, find_suppression, past_suppressions, suppressions_of
from newsletter.store.undo import undo_last_import
from newsletter.workflows.send.re_permission import ask_again, let_go, plan_asking, plan_going, require_pages
from tests.providers.smtp_server import SmtpServer
from tests.providers.workspace import smtp_settings
from tests.store.builders import add, row
from tests.web.public.conftest import TOPICS, ServedPages
from tests.web.public.joining import Joining, body_of, links_in
from tests.workspaces import CONFIG

SILENT, DANIEL, MEMBER, READER = "silent@example.org", "daniel@example.org", "member@example.org", "reader@example.org"
GONE, LEFT_TOPIC, PAUSED = "gone@example.org", "topic@example.org", "paused@example.org"
KEY = b"k" * 32
MONTH = timedelta(days=30)


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    """The relay that takes the email."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def settings(relay: SmtpServer) -> str:
    """A workspace that sends through the relay."""
    return CONFIG + TOPICS + smtp_settings(relay.port, more="concurrency = 1")


@pytest.fixture
def post(served: ServedPages, relay: SmtpServer) -> Joining:
    """A list with two people who may be asked, and others who may not."""
    database, now = served.database, served.now
    add(
        database,
        bare(SILENT),
        bare(DANIEL, language="de-AT"),
        bare(MEMBER, consent_basis="members"),
        row(READER, consented_at=now, consent_source="form"),
        bare(GONE),
        bare(LEFT_TOPIC),
        bare(PAUSED),
    )
    for email, topic in ((GONE, ""), (LEFT_TOPIC, "news")):
        add_suppression(database, email, SuppressionReason.UNSUBSCRIBED, topic=topic, now=now)
    pause = Edit(cells={"paused_until": f"{now + timedelta(days=900):%Y-%m-%dT%H:%M:%SZ}"})
    edit_people(database, [PAUSED], pause, key=None, shown=0, now=now)
    return Joining(served, relay)


def bare(email: str, **fields: Any) -> SubscriberRecord:
    """A person without a consent."""
    return row(email, **{"consented_at": None, "consent_source": "", **fields})


def ask(post: Joining) -> int | None:
    """Ask everyone who may be asked, and send the email. Return how many were asked."""
    pages = post.pages
    planned = plan_asking(pages.database, now=pages.now)
    asked = ask_again(pages.config, pages.database, planned, key=KEY, now=pages.now)
    post.run()
    return asked[1] if asked else None


def go(post: Joining, *, after_days: int = 30) -> list[str]:
    """Let the silent people go, and return them."""
    pages = post.pages
    planned = plan_going(pages.database, after_days=after_days, now=pages.now)
    assert let_go(pages.database, planned, now=pages.now) == len(planned.people)
    return [each.email for each in planned.people]


def askable(post: Joining) -> list[str]:
    """The people who may be asked."""
    return [each.email for each in plan_asking(post.pages.database, now=post.pages.now).people]


def test_only_people_without_consent_or_basis_who_have_not_left_are_asked(post: Joining) -> None:
    planned = plan_asking(post.pages.database, now=post.pages.now)
    assert {each.email for each in planned.people} == {SILENT, DANIEL}
    assert {(each.reason.partition(" until")[0], each.people) for each in planned.left_out} == {
        ("unsubscribed", 2),
        ("paused", 1),
    }
    assert post.relay.taken == []

    assert ask(post) == 2

    assert sorted(mail.recipient for mail in post.relay.taken) == [DANIEL, SILENT]
    (broadcast,) = list_broadcasts(post.pages.database)
    assert (broadcast.kind, broadcast.state) == (BroadcastKind.RE_PERMISSION, "done")
    assert tally_of(post.pages.database, broadcast.id).accepted == 2
    (german,), (english,) = post.mails_to(DANIEL), post.mails_to(SILENT)
    assert str(german["Subject"]).startswith("Dürfen wir")
    assert "no record that you agreed" in body_of(english, "plain")
    assert english["Auto-Submitted"] is None
    assert english["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_button_records_a_consent_of_that_moment(post: Joining) -> None:
    ask(post)
    pages, link = post.pages, post.link_in(post.mails_to(DANIEL)[0])
    for _ in range(3):
        assert pages.get(link).status == 200
        assert pages.ask("HEAD", link).status in {200, 405}
    before = find_subscriber(pages.database, DANIEL)
    assert before is not None
    assert before.record.consented_at is None

    pages.later(days=20)
    page = pages.get(link)
    answer = post.confirm(link)

    assert "Ja, ich möchte es bekommen" in page.text
    assert DANIEL not in page.text
    assert answer.status == 200
    person = find_subscriber(pages.database, DANIEL)
    assert person is not None
    record = person.record
    assert (record.consented_at, record.consent_confirmed_at) == (pages.now, pages.now)
    assert (record.consent_source, record.language) == ("asked-again", "de-AT")
    wording = wording_of(pages.database, record.consent_wording)
    assert wording is not None
    assert "[Ja, ich möchte es bekommen]" in wording.words
    assert "abmelden" in wording.words
    assert suppressions_of(pages.database, DANIEL) == ()


def test_no_one_is_asked_twice(post: Joining) -> None:
    pages = post.pages
    ask(post)
    assert askable(post) == []
    assert ask(post) is None
    pages.later(days=400)
    post.ask("new@example.org")  # what deletes old sign-ups runs
    post.run()
    assert askable(post) == []

    edit_people(pages.database, [SILENT], Edit(cells={"email": "other@example.org"}), key=None, shown=0, now=pages.now)
    edit_people(pages.database, [DANIEL], Edit(removed_tags=frozenset({ASKED_AGAIN})), key=None, shown=0, now=pages.now)
    assert askable(post) == []
    assert len(post.mails_to(SILENT)) == len(post.mails_to(DANIEL)) == 1


def test_the_mark_survives_an_undo_and_another_list(post: Joining) -> None:
    database = post.pages.database
    ask(post)
    post.pages.later(minutes=5)
    undo_last_import(database, shown=9, now=post.pages.now)
    add(database, bare(SILENT), bare(DANIEL))
    assert askable(post) == []

    add(database, bare("elsewhere@example.org", tags=(ASKED_AGAIN,)))
    assert askable(post) == []


def test_someone_who_agreed_and_whose_consent_was_cleared_is_not_asked_again(post: Joining) -> None:
    ask(post)
    post.confirm(post.link_in(post.mails_to(SILENT)[0]))
    edit_people(post.pages.database, [SILENT], Edit(cells={"consented_at": ""}), key=None, shown=0, now=post.pages.now)
    assert askable(post) == []


@pytest.mark.parametrize("change", ["leaves", "complains", "agrees", "pauses", "moves", "is erased"])
def test_whoever_changes_before_the_email_leaves_gets_none(post: Joining, change: str) -> None:
    pages, now = post.pages, post.pages.now
    planned = plan_asking(pages.database, now=now)
    assert ask_again(pages.config, pages.database, planned, key=KEY, now=now) is not None
    cells = {
        "agrees": {"consented_at": "2026-01-01T00:00:00Z", "consent_source": "paper"},
        "pauses": {"paused_until": f"{now + MONTH:%Y-%m-%dT%H:%M:%SZ}"},
        "moves": {"email": "moved@example.org"},
    }
    if change in cells:
        edit_people(pages.database, [SILENT], Edit(cells=cells[change]), key=KEY, shown=0, now=now)
    elif change == "is erased":
        forget_person(pages.database, SILENT, key=KEY, now=now)
    else:
        reason = SuppressionReason.UNSUBSCRIBED if change == "leaves" else SuppressionReason.COMPLAINED
        add_suppression(pages.database, SILENT, reason, now=now)
    post.run()

    assert [mail.recipient for mail in post.relay.taken] == [DANIEL]
    (broadcast,) = list_broadcasts(pages.database)
    assert (tally_of(pages.database, broadcast.id).accepted, tally_of(pages.database, broadcast.id).excluded) == (1, 1)


def test_the_silent_ones_are_let_go_after_a_month(post: Joining) -> None:
    pages = post.pages
    ask(post)
    post.confirm(post.link_in(post.mails_to(DANIEL)[0]))
    (broadcast,) = list_broadcasts(pages.database)
    before = tally_of(pages.database, broadcast.id)
    pages.later(days=29)
    assert go(post) == []
    pages.later(days=1)

    assert go(post) == [SILENT]

    found = find_suppression(pages.database, SILENT)
    assert found is not None
    assert (found.reason, found.detail) == (SuppressionReason.UNSUBSCRIBED, NO_ANSWER)
    assert find_suppression(pages.database, DANIEL) is None
    assert tally_of(pages.database, broadcast.id) == before
    assert go(post) == []
    add(pages.database, bare(SILENT))
    assert find_suppression(pages.database, SILENT) is not None
    with pytest.raises(InputError, match="--after 0"):
        plan_going(pages.database, after_days=0, now=pages.now)


def test_the_button_brings_back_someone_who_was_let_go(post: Joining) -> None:
    pages = post.pages
    ask(post)
    pages.later(days=31)
    go(post)
    post.confirm(post.link_in(post.mails_to(SILENT)[0]))

    assert find_suppression(pages.database, SILENT) is None
    assert [each.reason for each in past_suppressions(pages.database, SILENT)] == ["unsubscribed"]
    person = find_subscriber(pages.database, SILENT)
    assert person is not None
    assert person.record.consented_at == pages.now


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINED, SuppressionReason.BOUNCED, SuppressionReason.MANUAL])
def test_the_button_lifts_no_report(post: Joining, reason: SuppressionReason) -> None:
    ask(post)
    link = post.link_in(post.mails_to(SILENT)[0])
    add_suppression(post.pages.database, SILENT, reason, now=post.pages.now)
    post.confirm(link)

    assert find_suppression(post.pages.database, SILENT) is not None
    person = find_subscriber(post.pages.database, SILENT)
    assert person is not None
    assert person.record.consented_at is None


def test_the_link_is_for_one_person_and_one_address(post: Joining) -> None:
    pages = post.pages
    ask(post)
    link, other = (post.link_in(post.mails_to(email)[0]) for email in (SILENT, DANIEL))
    forged = link[: link.index("-")] + other[other.index("-") :]
    assert pages.get(forged).text == pages.get("/join/999-AAAAAAAAAAAAAAAAAAAAAA").text

    edit_people(pages.database, [SILENT], Edit(cells={"email": "moved@example.org"}), key=None, shown=0, now=pages.now)
    post.confirm(link)
    for email in (SILENT, "moved@example.org"):
        person = find_subscriber(pages.database, email)
        assert person is None or person.record.consented_at is None


def test_the_email_has_a_link_that_unsubscribes(post: Joining) -> None:
    ask(post)
    (mail,) = post.mails_to(SILENT)
    link = post.link_in(mail, "/u/")
    assert {each.split("/")[1] for each in links_in(mail)} == {"join", "u"}
    post.pages.press(link, [("List-Unsubscribe", "One-Click")])

    assert find_suppression(post.pages.database, SILENT) is not None


def test_asking_is_no_rush_and_outlives_no_confirmation(post: Joining) -> None:
    add(post.pages.database, *(bare(f"p{number}@example.org") for number in range(70)))
    assert ask(post) == 72
    post.ask("new@example.org")
    post.run()

    assert len(post.mails_to("new@example.org")) == 1


def test_erasing_someone_leaves_no_earlier_address(post: Joining) -> None:
    pages = post.pages
    ask(post)
    edit_people(pages.database, [SILENT], Edit(cells={"email": "moved@example.org"}), key=None, shown=0, now=pages.now)
    assert len(signups_of(pages.database, SILENT)) == 1
    forget_person(pages.database, "moved@example.org", key=KEY, now=pages.now)

    assert signups_of(pages.database, SILENT) == ()


def test_no_one_is_asked_while_the_pages_do_not_answer(post: Joining) -> None:
    settings = post.pages.config.settings
    away = {
        "service": settings.service.model_copy(update={"url": "https://127.0.0.1:1"}),
        "provider": settings.provider.model_copy(update={"use": "sendgrid"}),
    }
    config = replace(post.pages.config, settings=settings.model_copy(update=away))

    with pytest.raises(InputError, match="no one was asked, because the unsubscribe page on"):
        require_pages(config)
    require_pages(post.pages.config)  # the relay is on this machine
