"""Twice the text is at most about twice the work, whatever the text is made of."""

import pytest

from newsletter.content.comments import without_comments
from newsletter.content.markdown import parse_line, parse_markdown
from newsletter.content.source import Reading, replace_merge_fields
from newsletter.model.web_address import WEB_ADDRESS
from tests.effort import growth_of_calls, growth_of_processor_time

UNITS = (
    *(
        "{{",
        "https://a.b/(",
        "https://",
        "[",
        "![",
        "[a](",
        "*",
        "**a",
        "_",
        "`",
        "<",
        "<a",
        "<br>",
        "<!--",
        "<!-- -->",
    ),
    *("\\", "&a", "|", "| a |\n", "- a\n", "> ", "# \n", "• https://a.b\n", "a\n", "あ\n", "[^1]", "[^1]: a\n", "[]()"),
    *(
        "[x][y]",
        "{lang=es}\n",
        "[a]{lang=es}",
        "[a]{lang=",
        "~~",
        "==a==",
        ":a:",
        "「a**",
        "a|b\n-|-\n",
        "```\n",
        "(a)[",
    ),
    *("mfq0123456789abcdefq", "<a_b>", "[ ] a\n", "a\n===\n", "“https://a.b”", "*a ", "😀 a\n", ": a\n", "&#1;"),
)
LENGTH = 2_000  # characters


@pytest.mark.parametrize("unit", UNITS)
def test_parsing_is_linear(unit: str) -> None:
    def work(text: str) -> None:
        parse_markdown.__wrapped__(text, path="a.md")

    assert growth_of_calls(work, unit, LENGTH // len(unit)) < 2.4


@pytest.mark.parametrize("unit", ["**a", "[a](", "https://a.b/(", "<a", "`", "&a"])
def test_parsing_a_key_is_linear(unit: str) -> None:
    assert growth_of_calls(parse_line.__wrapped__, unit, LENGTH // len(unit)) < 2.4


@pytest.mark.parametrize("unit", ["<!--", "<!-- -->", "`<!--", "`a``b", "```\n<!--\n", "<!-- a\n-->\n", "\\<!--"])
def test_dropping_comments_is_linear(unit: str) -> None:
    def work(text: str) -> None:
        without_comments(text, first_line=1)

    assert growth_of_processor_time(work, unit, 4_000 // len(unit)) < 24


@pytest.mark.parametrize("unit", ["{{", "{{ a", "{{ a }}", "{{ a }}\n", "}}", "{{ a | default('"])
def test_replacing_merge_fields_is_linear(unit: str) -> None:
    def work(text: str) -> None:
        replace_merge_fields(text, path="a.md", lines=range(1, text.count("\n") + 2), reading=Reading())

    assert growth_of_processor_time(work, unit, 4_000 // len(unit)) < 24


@pytest.mark.parametrize(
    "unit", ["https://", "https://a.b/(", "https://a.b/[", "https://a.b/..", "http://a:", "https://a@", "https://a.b/'"]
)
def test_finding_addresses_is_linear(unit: str) -> None:
    assert growth_of_processor_time(WEB_ADDRESS.findall, unit, 8_000 // len(unit)) < 24


def test_runs_of_backticks_of_every_length_are_linear() -> None:
    def work(unit: str) -> None:
        without_comments("".join("`" * run + " " for run in range(1, len(unit))) + "<!--", first_line=1)

    assert growth_of_processor_time(work, "x", 100) < 100  # eight times as many runs are 64 times as many signs
