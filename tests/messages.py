"""The catalog of messages: every text in the package that a person may read, with its place.

`python -m tests.messages` prints all of them, so that they can be read in one place. A text is a string of at least
three words that is not a docstring, a pattern, a query or markup. Values that are filled in are shown as `{…}`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "newsletter"
_CODE = re.compile(
    r"\\[a-zA-Z]|\(\?|[;{}] ?\n|</?\w+[ >/]|\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|JOIN|PRAGMA|COALESCE|WHEN)\b"
    r"|^[\w-]+: [\w-]+;|^\W*$|%[bds]|^--|\[data-"
)


class Message(NamedTuple):
    """A text, and the file and line in which it is."""

    place: str
    text: str


def messages() -> Iterator[Message]:
    """Every message of the package, in the order of its files."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        seen = {id(each) for each in docstrings(tree)}
        for node in ast.walk(tree):
            if id(node) in seen or not (text := _text(node)):
                continue
            seen.update(id(inner) for inner in ast.walk(node))
            if len(text.split()) >= 3 and not _CODE.search(text):
                yield Message(f"{path.relative_to(ROOT)}:{node.lineno}", text)  # type: ignore[attr-defined]


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """The docstrings of a module, of its classes and of its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


if __name__ == "__main__":
    for _message in messages():
        pass
