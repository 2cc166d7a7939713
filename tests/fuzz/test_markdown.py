"""Markdown as anyone may write or paste it: rendered, or told as losses on its lines. No word goes missing silently."""

import re
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.comments import without_comments
from newsletter.content.keys import read_line, read_plain
from newsletter.content.markdown import parse_markdown
from newsletter.errors import FaultError
from newsletter.language.direction import Direction
from newsletter.model.prose import Prose
from newsletter.render.memory import Memory
from newsletter.render.pictures import ShownPicture
from newsletter.render.plaintext import prose_text
from newsletter.render.prose import prose_html
from tests.fuzz.amount import EXAMPLES

_SIGNS = (
    *("\n", "\n\n", " ", "  \n", "\t", "    ", "\\", "\r", "\u00a0", "\u3000", "\u200b", "\u2028", "\ufffc"),
    *(
        "*",
        "**",
        "***",
        "_",
        "__",
        "~~",
        "`",
        "``",
        "```\n",
        "~~~\n",
        "#",
        "# ",
        "## \n",
        "> ",
        "- ",
        "* ",
        "+ ",
        "1. ",
    ),
    *(
        "1) ",
        "2026. ",
        "---\n",
        "===\n",
        "***\n",
        "|",
        "| a | b |\n|---|---|\n",
        "\n|---|\n",
        "[",
        "]",
        "](",
        ")",
        "![",
    ),
    *("[^1]", "[^1]: ", "[a]: https://www.example.org\n", "[a]", "][", "<", ">", "<b>", "</b>", "<br>", "<a href='x'>"),
    *(
        "https://www.example.org/",
        "http://",
        "<https://www.example.org>",
        "mailto:a@example.org",
        "javascript:",
        "data:",
    ),
    *("{lang=es}", "{lang=es}\n", "[a]{lang=ja}", "{", "}", "{.a}", "&amp;", "&nbsp;", "&#0;", "&x;", "&", "- [ ] "),
    *(
        "- [x] ",
        "- []",
        "• ",
        "– ",
        "a) ",
        ": ",
        ":::",
        "==",
        "^[",
        ":a:",
        "「",
        "」",
        "。",
        "あ",
        "強調",
        "한국",
        "ا",
        "א",
    ),
    *(
        "mfq0123456789abcdefq",
        "\U0001f331 ",
        "\U0001f468\u200d\U0001f469",
        '"',
        "'",
        "“",
        "”",
        "é",
        "e\u0301",
        "(c)",
        "\ue002",
        "\uf0b7 ",
    ),
)
_COMMENTS = ("<!--", "-->", "<!-- a note -->", "<!-- a\n\nb -->")
_STAND_INS = re.compile("[\ue000-\ue010]")


def _texts(*more: str) -> st.SearchStrategy[str]:
    pieces = st.one_of(st.sampled_from((*_SIGNS, *more)), st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
    return st.lists(pieces, max_size=40).map("".join)


def _html(prose: Prose) -> str:
    return str(
        prose_html(
            prose,
            css=".prose p { margin: 0 }",
            heading_level=3,
            picture=lambda name, space: ShownPicture(src=f"cid:{len(name)}", width=space.width, height=1),
            width=536,
            memory=Memory(),
            direction=Direction.LEFT_TO_RIGHT,
        )
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=_texts(*_COMMENTS), first_line=st.integers(1, 9))
def test_any_text_is_rendered_or_told_on_its_lines(text: str, first_line: int) -> None:
    plain = without_comments(text.replace("\r", "\n"), first_line=first_line)
    parsed = parse_markdown(plain.text, path="a.md", lines=plain.lines)

    lines = set(plain.lines)
    assert lines <= set(range(first_line, first_line + text.count("\n") + text.count("\r") + 1))
    for loss in parsed.losses:
        assert loss.line in lines
        assert len(f"{loss.what}; {loss.remedy}") < 1_500
        assert not _STAND_INS.search(loss.what + loss.remedy) or _STAND_INS.search(text)
    assert {link.place.line for link in parsed.prose.links} <= lines
    if parsed.losses:
        return  # the issue is not rendered
    html = _html(parsed.prose)
    assert not re.search(
        r"<(?!/?(?:p|div|h\d|ul|ol|li|blockquote|pre|code|em|strong|s|a|img|br|hr|sup|span|table|t\w+)\b)", html
    )
    prose_text(parsed.prose, language="en")


@settings(max_examples=EXAMPLES, deadline=None)
@given(pieces=st.lists(st.sampled_from(_SIGNS), max_size=24))
def test_no_word_goes_missing_silently(pieces: list[str]) -> None:
    words = [f"word{number}x" for number in range(len(pieces))]
    text = "".join(word + piece for word, piece in zip(words, pieces, strict=True)).replace("\r", "\n")
    parsed = parse_markdown(text, path="a.md")
    if parsed.losses:
        return
    html, shown = _html(parsed.prose), prose_text(parsed.prose, language="en")
    for word in words:
        assert word in html
        assert word in shown


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=_texts())
def test_any_value_of_a_key_is_read_or_refused(text: str) -> None:
    for read in (read_line, read_plain):
        with suppress(FaultError):
            assert _STAND_INS.search(text) or not _STAND_INS.search(read(text))
