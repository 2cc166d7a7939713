"""Markdown as newsletters are written in it."""

import pytest

from newsletter.content.markdown import parse_markdown
from newsletter.model.slots import MergeField


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


@pytest.mark.parametrize(
    "address",
    [
        "https://www.example.org/two%20words?a=20b",
        "https://www.example.org/%22quoted%22",
        "https://www.example.org/%E2%80%AEgpj.exe",
        "https://www.example.org/a%C2%A0b%E2%80%8B",
        "https://www.example.org/%3Cb%3E",
    ],
)
@pytest.mark.parametrize("around", ["{}", "<{}>"])
def test_an_encoded_sign_that_would_end_or_disguise_an_address_stays_encoded(address: str, around: str) -> None:
    assert addresses(around.format(address)) == [(address, address)]


def test_encoded_letters_of_an_address_are_shown() -> None:
    address = "https://www.example.org/%E4%BC%9A%E5%A0%B4/caf%C3%A9"
    assert addresses(address) == [("https://www.example.org/会場/café", address)]


def test_an_address_inside_a_link_is_not_one_of_its_own() -> None:
    assert addresses("[https://a.example.org](https://www.example.org/a)") == [
        ("https://a.example.org", "https://www.example.org/a")
    ]


def test_struck_words_are_marked() -> None:
    inline = parse_markdown("now ~~then~~", path="letter.md").prose.tokens[1]
    assert [token.type for token in inline.children or []] == ["text", "s_open", "text", "s_close"]


def shape(markdown: str) -> list[str]:
    """The types of the tokens of all blocks, and the words."""
    prose = parse_markdown(markdown, path="letter.md").prose
    return [
        token.content if token.type == "text" else token.type
        for block in prose.tokens
        for token in block.children or []
    ]


@pytest.mark.parametrize(
    ("markdown", "bold"),
    [
        ("これは**「重要なこと」**です", "「重要なこと」"),
        ("この**取り組み。**次に", "取り組み。"),
        ("**できます。**研究でも", "できます。"),
        ("是**“重要”**的", "“重要”"),
        ("이것은**‘중요’**합니다", "‘중요’"),
        ("a **bold.** b", "bold."),
    ],
)
def test_emphasis_needs_no_spaces_in_chinese_japanese_and_korean(markdown: str, bold: str) -> None:
    tokens = shape(markdown)
    start = tokens.index("strong_open")
    assert tokens[start : start + 3] == ["strong_open", bold, "strong_close"]
    assert not parse_markdown(markdown, path="a.md").losses


def test_emphasis_in_other_languages_is_as_in_commonmark() -> None:
    assert shape("日程は*12月（水）*から")[1] == "em_open"
    assert "em_open" not in shape("snake_case_name")
    assert "strong_open" not in shape("a**“b”**c")


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("長い行が\n分けられ\nている", "長い行が分けられている"),
        ("これは。\n次に", "これは。次に"),
        ("**太字**\n次", "太字次"),
        ("한국어\n문장", "한국어 문장"),
        ("日本\nEnglish", "日本 English"),
        ("one\ntwo", "one two"),
        ("🍣\n🍜", "🍣 🍜"),
    ],
)
def test_a_line_break_between_ideographs_is_no_space(markdown: str, words: str) -> None:
    prose = parse_markdown(markdown, path="a.md").prose
    assert (
        "".join(
            " " if token.type == "softbreak" else token.content
            for block in prose.tokens
            for token in block.children or []
        )
        == words
    )


@pytest.mark.parametrize("tag", ["<br>", "<br/>", "<BR />", "<br>\n"])
def test_a_line_break_may_be_typed_as_a_tag(tag: str) -> None:
    assert shape(f"one{tag}two") == ["one", "hardbreak", "two"]
    assert "hardbreak" in shape(f"| a |\n|---|\n| b{tag.strip()}c |")


def test_footnotes_are_numbered_by_their_order_and_stand_at_the_end() -> None:
    prose = parse_markdown("a[^z] b[^y]\n\n[^y]: two\n[^z]: one", path="a.md").prose
    marks = [
        (token.type, token.content)
        for block in prose.tokens
        for token in block.children or []
        if "footnote" in token.type
    ]
    assert marks == [
        ("footnote_ref", "[1]"),
        ("footnote_ref", "[2]"),
        ("footnote_mark", "[1]"),
        ("footnote_mark", "[2]"),
    ]
    assert [block.type for block in prose.tokens if "footnote" in block.type] == [
        "footnote_block_open",
        "footnote_block_close",
    ]


def test_a_well_formed_task_list_is_taken() -> None:
    tokens = parse_markdown("- [ ] to do\n- [x] done\n- [page](https://www.example.org)", path="a.md").prose.tokens
    assert [token.attrs.get("class") for token in tokens if token.type == "list_item_open"] == ["task", "task", None]
    assert shape("- [ ] to do\n- [x] done") == ["task_box", "to do", "task_box", "done"]


@pytest.mark.parametrize(
    ("markdown", "opened"),
    [
        ("{lang=ja}\nこれは段落です。", "paragraph_open"),
        ("{lang=ar}\n### عنوان", "heading_open"),
        ("{lang=es}\n- uno\n- dos", "bullet_list_open"),
        ("{lang=pt-BR}\n> olá", "blockquote_open"),
        ("{lang=es}\n\nA paragraph after an empty line", "paragraph_open"),
    ],
)
def test_a_block_says_its_language_on_the_line_above(markdown: str, opened: str) -> None:
    parsed = parse_markdown(markdown, path="a.md")
    marked = [token.type for token in parsed.prose.tokens if "lang" in token.attrs]
    assert marked == [opened]
    assert not parsed.losses
    assert not any("{lang" in token.content for block in parsed.prose.tokens for token in block.children or [])


def test_words_say_their_language_in_braces() -> None:
    assert shape("Say [muchas *gracias*]{lang=es} now") == [
        *("Say ", "span_open", "muchas ", "em_open", "gracias", "em_close", "span_close", " now"),
    ]


@pytest.mark.parametrize("field", ["{{ unsubscribe_url }}", "<{{ unsubscribe_url }}>"])
def test_the_readers_own_link_is_a_link_where_it_stands(field: str) -> None:
    token = MergeField("unsubscribe_url").token
    assert addresses(f"Copy {field} or so".replace("{{ unsubscribe_url }}", token)) == [(token, token)]
    assert addresses(f"[leave]({token})") == [("leave", token)]


def test_a_column_is_an_address_only_where_the_author_says_so() -> None:
    token = MergeField("profile_url").token
    assert addresses(f"{token} is a word, [this]({token}) and <{token}> are links") == [("this", token), (token, token)]


def test_an_entity_in_an_address_is_read() -> None:
    assert addresses("https://www.example.org/?a=1&amp;b=2&copy=3 x") == [
        ("https://www.example.org/?a=1&b=2&copy=3", "https://www.example.org/?a=1&b=2&copy=3")
    ]
    assert addresses("https://www.example.org/20&nbsp;nbsp")[0][1] == "https://www.example.org/20"
