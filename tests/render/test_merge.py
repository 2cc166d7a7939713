"""Merge tokens become slots, and a reader's values stay data wherever they stand."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.slot_sources import source_of
from newsletter.model.slots import UNSUBSCRIBE_FIELD, Escape, MergeField, Template
from newsletter.render.merge import SlotTable, in_header, in_html, in_text
from tests.render.values import TOKEN, slot_values

NAME = MergeField("nickname", "Friends")  # the name columns are also kept from deceiving
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
HOSTILE = st.one_of(
    VALUES,
    st.sampled_from(
        [
            '"><script>alert(1)</script>',
            "' onmouseover='x",
            "{{ email }}",
            "mfq0123456789abcdefq",
            "-->",
            "<!--[if mso]>",
            "a\r\nBcc: all@example.org",
            "javascript:alert(1)",
        ]
    ),
)


def filled(template: Template, table: SlotTable, value: str) -> str:
    return template.fill(slot_values(table.slots, {"nickname": value}))


class Elements(HTMLParser):
    """The elements of a document with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@given(value=HOSTILE)
def test_any_value_stays_text_in_html(value: str) -> None:
    table = SlotTable([source_of(NAME)])
    html = filled(table.template(f"<p>Dear {NAME.token},</p>", in_html), table, value)
    elements = Elements(html)
    assert [tag for tag, _ in elements.found] == ["p"]
    assert html.startswith("<p>Dear ")
    assert html.endswith(",</p>")


@given(value=HOSTILE)
def test_any_value_stays_inside_its_attribute(value: str) -> None:
    table = SlotTable([source_of(NAME)])
    html = filled(table.template(f'<img alt="For {NAME.token}" width="9">', in_html), table, value)
    assert [(tag, set(attributes)) for tag, attributes in Elements(html).found] == [("img", {"alt", "width"})]


@given(value=HOSTILE.filter(bool))
def test_any_value_stays_a_piece_of_its_address(value: str) -> None:
    table = SlotTable([source_of(NAME)])
    html = filled(table.template(f'<a href="https://example.org/?n={NAME.token}&amp;b=1">x</a>', in_html), table, value)
    [(_, attributes)] = Elements(html).found
    href = attributes["href"] or ""
    assert href.startswith("https://example.org/?n=")
    assert href.endswith("&b=1")
    assert unquote(href[len("https://example.org/?n=") : -len("&b=1")]) == value


@given(value=HOSTILE)
def test_any_value_stays_on_one_line_of_a_header(value: str) -> None:
    table = SlotTable([source_of(NAME)])
    subject = filled(table.template(f"News for {NAME.token}", in_header), table, value)
    assert len(subject.splitlines()) == 1
    assert "\x00" not in subject


@given(value=HOSTILE)
def test_any_value_stays_on_its_line_of_the_text(value: str) -> None:
    table = SlotTable([source_of(NAME)])
    text = filled(table.template(f"Dear {NAME.token},\nhttps://example.org/{NAME.token}\n", in_text), table, value)
    assert text.count("\n") == 2
    assert " " not in text.split("\n")[1]


@given(value=HOSTILE)
def test_no_value_is_read_as_a_merge_field(value: str) -> None:
    email = MergeField("email")
    table = SlotTable([source_of(NAME), source_of(email)])
    template = table.template(f"<p>{NAME.token} {email.token}</p>", in_html)
    values = {"first_name": email.token + value, "email": "SECRET"}
    html = template.fill(slot_values(table.slots, values))
    assert html.count("SECRET") == 1 + value.count("SECRET")


def test_an_empty_value_gives_the_default() -> None:
    table = SlotTable([source_of(NAME)])
    assert filled(table.template(f"Dear {NAME.token}", in_text), table, "") == "Dear Friends"


def test_one_field_in_two_kinds_of_place_is_two_slots() -> None:
    table = SlotTable([source_of(NAME)])
    table.template(f'<p>{NAME.token}<a href="https://example.org/{NAME.token}">{NAME.token}</a></p>', in_html)
    assert [slot.escape for slot in table.slots] == [Escape.HTML, Escape.URL]


def test_the_unsubscribe_link_is_one_slot_wherever_it_stands() -> None:
    link = UNSUBSCRIBE_FIELD
    table = SlotTable([source_of(link)])
    html = table.template(f'<a href="{link.token}">{link.token}</a>', in_html)
    text = table.template(f"Leave:\n{link.token}", in_text)
    url = f"https://news.example.org/u/1-{TOKEN}"
    values = slot_values(table.slots, {})
    assert values == (url,)
    assert html.fill(values) == f'<a href="{url}">{url}</a>'
    assert text.fill(values) == f"Leave:\n{url}"


def test_a_token_of_an_unknown_field_is_text() -> None:
    table = SlotTable([source_of(NAME)])
    assert table.template("mfq0123456789abcdefq", in_text).parts == ("mfq0123456789abcdefq",)


@pytest.mark.parametrize("attribute", ["href", "src", "SRC", "href "])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_value_in_an_address_of_html_is_percent_encoded(attribute: str, quote: str) -> None:
    table = SlotTable([source_of(NAME)])
    html = f"<img {attribute}={quote}https://example.org/{NAME.token}.png{quote}>"
    assert "/a%2Fb%22%26.png" in filled(table.template(html, in_html), table, 'a/b"&')


@pytest.mark.parametrize("address", ["https://example.org/", "http://example.org/", "mailto:"])
def test_a_value_in_an_address_of_the_text_is_percent_encoded(address: str) -> None:
    table = SlotTable([source_of(NAME)])
    assert (
        filled(table.template(f"Write to {address}{NAME.token}", in_text), table, "a b") == f"Write to {address}a%20b"
    )


@pytest.mark.parametrize("sign", ["\N{NEXT LINE}", "\N{LINE SEPARATOR}", "\N{PARAGRAPH SEPARATOR}", "\x0b", "\x7f"])
def test_no_sign_that_ends_a_line_anywhere_is_left_in_a_value(sign: str) -> None:
    table = SlotTable([source_of(NAME)])
    for escape_at in (in_html, in_text, in_header):
        assert filled(table.template(f"Dear {NAME.token}.", escape_at), table, f"a{sign}b") == "Dear a b."


@pytest.mark.parametrize("before", ["(", "“", "«", "参加", "Auto: ", "**", "<", '"', "‘", "a:"])
@pytest.mark.parametrize("escape_at", [in_html, in_text])
def test_a_value_in_an_address_is_percent_encoded_whatever_stands_before(before: str, escape_at: Any) -> None:
    table = SlotTable([source_of(NAME)])
    text = f"{before if escape_at is in_text else before.replace('<', ' ')}https://example.org/?n={NAME.token}) more"
    assert "?n=a%20b%26c) more" in filled(table.template(text, escape_at), table, "a b&c")


@pytest.mark.parametrize("escape_at", [in_html, in_text])
def test_a_value_beside_an_address_is_not_part_of_it(escape_at: Any) -> None:
    table = SlotTable([source_of(NAME)])
    text = f"https://example.org/x, {NAME.token} “https://example.org”{NAME.token}"
    assert "%20" not in filled(table.template(text, escape_at), table, "a b")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://www.example.org/me?a=1&b=2", "https://www.example.org/me?a=1&amp;b=2"),
        ("https://www.example.org/a b\"'<", "https://www.example.org/a%20b%22&#x27;%3C"),
        (" http://www.example.org/é ", "http://www.example.org/%C3%A9"),
        ("mailto:ana@example.org", "mailto:ana@example.org"),
        ("javascript:alert(1)", ""),
        ("Ana", ""),
        ("", "https://www.example.org"),
    ],
)
def test_a_value_may_be_a_whole_address_and_nothing_else(value: str, address: str) -> None:
    field = MergeField("nickname", "https://www.example.org")
    table = SlotTable([source_of(field)])
    template = table.template(f'<a href="{field.token}">x</a>', in_html)
    assert [slot.escape for slot in table.slots] == [Escape.ADDRESS]
    assert filled(template, table, value) == f'<a href="{address}">x</a>'


@given(value=HOSTILE)
def test_any_value_of_a_whole_address_stays_inside_its_attribute(value: str) -> None:
    table = SlotTable([source_of(NAME)])
    html = filled(table.template(f'<a href="{NAME.token}" width="9">x</a>', in_html), table, value)
    [(tag, attributes)] = Elements(html).found
    assert (tag, set(attributes)) == ("a", {"href", "width"})
    assert not (attributes["href"] or "").lower().startswith(("javascript:", "data:"))
