"""Commands in hints can be pasted into a shell: each word that is filled in is quoted, or is a number."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from newsletter.cli.app import COMMANDS, GROUPS, name_of

PACKAGE = Path(__file__).parents[1] / "newsletter"
# The text before a value that makes it a word of a command.
_COMMANDS = "|".join(name_of(module) for panel in (*COMMANDS.values(), *GROUPS.values()) for module in panel)
_OPTIONS = "to|from|segment|list|where|map|tag"
BEFORE_A_WORD = re.compile(
    rf"(?:\bnewsletter (?:(?:subscribers|suppressions) )?(?:{_COMMANDS})|\bcd|\bchmod [\w+]+|(?<!\w)--(?:{_OPTIONS})) $"
)
REPEATED = 114  # `!r`: the user's own text, repeated to them
QUOTED = re.compile(r"quote\(|map_option\(|label_of\(")
NUMBER = re.compile(r"(?:^|\.)(?:id|number)$|_id$")


def unquoted(source: str) -> Iterator[tuple[int, str]]:
    """The line and the expression of each value that is filled into a command as it is."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        before = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                before = str(part.value)
            elif isinstance(part, ast.FormattedValue):
                written = ast.unparse(part.value)
                is_word = BEFORE_A_WORD.search(before) and part.conversion != REPEATED
                if is_word and not QUOTED.match(written) and not NUMBER.search(written):
                    yield node.lineno, written
                before = ""


def test_every_word_that_is_filled_into_a_command_is_quoted() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}:{line}: {written}"
        for path in PACKAGE.rglob("*.py")
        for line, written in unquoted(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_a_word_that_is_not_quoted_is_found() -> None:
    source = (
        'f"run `newsletter preview {issue}`", f"cd {folder} && ls", f"newsletter resume {broadcast.id}", f"to {name}"'
    )
    assert list(unquoted(source)) == [(1, "issue"), (1, "folder")]
