"""The recipients of a request: whatever their values hold, what is written for all at once is what each one means."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.model.broadcast import OutgoingChunk, Recipient
from newsletter.providers.headers import are_plain_addresses, wire_address
from newsletter.providers.sendgrid.mail import compile_request, json_texts
from tests.providers.mailings import mailing, recipient, variant

MAILING = mailing()
COMPILED = compile_request(MAILING, sandbox=False)

# Text as people have it, and pieces that are special to JSON, to templates and to the way in which all is written.
pieces = st.sampled_from(
    ["Ana", " ", "é", "💗", '"', "\\", "\\u001f", "\x1f", "%", "%b", "%%", "\n", ",", ";", "</b>", "{", "}"]
)
texts = st.lists(pieces | st.text(st.characters(exclude_categories=("Cs",)), max_size=3), max_size=6).map("".join)
emails = st.integers(1, 9).map(lambda number: f"person{number}@example.org") | st.sampled_from(
    ["ana@exämple.org", "ána@example.org", "two@example.org\nthree@example.org", "", "no address", 'a"b@example.org']
)


@st.composite
def recipients(draw: st.DrawFn) -> tuple[Recipient, ...]:
    return tuple(
        Recipient(
            number,
            draw(emails),
            draw(texts),
            f"https://news.example.org/u/{number}-token",
            tuple(draw(texts) for _ in variant().slots),
        )
        for number in range(1, draw(st.integers(0, 5)) + 1)
    )


def request_for(*people: Recipient):  # type: ignore[no-untyped-def]
    return COMPILED.request(OutgoingChunk(mailing=MAILING, number=12, attempt=2, recipients=people))


@given(people=recipients())
def test_every_value_arrives_as_it_is(people: tuple[Recipient, ...]) -> None:
    made = request_for(*people)

    content = json.loads(bytes(made.body))
    assert {each.delivery for each in made.recipients} | made.invalid.keys() == {each.delivery for each in people}
    for person, written in zip(made.recipients, content["personalizations"], strict=True):
        assert written["to"][0]["email"] == wire_address(person.email)
        assert written["substitutions"] == dict(zip(COMPILED.tags, person.values, strict=True))
        assert written["headers"] == {
            "List-Unsubscribe": f"<{person.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        assert written["custom_args"] == {
            "nl_broadcast": "b7",
            "nl_chunk": "12",
            "nl_attempt": "2",
            "nl_delivery": str(person.delivery),
        }
        assert not {";", ",", "\n"} & set(written["to"][0].get("name", ""))


@given(people=recipients())
def test_a_request_for_all_is_the_requests_for_each(people: tuple[Recipient, ...]) -> None:
    together = json.loads(bytes(request_for(*people).body))["personalizations"]

    alone = [json.loads(bytes(request_for(person).body))["personalizations"] for person in people]

    assert together == [written for each in alone for written in each]


@given(st.lists(texts))
def test_a_column_is_written_as_each_of_its_texts(column: list[str]) -> None:
    assert [json.loads(b'"%b"' % written) for written in json_texts(column)] == column


@pytest.mark.parametrize(
    ("addresses", "plain"),
    [
        ([], True),
        (["a@example.org", "b+c@example.org"], True),
        (["a@example.org\nb@example.org"], False),
        (["a@example.org", ""], False),
        (["a@example.org", "b@exämple.org"], False),
        (["a@example.org", "b@example.org\n"], False),
    ],
)
def test_only_addresses_that_need_nothing_are_plain(addresses: list[str], plain: bool) -> None:
    assert are_plain_addresses(addresses) is plain


def test_values_just_within_the_limit_go_and_others_do_not() -> None:
    def person(size: int, sign: str) -> Recipient:
        return Recipient(1, "a@example.org", "", "https://news.example.org/u/1-t", ("", sign * size, "", "", ""))

    room = 10_000 - len(json.dumps(dict.fromkeys(COMPILED.tags, ""), separators=(",", ":")))

    assert request_for(person(room, "x")).recipients
    assert request_for(person(room + 1, "x")).invalid
    assert request_for(person(room // 6, "\x01")).recipients
    assert request_for(person(room // 6 + 1, "\x01")).invalid


def test_an_answer_to_one_person_says_that_it_is_automatic_and_has_nothing_to_unsubscribe() -> None:
    of = replace(MAILING, is_automatic=True)
    people = tuple(recipient(number, f"person{number}@example.org") for number in (1, 2))

    made = compile_request(of, sandbox=False).request(OutgoingChunk(mailing=of, number=1, attempt=1, recipients=people))

    content = json.loads(bytes(made.body))
    assert content["headers"]["Auto-Submitted"] == "auto-generated"
    assert [each["to"][0]["email"] for each in content["personalizations"]] == [each.email for each in people]
    assert [set(each) for each in content["personalizations"]] == [{"to", "substitutions", "custom_args"}] * 2
