"""What every provider keeps to, whatever carries the mail."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.model.broadcast import NextStep, Outcome, OutgoingChunk, Verdict
from newsletter.model.diagnosis import Health
from newsletter.model.rendered import Picture
from newsletter.model.replies import Reply
from newsletter.model.slots import Template
from newsletter.providers.registry import PROVIDERS, outcome_of_replies
from tests.providers.carriers import API_KEY, CARRIERS, Carrier
from tests.providers.mailings import PICTURE, chunk, mailing, recipient, variant
from tests.providers.sendgrid.parts import unknown
from tests.providers.smtp_server import PASSWORD


@pytest.fixture(params=CARRIERS)
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Carrier]:
    """Each provider in turn, with what it hands mail to."""
    with CARRIERS[request.param](request, tmp_path) as opened:
        yield opened


def test_every_provider_is_held_to_the_contract() -> None:
    assert {name.partition("-")[0] for name in CARRIERS} == set(PROVIDERS)


def test_everyone_gets_their_own_mail(carrier: Carrier) -> None:
    people = [recipient(number, f"person{number}@example.org", f"Name{number}") for number in range(1, 31)]

    outcome = _submit(carrier, chunk(*people))

    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.next_step is NextStep.GO_ON
    assert (outcome.invalid, outcome.unsent, outcome.uncertain) == ({}, frozenset(), {})
    arrived = {mail.to: mail for mail in carrier.arrived()}
    assert set(arrived) == {person.email for person in people}
    shared = variant()
    for person in people:
        got = arrived[person.email]
        assert got.subject == shared.subject.fill(person.values)
        assert got.html == shared.html.fill(person.values)
        assert got.text == shared.text.fill(person.values)


def test_headers_say_who_writes_and_how_to_leave(carrier: Carrier) -> None:
    people = [recipient(number, f"person{number}@example.org") for number in (1, 2)]

    _submit(carrier, chunk(*people))

    arrived = {mail.to: mail for mail in carrier.arrived()}
    for person in people:
        got = arrived[person.email]
        assert got.sender == "letter@example.org"
        assert got.reply_to == "answers@example.org"
        assert got.headers["List-Unsubscribe"] == f"<{person.unsubscribe_url}>"
        assert got.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "<letter.example.org>" in got.headers["List-Id"]
    assert len({mail.headers["List-Unsubscribe"] for mail in arrived.values()}) == 2


def test_whoever_has_an_address_for_leaving_can_leave_by_link_and_by_email(carrier: Carrier) -> None:
    ana, bo = (recipient(number, f"person{number}@example.org") for number in (1, 2))

    _submit(carrier, chunk(ana._replace(leave_address="u.1.1.abcdefgh@bounces.example.org"), bo))

    arrived = {mail.to: mail.headers["List-Unsubscribe"] for mail in carrier.arrived()}
    by_email = "<mailto:u.1.1.abcdefgh@bounces.example.org?subject=unsubscribe>"
    assert arrived == {ana.email: f"<{ana.unsubscribe_url}>, {by_email}", bo.email: f"<{bo.unsubscribe_url}>"}


@pytest.mark.parametrize(
    "first_name",
    [
        "Ana\r\nBcc: eve@example.net",
        "first\n\nsecond",
        "quote \" and backslash \\ and '",
        "%nlguessx2% %first_name% -name-",
        "{{ unsubscribe_url }} {% if x %}",
        "<script>alert(1)</script> &amp; <b>",
        "\n.\nQUIT",
        "",
        " ",
        "José 张伟 🙂 שלום",
        "x" * 3000,
    ],
)
def test_a_hostile_value_stays_data(carrier: Carrier, first_name: str) -> None:
    person = recipient(1, "ana@example.org", first_name, name=first_name)
    other = recipient(2, "ben@example.org", "Ben")

    _submit(carrier, chunk(person, other))

    arrived = {mail.to: mail for mail in carrier.arrived()}
    shared = variant()
    for one in (person, other):
        got = arrived[one.email]
        assert got.html == shared.html.fill(one.values).replace("\r\n", "\n")
        assert got.text == shared.text.fill(one.values).replace("\r\n", "\n")
        assert got.subject == shared.subject.fill(one.values)
        assert "Bcc" not in got.headers


def test_pictures_arrive_whole(carrier: Carrier) -> None:
    wide = Picture(name="wide-5.jpg", content_type="image/jpeg", content=bytes(range(256)) * 50, width=9, height=9)
    html = Template((f'<img src="cid:{PICTURE.content_id}"><img src="cid:{wide.content_id}">\n',))
    made = mailing(variant(html=html, pictures=(PICTURE, wide)))

    _submit(carrier, chunk(recipient(1, "ana@example.org"), of=made))

    (got,) = carrier.arrived()
    assert got.pictures == {PICTURE.content_id: PICTURE.content, wide.content_id: wide.content}
    assert got.html == html.fill(())


@pytest.mark.parametrize("address", ["nobody", "ana@example.org\r\nBcc: eve@example.net", "a@b@c", "<eve@example.net>"])
def test_an_invalid_address_does_not_stop_the_others(carrier: Carrier, address: str) -> None:
    people = [recipient(1, "ana@example.org"), recipient(2, address), recipient(3, "cem@example.org")]

    outcome = _submit(carrier, chunk(*people))

    assert set(outcome.invalid) == outcome.undeliverable == {2}
    assert outcome.invalid[2]
    assert sorted(mail.to for mail in carrier.arrived()) == ["ana@example.org", "cem@example.org"]


def test_a_domain_in_any_script_gets_its_mail(carrier: Carrier) -> None:
    outcome = _submit(carrier, chunk(recipient(1, "ana@bücher.example"), recipient(2, "ben@παράδειγμα.example")))

    assert outcome.verdict is Verdict.ACCEPTED
    assert not outcome.invalid
    assert sorted(mail.to for mail in carrier.arrived()) == [
        "ana@xn--bcher-kva.example",
        "ben@xn--hxajbheg2az3al.example",
    ]


def test_a_test_copy_is_marked(carrier: Carrier) -> None:
    _submit(carrier, chunk(recipient(1, "ana@example.org"), of=mailing(subject_prefix="[TEST] ")))

    (got,) = carrier.arrived()
    assert got.subject == "[TEST] News for Ana: February"


def test_names_and_subjects_in_any_script_arrive(carrier: Carrier) -> None:
    subject = Template(("Fünf Übungen für ", " – 第五号 " + "ünglaublich " * 12 + "lang"), (0,))
    made = mailing(variant(subject=subject))
    person = recipient(1, "zoe@example.org", "Zoë Ñandú", name="Zoë Ñandú")

    _submit(carrier, chunk(person, of=made))

    (got,) = carrier.arrived()
    assert got.subject == subject.fill(person.values)
    assert got.to_name == "Zoë Ñandú"


def test_a_mailing_without_fields_arrives(carrier: Carrier) -> None:
    plain = variant(
        subject=Template(("Hello",)), html=Template(("<p>Hello</p>\n",)), text=Template(("Hello\n",)), slots=()
    )
    person = recipient(1, "ana@example.org")

    _submit(carrier, chunk(type(person)(1, person.email, "", person.unsubscribe_url, ()), of=mailing(plain)))

    (got,) = carrier.arrived()
    assert (got.subject, got.html, got.text) == ("Hello", "<p>Hello</p>\n", "Hello\n")


def test_one_session_carries_chunks_of_several_mailings(carrier: Carrier) -> None:
    german = mailing(variant(subject=Template(("Neues",))), broadcast="b8")

    with carrier.provider.session() as session:
        outcomes = [
            session.submit(chunk(recipient(1, "ana@example.org"))),
            session.submit(chunk(recipient(2, "ben@example.org"), of=german, number=2)),
            session.submit(chunk(recipient(3, "cem@example.org"), number=3)),
        ]

    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    subjects = {mail.to: mail.subject for mail in carrier.arrived()}
    assert subjects == {
        "ana@example.org": "News for Ana: February",
        "ben@example.org": "Neues",
        "cem@example.org": "News for Ana: February",
    }


def test_a_mail_that_is_handed_over_again_can_be_told_to_be_the_same(carrier: Carrier) -> None:
    _submit(carrier, chunk(recipient(1, "ana@example.org")))
    _submit(carrier, chunk(recipient(1, "ana@example.org"), attempt=2))

    assert len({mail.headers[carrier.mark] for mail in carrier.arrived()}) == 1


def test_a_provider_says_what_it_is(carrier: Carrier) -> None:
    provider = carrier.provider

    assert provider.name in PROVIDERS
    assert provider.chunk_size >= 1
    assert provider.concurrency >= 1
    assert provider.describe()
    assert not any(secret in provider.describe() for secret in (API_KEY, PASSWORD))


def test_the_doctor_looks_without_sending_or_telling_a_secret(carrier: Carrier) -> None:
    for is_online in (True, False):
        facts = carrier.provider.examine(is_online=is_online)

        assert facts.items
        assert not [item for item in facts.items if item.health is Health.ERROR]
        assert not any(secret in str(facts) for secret in (API_KEY, PASSWORD))
    assert carrier.arrived() == []


def test_a_provider_holds_mail_only_where_it_can_take_it_back(carrier: Carrier) -> None:
    scheduler = carrier.provider.scheduler

    if scheduler is not None:
        assert timedelta(0) < scheduler.margin < scheduler.longest
        scheduler.cancel_batch(scheduler.open_batch())


def test_a_log_that_knows_nothing_proves_nothing(carrier: Carrier) -> None:
    log = carrier.provider.message_log

    assert log is None or log.find("b7", unknown("ana@example.org")) is None


def test_the_settings_know_which_provider_keeps_suppressions(carrier: Carrier, tmp_path: Path) -> None:
    table = load_config(tmp_path).settings.provider.table_in_use

    assert (carrier.provider.suppression_lists is not None) is table.keeps_suppressions


@dataclass
class NotedReplies:
    """Keeps what a session notes, and allows so many messages to begin."""

    allowed: int = 1000
    begun: list[int] = field(default_factory=list)
    noted: dict[int, Reply] = field(default_factory=dict)
    under_way: int | None = None

    def may_begin(self, delivery: int) -> bool:
        assert self.under_way in {None, delivery}, "a message began before the reply to another was noted"
        if len(self.begun) == self.allowed:
            return False
        self.begun.append(delivery)
        self.under_way = delivery
        return True

    def note(self, delivery: int, meaning: str, words: str) -> None:
        assert " " not in meaning
        assert meaning not in {"", "waiting", "next", "begun"}
        assert "@" not in words
        self.noted[delivery] = Reply(delivery=delivery, was_begun=True, meaning=meaning, words=words)
        self.under_way = None

    def about(self, handed: OutgoingChunk) -> list[Reply]:
        nothing = [Reply(delivery=each.delivery, was_begun=each.delivery in self.begun) for each in handed.recipients]
        return [self.noted.get(each.delivery, each) for each in nothing]


def _noting(carrier: Carrier, handed: OutgoingChunk, replies: NotedReplies) -> Outcome:
    if not carrier.provider.notes_replies:
        pytest.skip("its chunks are one request each")
    with carrier.provider.session() as session:
        return session.submit(handed, replies)


def test_each_reply_is_noted_before_the_next_message_begins(carrier: Carrier) -> None:
    people = [recipient(number, f"p{number}@example.org") for number in range(1, 6)]
    handed, replies = chunk(*people[:2], recipient(9, "nobody"), *people[2:]), NotedReplies()

    outcome = _noting(carrier, handed, replies)

    assert replies.begun == [1, 2, 3, 4, 5]
    assert set(replies.noted) == {1, 2, 3, 4, 5, 9}
    assert outcome_of_replies(carrier.provider.name, replies.about(handed)) == outcome


def test_where_nothing_more_may_begin_the_rest_is_unsent(carrier: Carrier) -> None:
    people = [recipient(number, f"p{number}@example.org") for number in range(1, 6)]
    handed, replies = chunk(*people), NotedReplies(allowed=2)

    outcome = _noting(carrier, handed, replies)

    assert (outcome.verdict, outcome.next_step, outcome.reason) == (Verdict.ACCEPTED, NextStep.GO_ON, "")
    assert outcome.unsent == {3, 4, 5}
    assert sorted(mail.to for mail in carrier.arrived()) == ["p1@example.org", "p2@example.org"]
    assert outcome_of_replies(carrier.provider.name, replies.about(handed)) == outcome


def test_where_nothing_may_begin_all_is_ready(carrier: Carrier) -> None:
    handed, replies = chunk(recipient(1, "p1@example.org")), NotedReplies(allowed=0)
    outcome = _noting(carrier, handed, replies)
    assert outcome == Outcome(verdict=Verdict.READY)
    assert carrier.arrived() == []
    assert outcome_of_replies(carrier.provider.name, replies.about(handed)) == outcome


def test_a_message_without_a_noted_reply_is_uncertain(carrier: Carrier) -> None:
    if carrier.provider.notes_replies:
        replies = [Reply(delivery=1, was_begun=True), Reply(delivery=2, was_begun=True, meaning="strange")]
        outcome = outcome_of_replies(carrier.provider.name, [*replies, Reply(delivery=3, was_begun=False)])
        assert outcome.verdict is Verdict.READY
        assert set(outcome.uncertain) == {1, 2}


def _submit(carrier: Carrier, handed: OutgoingChunk) -> Outcome:
    with carrier.provider.session() as session:
        return session.submit(handed)
