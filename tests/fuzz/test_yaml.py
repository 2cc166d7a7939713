"""`issue.yaml` as anyone may write it: read, or told as mistakes on its lines."""

from hypothesis import given, settings

from newsletter.content.yaml_reader import read_yaml_text
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import texts
from tests.fuzz.scratch import Scratch

_SCRATCH = Scratch()
_BASES = (
    "subject: A letter for March\npreheader: Three practices\ntitle: A letter\ndate: 2026-02-19\ntopics: [news]\n"
    "language: en\nwaive:\n  S16: it is meant so\nsections:\n  - letter\n  - section: events\n    only: teachers\n",
    "a: b\nc:\n  - d\n  - e: f\n    g: [h, {i: j}]\nk: |\n  l\n  m\nn: >-\n  o\n\n  p\n",
)
_PIECES = (
    *("a: ", "b", "- ", "  ", "\n", "\t", "\u00a0", "“", "”", "'"),
    *('"', " #", "#1", ": ", "@", "*", "&", "!", "{", "}"),
    *(
        "[",
        "]",
        ",",
        "|",
        ">",
        "%",
        "`",
        "\\",
        "---\n",
        "{{ x }}",
        "：",
        "\u2028",
        "\x85",
        "?",
        "...",
        "&a [*a]",
        "!!int",
    ),
    *("12:30", "No", "1.10", "20260225", "0o17", "~", "null"),
    *("é", "e\u0301", "\ufeff", "\x00", "\r", "\r\n", "<<: *a"),
    *(
        "date: 2026-02-30\n",
        "sections: [letter]\n",
        "subject: x\n",
        "topics: [news]\n",
        "[" * 30,
        "- " * 30,
        "\U0001f600",
    ),
)


@given(content=texts(_BASES, _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_yaml_is_read_or_told(content: bytes) -> None:
    text = content.decode(errors="replace").replace("\r", "\n")

    with limited():
        tree = read_yaml_text(text)

    assert tree.data is not None or tree.mistakes
    assert len(tree.mistakes) <= 100
    assert all(1 <= mistake.line <= text.count("\n") + 1 for mistake in tree.mistakes)
    assert all(len(mistake.what) + len(mistake.remedy) < 3_000 for mistake in tree.mistakes)


@given(content=texts(_BASES, _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_issue_yaml_is_loaded_or_told(content: bytes) -> None:
    with limited():
        _SCRATCH.load("issue.yaml", content)
