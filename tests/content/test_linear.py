"""Every step that reads a file takes time in proportion to its length, whatever the file repeats.

The processor time of this process is measured, not a clock, so a busy machine makes no difference. For an input four
times as long, a step that grows with the square of its input takes sixteen times as long.
"""

import tomllib
from collections.abc import Callable
from time import process_time

import pytest

from newsletter import config
from newsletter.content.front_matter import find_front_matter
from newsletter.content.source import Reading, replace_merge_fields
from newsletter.content.yaml_reader import read_yaml_text
from newsletter.model.typography import inside_curly_quotes, unknown_escape
from newsletter.settings.toml_mistakes import mistake_in_long_key, toml_mistakes

_CHARACTERS = 6_000
_GROWTH = 8  # for four times the input; a linear step needs 4
_NEGLIGIBLE_SECONDS = 0.1
_PIECES = (
    *(
        "{{",
        "}}",
        "{{ a",
        '{{ a | default("x',
        "{{ x }}",
        "{",
        "{% ",
        "https://",
        "https://a.b/(",
        "---\n",
        "--\n",
        "—\n",
    ),
    *(
        "---\ntitle: x\n",
        "title: x\n",
        "title: ",
        "- ",
        "-\n",
        "a: b\n",
        "a:\n ",
        "  a\n",
        " ",
        "\t",
        "\n",
        "\u00a0",
        '"',
    ),
    *("'", "“", "”", "“a”", "#", " #", ": ", "[", "]", "[a],", "{a: b},", ",", "|", ">", ">\n", "*", "&a ", "!a ", "@"),
    *("`", "\\", "%", "?", "? a\n", "...\n", "\u2028", "[a]\n", "[[a]]\n", "a = 1\n", 'a = "b"\n', "a = [\n", '"""'),
    *(
        '"""\n',
        "'''",
        "1,",
        "1_",
        "=",
        "é",
        "a\n",
        "\ufeff",
        "<!-- ",
        "a = b # c\n",
        '"a" ',
        "“a: b” #",
        "'a'b",
        "2026-",
    ),
)


def _read_toml(text: str) -> None:
    if mistake_in_long_key(text, path="f"):
        return
    config._written_keys(text)
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as err:
        toml_mistakes(text, err, path="f")


_STEPS: dict[str, Callable[[str], object]] = {
    "YAML": read_yaml_text,
    "YAML after a mistake": lambda text: read_yaml_text(f"a: b: c\n{text}"),
    "a value in YAML": lambda text: read_yaml_text(f"a: {text}"),
    "front matter": lambda text: find_front_matter(text.split("\n")),
    "front matter that has begun": lambda text: find_front_matter(f"---\na: b\n{text}".split("\n")),
    "merge fields": lambda text: replace_merge_fields(
        text, path="p", lines=range(1, text.count("\n") + 2), reading=Reading()
    ),
    "TOML": _read_toml,
    "TOML after a mistake": lambda text: _read_toml(f"x = y\n{text}"),
    "a value in TOML": lambda text: _read_toml(f"a = {text}"),
    "quotes": lambda text: (inside_curly_quotes(f"“{text}”"), unknown_escape(f'"{text}"', "n")),
}


def _seconds(step: Callable[[str], object], text: str) -> float:
    before = process_time()
    step(text)
    return process_time() - before


@pytest.mark.parametrize("step", _STEPS.values(), ids=_STEPS)
def test_a_file_four_times_as_long_takes_about_four_times_as_long(step: Callable[[str], object]) -> None:
    grown = {}
    for piece in _PIECES:
        short, long = (piece * (length // len(piece)) for length in (_CHARACTERS, 4 * _CHARACTERS))
        seconds = _seconds(step, long)
        if seconds > _NEGLIGIBLE_SECONDS and seconds > _GROWTH * _seconds(step, short):
            # A busy machine can slow a single run down, but hardly five of them.
            least = [min(_seconds(step, text) for _ in range(5)) for text in (short, long)]
            grown |= {piece: seconds} if least[1] > _GROWTH * least[0] else {}

    assert grown == {}
