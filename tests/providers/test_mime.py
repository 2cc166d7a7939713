"""The message that an email app reads is the one that was composed, for all values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from newsletter.model.broadcast import Mailing, Recipient
from newsletter.model.rendered import Picture
from newsletter.model.slot_sources import Column
from newsletter.model.slots import Escape, Slot, Template
from newsletter.providers.headers import one_line
from newsletter.providers.mime import MessageCompiler, compile_message
from tests.providers.mailings import ENVELOPE, PICTURE, mailing, parse, received, recipient, variant

NOW = datetime(2026, 2, 19, 16, 0, tzinfo=UTC)
SINGLE_HEADERS = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
)  # fmt: skip

# Line breaks between two pieces of text are each piece's own, so none begins or ends with half of one.
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120).map(
    lambda text: text.replace("\r\n", "\n").replace("\r", "\n")
)
hostile = st.sampled_from(
    [
        *("", " ", "\t", "\x00", " \n ", ".", "..", ".\n.", "=", "=\n", '"', "<b>", "a b", "From me"),
        *("--=_newsletter_alternative--", "\nBcc: eve@example.net", "{{ name }}", "%nlk3v9q2x7x0%", "=?utf-8?q?x?="),
        *("x" * 75, "x" * 76, "a" * 500, "é" * 200, "From " + "x" * 70, "Dear\nFrom here", "From\n", "From: me"),
    ]
)
values = st.one_of(texts, hostile)
plain_slots = tuple(Slot(Column(f"field{number}"), Escape.TEXT) for number in range(3))


@st.composite
def templates(draw: st.DrawFn) -> Template:
    slots = draw(st.lists(st.integers(0, 2), max_size=4))
    parts = draw(st.lists(values, min_size=len(slots) + 1, max_size=len(slots) + 1))
    return Template(tuple(parts), tuple(slots))


@settings(max_examples=60)
@given(subject=templates(), html=templates(), text=templates(), filled=st.tuples(values, values, values))
def test_any_value_arrives_as_it_was_and_breaks_nothing(
    subject: Template, html: Template, text: Template, filled: tuple[str, str, str]
) -> None:
    made = mailing(variant(subject=subject, html=html, text=text, slots=plain_slots, pictures=(PICTURE,)))

    content = compile_message(made, NOW).render(
        Recipient(5, "ana@example.org", filled[0], "https://x.example/u", filled)
    )

    got = received(content)
    assert got.html == html.fill(filled)
    assert got.text == text.fill(filled)
    assert got.subject == one_line(subject.fill(filled))
    assert got.to_name == one_line(filled[0])
    assert got.pictures == {PICTURE.content_id: PICTURE.content}
    message = parse(content)
    assert all(len(message.get_all(name, [])) == 1 for name in SINGLE_HEADERS)
    assert message["Bcc"] is None
    assert not message.defects


@settings(max_examples=60)
@given(subject=templates(), body=templates(), filled=st.tuples(values, values, values))
def test_no_line_is_too_long_or_begins_with_a_dot_and_all_end_in_crlf(
    subject: Template, body: Template, filled: tuple[str, str, str]
) -> None:
    made = mailing(variant(subject=subject, html=body, text=body, slots=plain_slots))

    content = compile_message(made, NOW).render(
        Recipient(5, "ana@example.org", filled[0], "https://x.example/u", filled)
    )

    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert not any(line.startswith(b".") for line in lines)
    assert not any(line.startswith(b"From ") for line in body_of(content).split(b"\r\n"))
    assert max(map(len, lines)) <= 998
    assert max(map(len, body_of(content).split(b"\r\n"))) <= 76
    assert content.isascii()


def body_of(content: bytes) -> bytes:
    return content.partition(b"\r\n\r\n")[2]


def test_no_header_is_wider_than_a_line_should_be() -> None:
    long = Picture(name=f"{'hills-' * 9}1.jpg", content_type="image/jpeg", content=b"x", width=2, height=1)
    content = compile_message(mailing(variant(pictures=(PICTURE, long))), NOW).render(recipient(1, "ana@example.org"))

    headers = [line for line in content.split(b"\r\n") if line.startswith((b"Content-", b" ", b"List-", b"X-"))]
    assert len(headers) > 10
    # The name in a Content-ID cannot be folded.
    assert [line for line in headers if len(line) > 78 and not line.startswith(b"Content-ID")] == []


@settings(max_examples=60)
@given(name=values, subject=values)
def test_encoded_words_keep_to_their_length(name: str, subject: str) -> None:
    made = mailing(variant(subject=Template((subject,))))

    content = compile_message(made, NOW).render(recipient(1, "ana@example.org", name=name))

    head = content.partition(b"\r\n\r\n")[0]
    words = [word for word in head.split() if word.startswith(b"=?")]
    assert all(len(word) <= 75 for word in words)
    assert all(len(line) <= 76 for line in head.split(b"\r\n") if b"=?" in line)


def test_the_text_stands_before_the_html() -> None:
    message = parse(_rendered(mailing()))

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_pictures_travel_beside_the_html() -> None:
    second = Picture(name="wide-1.jpg", content_type="image/jpeg", content=bytes(range(256)) * 40, width=2, height=1)

    message = parse(_rendered(mailing(variant(pictures=(PICTURE, second)))))

    text, related = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    assert related.get_param("type") == "text/html"
    html, *pictures = related.iter_parts()
    assert html.get_content_type() == "text/html"
    assert [picture.get_content() for picture in pictures] == [PICTURE.content, second.content]
    assert [picture["Content-ID"] for picture in pictures] == [f"<{PICTURE.content_id}>", f"<{second.content_id}>"]
    assert {picture.get_content_disposition() for picture in pictures} == {"inline"}
    assert [picture.get_filename() for picture in pictures] == [PICTURE.name, second.name]


def test_a_message_says_who_writes_and_how_to_leave() -> None:
    message = parse(_rendered(mailing(subject_prefix="[TEST] ")))

    assert message["From"] == "The Gentle Letter <letter@example.org>"
    assert message["Reply-To"] == "answers@example.org"
    assert message["Subject"] == "[TEST] News for Ana: February"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == "<b7.1@example.org>"
    assert message["List-Id"] == "The Gentle Letter <letter.example.org>"
    assert message["List-Unsubscribe"] == "<https://news.example.org/u/1-token1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_names_outside_ascii_arrive() -> None:
    envelope = type(ENVELOPE)(
        from_name="Señora Ñandú, & Co.",
        from_email="carta@example.org",
        reply_to="",
        list_name="Das Gespräch",
        list_id="gespraech.example.org",
        service_url="https://news.example.org",
    )

    message = parse(_rendered(mailing(envelope=envelope)))

    assert message["From"].addresses[0].display_name == "Señora Ñandú, & Co."
    assert message["From"].addresses[0].addr_spec == "carta@example.org"
    assert message["Reply-To"] is None
    assert message["List-Id"] == "Das Gespräch <gespraech.example.org>"


def test_somebody_without_a_name_is_written_to_by_address_alone() -> None:
    nameless = recipient(5, "ana@example.org", name=" ")

    assert b"\r\nTo: <ana@example.org>\r\n" in compile_message(mailing(variant()), NOW).render(nameless)


def test_a_domain_outside_ascii_is_written_in_ascii() -> None:
    content = compile_message(mailing(), NOW).render(recipient(1, "ana@straße.example"))

    assert parse(content)["To"].addresses[0].addr_spec == "ana@xn--strae-oqa.example"


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.org\r\nBcc: eve@example.net",
        "ana@example.org>, <eve@example.net",
        "ana",
        "@example.org",
        "a b@example.org",
    ],
)
def test_an_address_that_could_break_out_of_its_header_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an email address"):
        compile_message(mailing(), NOW).render(recipient(1, address))


def test_a_message_is_the_same_when_it_is_made_again() -> None:
    assert _rendered(mailing()) == _rendered(mailing())


def test_the_compiler_keeps_apart_what_differs() -> None:
    compiler = MessageCompiler()
    later = datetime(2026, 2, 19, 18, 0, tzinfo=UTC)
    ana = recipient(1, "ana@example.org")

    first = compiler.compiled(mailing(), NOW).render(ana)
    test = compiler.compiled(mailing(subject_prefix="[TEST] "), NOW).render(ana)
    again = compiler.compiled(mailing(), later).render(ana)

    assert parse(first)["Subject"] == "News for Ana: February"
    assert parse(test)["Subject"] == "[TEST] News for Ana: February"
    assert parse(again)["Date"].datetime == later


def _rendered(made: Mailing) -> bytes:
    return compile_message(made, NOW).render(recipient(1, "ana@example.org"))


def test_an_answer_to_one_person_says_that_it_is_automatic_and_has_nothing_to_unsubscribe() -> None:
    content = compile_message(replace(mailing(), is_automatic=True), NOW).render(recipient(5, "ana@example.org"))

    message = parse(content)
    assert message["Auto-Submitted"] == "auto-generated"
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post"} & set(message)
    assert compile_message(mailing(), NOW).render(recipient(5, "ana@example.org")).count(b"Auto-Submitted") == 0
