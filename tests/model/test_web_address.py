"""Where an address in a sentence ends, and when two spellings are one address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.web_address import WEB_ADDRESS, comparable_address, host_of_address

ADDRESS = "https://www.example.org/one"


@pytest.mark.parametrize(
    "sign",
    list(
        "”’“»«›‹„‟\"'`)]}>〉》」』】）］｝。．、，；：！？…—–―‒।॥ฯ״׳։۔،؛؟、· \u200b\u2060\ufeff\u00a0\u202f\u3000\u2028"
    ),
)
@pytest.mark.parametrize("more", ["", " and more", "x"])
def test_an_address_ends_before_a_sign_of_the_sentence(sign: str, more: str) -> None:
    end = "" if sign in "'" and more == "x" else more
    found = WEB_ADDRESS.match(f"{ADDRESS}{sign}{end}")
    assert found
    assert found[0] == ADDRESS


@pytest.mark.parametrize("words", ["에서", "から", "的", "をご覧ください", "ここ", "และ", "και", "и", "و", "और", "და"])
def test_an_address_ends_before_a_word_of_another_script(words: str) -> None:
    assert WEB_ADDRESS.findall(f"{ADDRESS}{words}") == [ADDRESS]


@pytest.mark.parametrize(
    "address",
    [
        "https://www.example.org/a_b_(c)/?x=1&y=2",
        "https://en.wikipedia.org/wiki/Compassion_(Buddhism)",
        "https://bücher.example/straße/ü?q=ö&x",
        "https://ru.wikipedia.org/wiki/Москва",
        "https://例え.jp",
        "https://localhost:3000/a.b,c;d!e~f#g",
        "https://www.example.org/%E4%BD%A0?u=a|b",
        "http://user:pw@www.example.org/~ana/-/x--y",
        "https://www.example.org/?n=mfq0123456789abcdefq",
    ],
)
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("(", ")."), ("“", "”, and"), ("参加", "。"), ("**", "**"), ("_", "_ x")]
)
def test_a_whole_address_is_found(address: str, before: str, after: str) -> None:
    assert WEB_ADDRESS.search(before + address + after)
    found = next(WEB_ADDRESS.finditer(before + address + after))
    assert found[0] == address


@pytest.mark.parametrize(
    "text", ["www.example.org", "https://", "xhttps://a.example", "ftp://a.example", "//a.example"]
)
def test_what_is_no_complete_address_is_none(text: str) -> None:
    assert not WEB_ADDRESS.search(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("www.example.org", "https://www.example.org/"),
        ("example.org/straße", "https://www.example.org/stra%C3%9Fe"),
        ("hello@example.org", "mailto:hello@example.org"),
        ("HTTPS://Example.ORG/a", "https://example.org/a"),
        ("+44", "tel:+44"),
    ],
)
def test_spellings_of_one_address_are_equal(one: str, other: str) -> None:
    assert comparable_address(one) == comparable_address(other)


@pytest.mark.parametrize(
    ("one", "other"), [("https://a.example/x", "https://a.example/y"), ("https://a.example/A", "https://a.example/a")]
)
def test_two_addresses_differ(one: str, other: str) -> None:
    assert comparable_address(one) != comparable_address(other)


@given(text=st.text(max_size=60))
def test_any_text_has_a_comparable_form_and_perhaps_a_host(text: str) -> None:
    assert isinstance(comparable_address(text), str)
    assert isinstance(host_of_address(f"https://{text}"), str)
