"""Markdown as newsletters are written in it."""

import pytest

from newsletter.content.markdown import parse_markdown


def addresses(markdown: str) -> list[tuple[str, str]]:
    return [(link.text, link.url) for link in parse_markdown(markdown, path="letter.md").prose.links]


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("See https://www.example.org/a_b_(c)/?x=1&y=2, please.", ["https://www.example.org/a_b_(c)/?x=1&y=2"]),
        ("**https://www.example.org**", ["https://www.example.org"]),
        ("https://www.example.org/ar، ثم", ["https://www.example.org/ar"]),
        ("https://www.example.org/ja。次", ["https://www.example.org/ja"]),
        ("www.example.org, example.org and a@example.org are words", []),
        ("`https://www.example.org` is code", []),
        ("ftp://example.org and //example.org lead nowhere", []),
    ],
)
def test_whole_addresses_become_links(markdown: str, found: list[str]) -> None:
    assert addresses(markdown) == [(address, address) for address in found]


def test_an_address_inside_a_link_is_not_one_of_its_own() -> None:
    assert addresses("[https://a.example.org](https://www.example.org/a)") == [
        ("https://a.example.org", "https://www.example.org/a")
    ]


def test_struck_words_are_marked() -> None:
    inline = parse_markdown("now ~~then~~", path="letter.md").prose.tokens[1]
    assert [token.type for token in inline.children or []] == ["text", "s_open", "text", "s_close"]
