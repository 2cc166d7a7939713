"""What is sent from the studio: the same rules as in the terminal, each question once, and no one twice."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.checks import probes
from newsletter.model.audience import Suppression, SuppressionReason
from newsletter.model.broadcast import BroadcastState
from newsletter.model.finding import Means
from newsletter.model.segment import All, Segment
from newsletter.store.approvals import approvals_of, last_approval
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import pause_broadcast, require_broadcast
from newsletter.store.ledger.recall import last_run
from newsletter.store.suppressions import suppress_listed
from tests.e2e.relay import RelayStep
from tests.fakes.name_server import NameServer
from tests.postgresql import PostgresServer
from tests.store.builders import NOW, add_people, freeze
from tests.web.studio.sending_world import (
    NOW_TO_EVERYONE,
    OWN_PAGES,
    PEOPLE,
    SENDING,
    SendingWorld,
    sending_world,
)
from tests.workspaces import CONFIG

LINK = '<a class="place" href="/2026-02/edit?at=issues/2026-02/'
ALL = {f"person{number:05}@example.org": 1 for number in range(PEOPLE)}


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SendingWorld]:
    """A studio whose list is in a file, and one whose list is in PostgreSQL."""
    if request.param == "sqlite":
        with sending_world(tmp_path) as made:
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    url = server.fresh_database()
    with sending_world(tmp_path, database=url) as made:
        yield made
    server.drop_database(url)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[SendingWorld]:
    """A studio whose list is in a file."""
    with sending_world(tmp_path) as made:
        yield made


def opened_again(world: SendingWorld) -> SendingWorld:
    """The same workspace in a studio that was just started, because here nothing watches the files."""
    return SendingWorld(root=world.root, relay=world.relay)


def leave(database: Database, reason: SuppressionReason) -> None:
    """Has one person leave."""
    suppress_listed(database, [Suppression(email="person00001@example.org", reason=reason, created_at=NOW)])


def blocked(world: SendingWorld) -> str:
    """The text of the plan of a broadcast that cannot be sent, after an attempt to send it nevertheless."""
    question = world.planned()
    text = world.get(question).text
    assert 'name="people"' not in text
    assert world.confirm(question, PEOPLE).status_code == 409
    world.wait()
    assert world.broadcasts() == 0
    assert world.mailed == {}
    return text


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_typed_number_sends_to_each_person_once(world: SendingWorld) -> None:
    question = world.planned()
    assert f"Send to {PEOPLE} subscribers?" in world.get(question).text
    answer = world.confirm(question, PEOPLE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/2026-02/sending/1")
    world.wait()
    assert world.mailed == ALL
    assert world.tally().accepted == PEOPLE
    assert f"{PEOPLE} accepted + 0 excluded" in world.get("/2026-02/sending/1").text


@pytest.mark.parametrize("typed", ["", "4", "6", "-5", "5.5", "all", "٥", "5 people", "0x5", "99999999999999999999"])
def test_any_other_number_sends_nothing(plain: SendingWorld, typed: str) -> None:
    question = plain.planned()
    answer = plain.submit(question, {"people": typed})
    assert answer.status_code == 422
    assert "nothing was sent" in answer.text
    assert plain.broadcasts() == 0


def test_a_number_may_have_separators(tmp_path: Path) -> None:
    with sending_world(tmp_path, people=1200) as world:
        question = world.planned()
        assert "1,200" in world.get(question).text
        assert world.submit(question, {"people": "1,200"}).status_code == 303


def test_a_form_that_is_sent_again_does_nothing(world: SendingWorld) -> None:
    question = world.planned()
    locations = [world.confirm(question, PEOPLE).headers["location"] for _ in range(3)]
    world.wait()
    assert set(locations) == {"/2026-02/sending/1"}
    assert world.broadcasts() == 1
    assert world.mailed == ALL


def test_a_double_click_creates_one_broadcast(world: SendingWorld) -> None:
    question = world.planned()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: world.confirm(question, PEOPLE).headers["location"], range(4)))
    world.wait()
    assert set(answers) == {"/2026-02/sending/1"}
    assert world.broadcasts() == 1
    assert world.mailed == ALL


def test_two_open_plans_do_not_send_to_anyone_twice(world: SendingWorld) -> None:
    first, second = world.planned(), world.planned()
    world.confirm(first, PEOPLE)
    world.wait()
    leads_to = world.confirm(second, PEOPLE).headers["location"]
    assert "This did not work" in world.get(leads_to).text
    world.wait()
    assert world.broadcasts() == 1
    assert world.mailed == ALL


# ── What has changed between the question and the answer ─────────────────────────────────────────────────────────────


def asked_again(world: SendingWorld, question: str, people: int) -> str:
    """The address of the question that is asked instead, with which nothing has been sent."""
    again = world.confirm(question, people).headers["location"]
    assert again != question
    assert "in the meantime" in world.get(again).text
    assert world.broadcasts() == 0
    return again


def test_edited_content_is_asked_about_again(world: SendingWorld) -> None:
    question = world.planned()
    world.edit()
    again = asked_again(world, question, PEOPLE)
    world.confirm(question, PEOPLE)
    assert world.broadcasts() == 0
    world.confirm(again, PEOPLE)
    world.wait()
    assert world.mailed == ALL


def test_people_who_joined_are_asked_about_again(world: SendingWorld) -> None:
    question = world.planned()
    with world.database() as database:
        add_people(database, 1, prefix="newcomer")
    again = asked_again(world, question, PEOPLE)
    assert world.confirm(again, PEOPLE).status_code == 422
    assert world.confirm(again, PEOPLE + 1).status_code == 303


def test_people_who_left_are_asked_about_again(world: SendingWorld) -> None:
    question = world.planned()
    with world.database() as database:
        leave(database, SuppressionReason.UNSUBSCRIBED)
    again = asked_again(world, question, PEOPLE)
    text = world.get(again).text
    assert "1 unsubscribed" in text
    world.confirm(again, PEOPLE - 1)
    world.wait()
    assert "person00001@example.org" not in world.mailed


def test_an_approval_that_is_gone_is_missed_before_anything_is_sent(tmp_path: Path) -> None:
    with sending_world(tmp_path, settings="[delivery]\nrequire_approval = true") as world:
        world.approve()
        question = world.planned()
        with world.database() as database, database.transaction() as connection:
            connection.execute("DELETE FROM approval")
        again = asked_again(world, question, PEOPLE)
        assert "Not ready to send" in world.get(again).text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[segments]", "[delivery]\nrequire_approval = true\n\n[segments]", "No one has approved it"),
        ('tagged("teacher")', 'tagged("none")', "have changed in the meantime"),
        ("news@example.org", "new@example.org", "have changed in the meantime"),
        ("[segments]", "[delivery]\nrequire_aproval = true\n\n[segments]", "This did not work"),
        ("[segments]", "[segments", "This did not work"),
    ],
)
def test_settings_that_were_written_after_the_question_count(
    plain: SendingWorld, old: str, new: str, words: str
) -> None:
    question, settings = plain.planned(), plain.root / "newsletter.toml"
    before = settings.read_text()
    settings.write_text(before.replace(old, new))
    answer = plain.confirm(question, PEOPLE)
    assert words in plain.get(answer.headers["location"]).text
    assert plain.submit(f"{SENDING}/plan", NOW_TO_EVERYONE).status_code == (422 if "did not" in words else 303)
    plain.wait()
    settings.write_text(before)  # so that the test itself can open the database
    assert plain.broadcasts() == 0
    assert not plain.mailed


def test_a_mistake_in_the_files_stops_what_was_confirmed(plain: SendingWorld) -> None:
    question = plain.planned()
    plain.edit("greeting:", "greting:")
    result = plain.confirm(question, PEOPLE).headers["location"]
    assert f'{LINK}letter.md%3A2">issues/2026-02/letter.md:2</a>: ' in plain.get(result).text
    page = opened_again(plain).get(SENDING).text
    assert f'{LINK}letter.md%3A2">issues/2026-02/letter.md:2</a>' in page
    assert "greting" in page
    assert plain.broadcasts() == 0


# ── The rules of the terminal ────────────────────────────────────────────────────────────────────────────────────────


def test_content_without_an_approval_is_not_sent(tmp_path: Path) -> None:
    with sending_world(tmp_path, settings="[delivery]\nrequire_approval = true") as world:
        assert "No one has approved it" in blocked(world)
        world.approve()
        question = world.planned()
        world.edit()
        again = world.confirm(question, PEOPLE).headers["location"]
        assert "It was changed after Ana Lima approved it" in world.get(again).text
        assert world.confirm(again, PEOPLE).status_code == 409
        assert world.broadcasts() == 0


def test_content_that_was_not_tested_is_not_sent(tmp_path: Path) -> None:
    with sending_world(tmp_path, settings="[delivery]\nrequire_test = true") as world:
        assert "No test email of this content has been sent" in blocked(world)
        world.test()
        world.confirm(world.planned(), PEOPLE)
        world.wait()
        assert world.mailed == ALL


def test_an_error_that_a_check_finds_blocks_sending(plain: SendingWorld) -> None:
    issue = plain.root / "issues/2026-02/issue.yaml"
    issue.write_text(issue.read_text().replace("subject: A small letter for everybody", 'subject: "TODO"'))
    text = blocked(plain)
    assert "TODO" in text
    for page in (text, opened_again(plain).get(SENDING).text):
        assert f'{LINK}issue.yaml%3A1">issues/2026-02/issue.yaml:1</a>' in page
    assert plain.get("/2026-02/edit?at=issues/2026-02/issue.yaml%3A1").status_code == 200


def only_probe(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """Leaves only one of the checks that take a while, because the others ask name servers that no test may ask."""
    monkeypatch.setattr(probes, "PROBES", tuple(probe for probe in probes.PROBES if rule in probe.rules))


def test_nothing_is_sent_while_no_one_can_unsubscribe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_probe(monkeypatch, "H4")
    config = CONFIG.replace("https://news.example.org", "https://127.0.0.1:1")
    with sending_world(tmp_path, config=config, without=(Means.BROWSER, Means.SPAMASSASSIN)) as world:
        assert "· H4" in blocked(world)


def test_nothing_is_sent_while_images_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_probe(monkeypatch, "S22")
    picture = BytesIO()
    Image.new("RGB", (40, 30), "#9C3353").save(picture, "PNG")
    with NameServer() as names:
        tables = '[archive]\nurl = "https://gone.example.org/letters"\n'
        tables += f'[authentication]\nnameservers = ["{names.place}"]\n'
        with sending_world(tmp_path, settings=tables, without=(Means.BROWSER, Means.SPAMASSASSIN)) as world:
            (world.letter.parent / "images").mkdir()
            (world.letter.parent / "images/field.png").write_bytes(picture.getvalue())
            world.letter.write_text(world.letter.read_text() + "\n![A red field](images/field.png)\n")
            assert "· S22" in blocked(world)


def test_a_renamed_issue_is_not_sent_to_the_same_people(plain: SendingWorld) -> None:
    plain.confirm(plain.planned(), PEOPLE)
    plain.wait()
    (plain.root / "issues/2026-02").rename(plain.root / "issues/2026-03")
    question = plain.question("/2026-03/sending/plan", NOW_TO_EVERYONE)
    assert "have this content from broadcast 1 as 2026-02" in plain.get(question).text
    assert plain.confirm(question, PEOPLE).status_code == 409
    assert plain.broadcasts() == 1


def test_the_segment_says_whom_it_reaches_and_whom_not(plain: SendingWorld) -> None:
    with plain.database() as database:
        leave(database, SuppressionReason.COMPLAINED)
    text = plain.get(f"{SENDING}/audience?segment=everyone").text
    assert "<strong>4</strong> people get it" in text
    assert "1 complained" in text
    assert "no subscriber" in plain.get(f"{SENDING}/audience?segment=teachers").text.lower()
    assert "There is no segment &#39;nobody&#39;" in plain.get(f"{SENDING}/audience?segment=nobody").text


# ── At a time ────────────────────────────────────────────────────────────────────────────────────────────────────────

LATER = {"segment": "everyone", "when": "later", "at": "in 2 days", "awake": "timer"}


def test_a_scheduled_broadcast_waits_for_its_time(world: SendingWorld) -> None:
    question = world.planned(LATER)
    text = world.get(question).text
    assert f"Schedule it for {PEOPLE} subscribers?" in text
    assert "No timer has run here lately" in text
    world.confirm(question, PEOPLE)
    world.wait()
    with world.database() as database:
        assert require_broadcast(database, 1).state is BroadcastState.SCHEDULED
    assert world.mailed == {}
    assert "No service, timer or worker seems to be running" in world.get("/2026-02/sending/1").text


def test_the_studio_itself_can_stay_for_the_time(plain: SendingWorld) -> None:
    question = plain.planned({**LATER, "awake": "here"})
    assert "Leave it running" in plain.get(question).text
    plain.confirm(question, PEOPLE)
    plain.courier.end()
    with plain.database() as database:
        run = last_run(database)
        assert run is not None
        assert run.command == "studio"
        assert require_broadcast(database, 1).state is BroadcastState.SCHEDULED


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({**LATER, "at": ""}, "Write the time to send at"),
        ({**LATER, "at": "yesterday 08:00"}, "yesterday"),
        ({**LATER, "at": "2020-01-01 08:00"}, "is in the past"),
        ({**LATER, "awake": ""}, "Choose what will be running at that time"),
        ({**LATER, "awake": "cat"}, "Choose what will be running at that time"),
        ({**LATER, "awake": "worker"}, "Workers need PostgreSQL"),
        ({"segment": "nobody", "when": "now"}, "There is no segment"),
        ({"segment": "", "when": "now"}, "Choose the segment to send to"),
        ({}, "Choose the segment to send to"),
    ],
)
def test_a_mistake_in_the_form_stands_beside_it(plain: SendingWorld, form: dict[str, str], words: str) -> None:
    answer = plain.submit(f"{SENDING}/plan", form)
    assert answer.status_code == 422
    problem = re.search(
        r'id="plan-problem" class="problem" role="alert">([^<]*(?:<code>[^<]*</code>[^<]*)*)</p>', answer.text
    )
    assert problem is not None
    assert words in problem[1]
    assert "--at" not in problem[1]


# ── Tests and approvals ──────────────────────────────────────────────────────────────────────────────────────────────


def test_only_reviewers_of_the_settings_get_a_test_copy(plain: SendingWorld) -> None:
    for chosen in ([], ["eve@example.org"], ["noor@example.net", "eve@example.org"]):
        answer = plain.submit(f"{SENDING}/test", {"to": chosen})
        assert answer.status_code == 422
        assert "choose at least one of the reviewers" in answer.text.lower()
    question = plain.question(f"{SENDING}/test", {"to": ["noor@example.net"]})
    assert "Send 1 test email?" in plain.get(question).text
    assert plain.relay.taken == {}
    for _ in range(3):
        plain.confirm(question)
    assert dict(plain.relay.taken) == {"noor@example.net": 1}
    assert "1 test email for 1 reviewer, accepted by smtp." in plain.get(question).text


def test_a_test_copy_of_edited_content_is_asked_about_again(plain: SendingWorld) -> None:
    question = plain.question(f"{SENDING}/test", {"to": ["noor@example.net"]})
    plain.edit()
    again = plain.confirm(question).headers["location"]
    assert "edited in the meantime" in plain.get(again).text
    assert plain.relay.taken == {}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("concurrency = 1", "concurrency = 2", "accepted by smtp"),
        ('host = "127.0.0.1"', 'host = "localhost"', "have changed in the meantime"),
        (', "noor@example.net"', "", "Choose at least one of the reviewers"),
    ],
)
def test_a_test_copy_goes_where_and_to_whom_was_shown(plain: SendingWorld, old: str, new: str, words: str) -> None:
    question, settings = plain.question(f"{SENDING}/test", {"to": ["noor@example.net"]}), plain.root / "newsletter.toml"
    settings.write_text(settings.read_text().replace(old, new))
    assert words in plain.get(plain.confirm(question).headers["location"]).text
    assert dict(plain.relay.taken) == ({"noor@example.net": 1} if "accepted" in words else {})


def test_an_approval_is_the_record_of_the_terminal_for_exactly_this_content(world: SendingWorld) -> None:
    question = world.question(f"{SENDING}/approval", {"by": "  Ana   Lima "})
    assert "Approve 2026-02 as Ana Lima?" in world.get(question).text
    world.edit()
    again = world.confirm(question).headers["location"]
    assert "edited in the meantime" in world.get(again).text
    world.confirm(again)
    shown = re.search(r"content ([0-9a-f]{12})", world.get(again).text)
    assert shown is not None
    with world.database() as database:
        (given,) = _approvals(database, shown[1])
    assert given == "Ana Lima"
    assert "Ana Lima approved it" in world.get(SENDING).text


def _approvals(database: Database, beginning: str) -> list[str]:
    last = last_approval(database, "2026-02")
    assert last is not None
    assert last.content_hash.startswith(beginning)
    return [each.by for each in approvals_of(database, "2026-02", last.content_hash)]


@pytest.mark.parametrize("name", ["", "   ", "\u202e", "a\x00b"])
def test_an_approval_needs_a_name(plain: SendingWorld, name: str) -> None:
    answer = plain.submit(f"{SENDING}/approval", {"by": name})
    assert answer.status_code == 422
    assert "is not a name" in answer.text


# ── While it is sent ─────────────────────────────────────────────────────────────────────────────────────────────────


class Halt:
    """A relay that stops before the answer to the third message, until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._taken = 0

    def __call__(self, step: RelayStep, recipient: str) -> str | None:
        if step is RelayStep.CONTENT and recipient.startswith("person"):
            self._taken += 1
            if self._taken == 3:
                self.reached.set()
                self.go_on.wait(60)
        return None


@pytest.fixture(params=["sqlite", "postgresql"])
def halted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[SendingWorld, Halt]]:
    """A studio that has sent two messages and waits for the answer to the third."""
    halt, server = Halt(), None
    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        url = server.fresh_database()
    with sending_world(tmp_path, database=url, on_step=halt) as world:
        world.confirm(world.planned(), PEOPLE)
        assert halt.reached.wait(60)
        yield world, halt
        halt.go_on.set()
    if server is not None:
        server.drop_database(url)


def test_a_studio_that_ends_stops_after_the_email_and_resume_sends_the_rest(
    halted: tuple[SendingWorld, Halt],
) -> None:
    world, halt = halted
    world.courier.ask_to_end()
    halt.go_on.set()
    world.courier.end()
    assert sum(world.mailed.values()) == 3
    assert (world.tally().accepted, world.tally().waiting, world.tally().unknown) == (3, 2, 0)

    later = SendingWorld(world.root, world.relay)
    text = later.get("/2026-02/sending/1").text
    assert "Continue…" in text
    question = later.question("/2026-02/sending/1/resume")
    assert "send to 2 subscribers?" in later.get(question).text
    assert later.confirm(question, PEOPLE).status_code == 422
    later.confirm(question, 2)
    later.confirm(question, 2)
    later.wait()
    assert world.mailed == ALL
    assert world.tally().accepted == PEOPLE


def test_canceling_says_whom_it_still_reaches_and_sends_no_more(halted: tuple[SendingWorld, Halt]) -> None:
    world, halt = halted
    question = world.question("/2026-02/sending/1/cancel")
    text = world.get(question).text
    assert "Cancel broadcast 1?" in text
    assert "being sent now" in text
    assert world.broadcasts() == 1
    with ThreadPoolExecutor(1) as threads:
        canceled = threads.submit(world.confirm, question)
        while _state(world) is BroadcastState.RUNNING:
            threading.Event().wait(0.05)
        halt.go_on.set()
        assert canceled.result().headers["location"] == "/2026-02/sending/1"
    world.wait()
    assert _state(world) is BroadcastState.CANCELLED
    assert sum(world.mailed.values()) == 3
    assert "3 of 5 sent" in world.get("/2026-02/sending/1").text
    assert world.submit("/2026-02/sending/1/cancel").status_code == 409


def _state(world: SendingWorld) -> BroadcastState:
    with world.database() as database:
        return require_broadcast(database, 1).state


def test_closing_the_studio_in_the_grace_period_loses_nothing(tmp_path: Path) -> None:
    with sending_world(tmp_path, settings='[delivery]\ngrace = "1h"') as world:
        question = world.planned()
        assert "nothing is sent in the first 1 hour" in world.get(question).text
        world.confirm(question, PEOPLE)
        assert "nothing is sent for another" in world.get("/2026-02/sending/1").text
        world.courier.end()
        assert _state(world) is BroadcastState.RUNNING
        assert (world.tally().waiting, world.mailed) == (PEOPLE, {})


def test_canceling_in_the_grace_period_reaches_no_one(tmp_path: Path) -> None:
    with sending_world(tmp_path, settings='[delivery]\ngrace = "1h"') as world:
        world.confirm(world.planned(), PEOPLE)
        world.confirm(world.question("/2026-02/sending/1/cancel"))
        world.wait()
        assert _state(world) is BroadcastState.CANCELLED
        assert world.mailed == {}


def test_a_pause_is_shown_with_its_reason_and_can_be_ended(tmp_path: Path) -> None:
    refuses = threading.Event()
    refuses.set()

    def on_step(step: RelayStep, recipient: str) -> str | None:
        if step is RelayStep.MAIL and refuses.is_set():
            return "530 5.7.0 Authentication required"
        return None

    with sending_world(tmp_path, on_step=on_step) as world:
        world.confirm(world.planned(), PEOPLE)
        world.wait()
        assert _state(world) is BroadcastState.PAUSED
        text = world.get("/2026-02/sending/1").text
        assert "Authentication required" in text
        assert "Continue…" in text
        assert "Authentication required" in world.get("/2026-02/road").text
        refuses.clear()
        question, settings = world.question("/2026-02/sending/1/resume"), world.root / "newsletter.toml"
        settings.write_text(settings.read_text().replace('host = "127.0.0.1"', 'host = "localhost"'))
        again = world.confirm(question, PEOPLE).headers["location"]
        assert "have changed in the meantime" in world.get(again).text
        world.confirm(again, PEOPLE)
        world.wait()
        assert world.mailed == ALL


# ── Strangers ────────────────────────────────────────────────────────────────────────────────────────────────────────

POSTS = ("test", "approval", "plan", "questions/none", "1/cancel", "1/resume")


@pytest.mark.parametrize("post", POSTS)
@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "null"}, True),
        ({}, True),
        (OWN_PAGES, False),
        ({**OWN_PAGES, "Studio-Token": "forged"}, True),
    ],
)
def test_no_other_page_can_send_a_form(plain: SendingWorld, post: str, headers: dict[str, str], token: bool) -> None:
    body = f"token={plain.token if token else 'forged'}&by=Eve&to=noor@example.net&segment=everyone&when=now".encode()
    answer = plain.ask("POST", f"{SENDING}/{post}", headers=headers, body=body)
    assert answer.status_code == 403
    assert plain.relay.taken == {}


def test_a_question_belongs_to_its_issue_and_ends_with_the_studio(plain: SendingWorld) -> None:
    question = plain.planned()
    key = question.rsplit("/", 1)[1]
    (plain.root / "issues/2026-03").mkdir()
    for name in ("issue.yaml", "letter.md"):
        (plain.root / "issues/2026-03" / name).write_text((plain.root / "issues/2026-02" / name).read_text())
    for elsewhere in (f"/2026-03/sending/questions/{key}", f"{SENDING}/questions/{key}x", f"{SENDING}/questions/none"):
        answer = plain.confirm(elsewhere, PEOPLE)
        assert answer.status_code == 410
        assert "no longer open" in answer.text
    assert plain.broadcasts() == 0


def test_a_form_that_is_too_large_is_refused(plain: SendingWorld) -> None:
    assert plain.submit(f"{SENDING}/approval", {"by": "a" * 100_000}).status_code == 413


@pytest.mark.parametrize("path", ["/nothing/road", "/nothing/sending", f"{SENDING}/9", f"{SENDING}/9/account"])
def test_what_does_not_exist_is_not_found(plain: SendingWorld, path: str) -> None:
    assert plain.get(path).status_code == 404


def test_a_broadcast_of_another_issue_is_not_shown(plain: SendingWorld) -> None:
    plain.confirm(plain.planned(), PEOPLE)
    plain.wait()
    (plain.root / "issues/2026-02").rename(plain.root / "issues/2026-03")
    assert plain.get("/2026-03/sending/1").status_code == 404
    assert plain.submit("/2026-03/sending/1/cancel").status_code == 404


def test_a_script_in_any_field_stays_text(tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    config = CONFIG.replace('"noor@example.net"', f"'\"{script}\" <noor@example.net>'")
    config = config.replace('name = "Small Letter"', f"name = '{script}'")
    with sending_world(tmp_path, config=config) as world:
        pages = [world.get(SENDING).text, world.get("/2026-02/road").text]
        pages.append(world.submit(f"{SENDING}/approval", {"by": f"{script}\x00"}).text)
        pages.append(world.submit(f"{SENDING}/plan", {**LATER, "at": script}).text)
        pages.append(world.submit(f"{SENDING}/plan", {**NOW_TO_EVERYONE, "segment": script}).text)
        pages.append(world.get(f"{SENDING}/audience?segment=%3Cscript%3Ealert(1)%3C/script%3E").text)
        for path, form in (
            ("approval", {"by": script}),
            ("test", {"to": f'"{script}" <noor@example.net>'}),
            ("plan", NOW_TO_EVERYONE),
        ):
            question = world.question(f"{SENDING}/{path}", form)
            pages.append(world.get(question).text)
            world.confirm(question, PEOPLE)
            pages.append(world.get(question).text)
        world.wait()
        with world.database() as database:
            add_people(database, 1, prefix="late")
            freeze(database, provider="smtp", to=Segment(name=script, expression="everyone", condition=All()))
            pause_broadcast(database, 2, f"refused: {script}", now=NOW)
        pages += [world.get(SENDING).text, world.get("/2026-02/road").text, world.get("/2026-02/sending/2").text]
        issue = world.root / "issues/2026-02/issue.yaml"
        issue.write_text(issue.read_text().replace("title: A small letter", f'title: "{script}"'))
        pages.append(world.get(SENDING).text)
        pages.append(world.submit(f"{SENDING}/plan", NOW_TO_EVERYONE).text)
        assert not any(script in page for page in pages)
        assert sum("&lt;script&gt;" in page for page in pages) >= len(pages) - 3
