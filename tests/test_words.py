"""The README, the pages of docs/ and the texts of the package are written in short, plain sentences."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.messages import PACKAGE, WITHOUT_MESSAGES, docstrings, messages

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = (
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "ARCHITECTURE", "CHANGELOG")),
    *sorted(DOCS.rglob("*.md")),
)
GENERATED = DOCS / "checks.md"  # scripts/write-checks-page writes it from the checks
# What a communications director reads. Words of the program's own machinery say nothing to them.
DIRECTORS = (
    README,
    *(
        DOCS / f"{name}.md"
        for name in (
            "README",
            "agents",
            "audience",
            "audit",
            "checking",
            "clients",
            "delivery",
            "glossary",
            "importing",
            "issue-files",
            "pictures",
            "privacy",
            "reviews",
            "scheduling",
            "segments",
            "settings",
            "setup",
            "studio",
            "suppressions",
            "text",
            "unconfirmed",
            "checks",
        )
    ),
    *sorted((DOCS / "checks").glob("*.md")),
)
# Texts that are neither pages nor Python: their comments, what they print, and what they write for a director to edit.
OTHERS = (
    *(ROOT / name for name in ("Makefile", "newsletter.toml")),
    *sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file()),
    *sorted(path for path in (PACKAGE / "starter").rglob("*") if path.is_file()),
    *sorted(
        path
        for folder in (PACKAGE, ROOT / "templates")
        for path in folder.rglob("*")
        if path.name not in WITHOUT_MESSAGES and path.suffix in {".j2", ".js", ".css", ".sql", ".toml", ".pot"}
    ),
)
# Lists of words, of pages and of checks; every other page of docs/ is about a task.
LISTS = ("README", "glossary", "checks")
TASKS = tuple(page for page in sorted(DOCS.glob("*.md")) if page.stem not in LISTS)
BEFORE_THE_SHORTEST_WAY = 8  # lines
MOST_WORDS = 25
MOST_LINES = 200
MOST_LINES_OF_README = 150
BANNED = (
    r"\bwhom\b",
    r"\bwhoever\b",
    r"\bnobody\b",
    r"\bsomebody\b",
    r"\beverybody\b",
    r"\bof wh(ich|om)\b",
    r"\b(is|are) told\b",
    r"\bwhat (became|becomes) of\b",
    r"\bwhere (none|nothing|it) (is|says)\b",
    r"\bends with [01]\b",
    r"\bat hand\b",
    r"\banew\b",
    r"\bin vain\b",
    r"\bmend\b",
    r"\be-mail\b",
    r"\bfor a script\b",
    r"\bgrounds?\b",
    r"\b(a|the) \w+ a (line|request|section|language)\b",
    r" : 1\b",
    r"(?-i:\bkB\b)",
    r"\bmails\b",
    r"\bmail programs?\b",
    r"\b(a|each|every|one) mail\b(?! server)",
)
# Fine in a formal sentence for programmers, and in a name of another tool's column.
FINE_IN_CODE = {r"\bwhom\b", r"\bof wh(ich|om)\b", r"\be-mail\b"}
BANNED_IN_CODE = tuple(pattern for pattern in BANNED if pattern not in FINE_IN_CODE)
TEMPLATE_CODE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
MACHINE = r"\b(ledgers?|chunks?|frozen|inflight|drains?|digests?)\b"

_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^ *\|.*$", re.MULTILINE)
_CODE = re.compile(r"``.+?``|`[^`]+`")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
# A heading, an item of a list and a paragraph are blocks of their own.
_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|#+|\d+\.)\s)")
_HEADING = re.compile(r"^(#+ .*)$", re.MULTILINE)
_END = re.compile(r"(?<=[.!?])[\"”’)*]*\s+(?=[\"“(*]*[A-Z`0-9])")
_WORD = re.compile(r"[^\W_]")


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCED.sub("\n", page.read_text(encoding="utf-8"))


def without_code(text: str) -> str:
    """Return a text with one letter for each piece of code, and with the words of each link alone."""
    return _LINK.sub(r"\1", _CODE.sub("X", text))


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text outside its tables."""
    apart = _HEADING.sub(r"\1\n", _TABLE.sub("\n", without_code(text)))
    for block in _BLOCK.split(apart):
        yield from _END.split(" ".join(block.split()))


def words(sentence: str) -> int:
    return sum(1 for word in sentence.split() if _WORD.search(word))


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_sentence_is_longer_than_a_reader_can_hold(page: Path) -> None:
    assert [each for each in sentences(prose(page)) if words(each) > MOST_WORDS] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_has_a_construction_that_readers_stumble_over(page: Path) -> None:
    text = page.read_text(encoding="utf-8") if page == README else without_code(prose(page))
    found = [match[0] for pattern in BANNED for match in re.finditer(pattern, text, re.IGNORECASE)]
    assert found == []


@pytest.mark.parametrize("page", DIRECTORS, ids=name)
def test_pages_of_a_director_have_no_words_of_the_machine(page: Path) -> None:
    shown = "".join(_FENCED.findall(page.read_text(encoding="utf-8")))
    assert [match[0] for match in re.finditer(MACHINE, without_code(prose(page)) + shown, re.IGNORECASE)] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != GENERATED], ids=name)
def test_no_page_is_longer_than_one_sitting(page: Path) -> None:
    most = MOST_LINES_OF_README if page == README else MOST_LINES
    assert len(page.read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("page", TASKS, ids=name)
def test_a_page_about_a_task_begins_with_the_shortest_way(page: Path) -> None:
    beginning = page.read_text(encoding="utf-8").splitlines()[:BEFORE_THE_SHORTEST_WAY]
    assert any(line.startswith("```") for line in beginning)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two `a. B` three.\nFour", ["One.", "Two X three.", "Four"]),
        ("# Head\nA line\ngoes on. (Then 1 more.)", ["# Head", "A line goes on.", "(Then 1 more.)"]),
        (
            "- one item\n- [the next](page.md), at 8.30 am\n\n| a | table |\n",
            ["- one item", "- the next, at 8.30 am", ""],
        ),
    ],
)
def test_sentences_are_told_apart(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


def test_words_are_counted_without_signs() -> None:
    assert words("A – B, “c” & 4") == 4


def remarks(path: Path) -> Iterator[str]:
    """Yield the docstrings and comments of a module."""
    source = path.read_text(encoding="utf-8")
    yield from (str(each.value) for each in docstrings(ast.parse(source)))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def odd(text: str, patterns: tuple[str, ...] = BANNED_IN_CODE) -> list[str]:
    """Return the words of a text that make readers stumble."""
    return [match[0] for pattern in patterns for match in re.finditer(pattern, without_code(text), re.IGNORECASE)]


def test_no_message_has_a_construction_that_readers_stumble_over() -> None:
    roles = "abuse admin "  # a list of names of mailboxes that belong to no person
    texts = [each for each in messages() if not each.text.startswith(roles)]
    assert [(each, odd(each.text, BANNED)) for each in texts if odd(each.text, BANNED)] == []


@pytest.mark.parametrize("folder", ["newsletter", "tests", "benchmarks", "docs"])
def test_no_docstring_or_comment_has_a_construction_that_readers_stumble_over(folder: str) -> None:
    found = [
        (name(path), odd(each)) for path in sorted((ROOT / folder).rglob("*.py")) for each in remarks(path) if odd(each)
    ]
    assert found == []


def test_people_are_erased_and_not_forgotten_in_all_that_a_director_reads() -> None:
    texts = [each.text for each in messages()] + [prose(page) for page in PAGES]
    assert [each for each in texts if re.search(r"\bforg[eo]t(ten)?\b", without_code(each), re.IGNORECASE)] == []


@pytest.mark.parametrize("path", OTHERS, ids=name)
def test_no_script_template_or_first_issue_has_a_construction_that_readers_stumble_over(path: Path) -> None:
    assert odd(TEMPLATE_CODE.sub("X", path.read_text(encoding="utf-8"))) == []


def test_what_is_published_is_described_in_the_words_of_the_pages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert odd(project["description"], BANNED) == []


@pytest.mark.parametrize("folder", ["cli", "checks", "content", "lists", "segments", "settings", "web", "workflows"])
def test_messages_have_no_words_of_the_machine(folder: str) -> None:
    found = [
        message
        for message in messages()
        if message.place.startswith(f"newsletter/{folder}/") and re.search(MACHINE, without_code(message.text))
    ]

    assert found == []
