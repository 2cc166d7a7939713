"""Section files and items as anyone may write them: loaded, or told as mistakes on their lines."""

from hypothesis import given, settings

from newsletter.content.front_matter import FenceFault, FrontMatter, find_front_matter
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import texts
from tests.fuzz.scratch import Scratch
from tests.workspaces import ISSUE, LETTER

_SECTIONS = Scratch()
_EVENTS = Scratch(
    **{
        "issue.yaml": ISSUE.replace("  - letter\n", "  - events\ntopics: [news]\n"),
        "events__index.md": "---\ntitle: Events\n---\n",
    }
)
_EVENT = (
    "---\ntitle: A workshop\nsubtitle: Two days\nstarts: 2026-02-25 08:00\nends: 2026-02-25 11:00\nrepeats: weekly\n"
    "timezone: Europe/Paris\ndeadline: {label: Early Bird, date: 2026-02-20}\nnotes:\n  - label: Ideal for\n"
    "    text: everyone\nbutton:\n  label: Book\n  url: https://example.org/book\n---\nWords.\n"
)
_PIECES = (
    *(
        "---\n",
        "--\n",
        "----\n",
        "—\n",
        "+++\n",
        "***\n",
        "...\n",
        " ---\n",
        "\ufeff",
        "\n",
        "\r\n",
        "title: x\n",
        "type: text\n",
    ),
    *(
        "title: ",
        "a = b\n",
        "Words\n",
        "- ",
        "  ",
        "\t",
        "```\n",
        "<!--",
        "{{ first_name }}",
        "{{",
        "}}",
        "{% if %}",
        "\x00",
    ),
    *(
        "starts: ",
        "20260225",
        "2026-02-25",
        "12:30",
        "0001-01-01",
        "9999-12-31 23:59",
        "ends: ",
        "Z",
        "+02:00",
        "weekly",
    ),
    *(
        "timezone: ",
        "Mars/Olympus",
        "../../etc/passwd",
        "\u00a0",
        "“",
        "'",
        '"',
        ": ",
        " #",
        "é",
        "\u2028",
        "still: a.png\n",
    ),
)


@given(content=texts((LETTER, _EVENT), _PIECES))
@settings(max_examples=EXAMPLES)
def test_the_settings_of_any_text_are_found_or_told(content: bytes) -> None:
    lines = content.decode(errors="replace").split("\n")

    with limited():
        found = find_front_matter(lines)

    if isinstance(found, FenceFault):
        assert 0 <= found.index < len(lines)
        assert len(str(found.fault)) < 2_000
    if isinstance(found, FrontMatter):
        assert 0 < found.end < len(lines)


@given(content=texts((LETTER, _EVENT), _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_section_is_loaded_or_told(content: bytes) -> None:
    with limited():
        _SECTIONS.load("letter.md", content)


@given(content=texts((_EVENT,), _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_event_is_loaded_or_told(content: bytes) -> None:
    with limited():
        _EVENTS.load("events/one.md", content)
