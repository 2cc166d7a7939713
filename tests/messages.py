"""The catalog of messages: every text of the program and its theme that a person may read, with its place.

`python -m tests.messages` prints all of them, so that they can be read in one place. Values that are filled in are
shown as `{…}`. The texts of one call, such as what is wrong and what to do, are shown as one message.

A text is a string of at least three words that is not a pattern, a query or markup. The docstrings of commands and of
checks are texts, because the help and the list of checks show them.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "newsletter"
STARTER = PACKAGE / "starter"  # pages to edit, not messages
THEME = ROOT / "templates"
FILLED = "{…}"
# Tables of names only.
WITHOUT_MESSAGES = {
    "mailbox_domains.toml",
    "signs.toml",
    "carriers.toml",
    "leaving_words.toml",
    "column_words.toml",
    "encoding_words.toml",
    "export_formats.toml",
}
_CODE = re.compile(
    r"\\[a-zA-Z]|\(\?|[;{}] ?\n|^\s*<|^\W*$|%[bd]|^--[\w-]+=|^[\w-]+: [\w-]+;"
    r"|\b(?:SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE (?:TABLE|SCHEMA)|JOIN|PRAGMA|COALESCE|WHEN)\b"
)


class Message(NamedTuple):
    """A text, and the file and line in which it is."""

    place: str
    text: str


@cache
def messages() -> tuple[Message, ...]:
    """Every message, in the order of the files."""
    return tuple(_messages())


def _messages() -> Iterator[Message]:
    for folder in (PACKAGE, THEME):
        for path in sorted(folder.rglob("*")):
            read = _READERS.get("".join(path.suffixes[-1:]))
            if (
                read
                and STARTER not in path.parents
                and path.name not in WITHOUT_MESSAGES
                and ".css" not in path.suffixes
            ):
                for line, text in sorted(read(path)):
                    yield Message(f"{path.relative_to(ROOT)}:{line}", " ".join(text.split()))


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """The docstrings of a module, of its classes and of its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            docstring := _docstring(node)
        ):
            yield docstring


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Constant | None:
    first = node.body[0] if node.body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first.value if is_text and isinstance(first.value.value, str) else None  # type: ignore[union-attr]


def _words(text: str) -> int:
    return sum(1 for word in text.replace(FILLED, "").split() if re.search(r"[^\W\d_]", word))


def _is_phrase(text: str, *, words: int = 3) -> bool:
    return _words(text) >= words and not _CODE.search(text.replace(FILLED, ""))


class _Texts(ast.NodeVisitor):
    """The texts of a module. A name that was given a text stands for it, so that messages in parts are read whole."""

    def __init__(self, tree: ast.Module, path: Path) -> None:
        self.found: dict[int, tuple[int, str]] = {}  # the id of a node → its line and its text
        self._path = path
        self._used = {id(each) for each in docstrings(tree)}  # nodes that are part of another text
        self._names = _assigned(tree.body)
        self.visit(tree)
        self.found = {node: text for node, text in self.found.items() if node not in self._used}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if (docstring := _docstring(node)) and _is_shown(node, self._path):
            self.found[id(node)] = node.lineno, docstring.value  # type: ignore[assignment]
        outer, self._names = self._names, {**self._names, **_assigned(ast.walk(node))}
        self.generic_visit(node)
        self._names = outer

    def visit_Call(self, node: ast.Call) -> None:
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        phrases = [(value, text) for value in values if _is_phrase(text := self._text(value), words=2)]
        if any(_is_phrase(text) for _, text in phrases):
            for value, _ in phrases:
                self._use(value)
            self.found[id(node)] = phrases[0][0].lineno, "; ".join(text for _, text in phrases)
        self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Constant) and id(node) not in self._used:
            text = self._text(node)
            if _is_phrase(text):
                self._use(node)
                self.found[id(node)] = node.lineno, text
                self._used.discard(id(node))
        super().generic_visit(node)

    def _text(self, node: ast.AST, *, without: frozenset[str] = frozenset()) -> str:
        """Return the text of an expression, or an empty text if it is something else."""
        text = ""
        match node:
            case ast.Constant(value=str(value)):
                text = value
            case ast.JoinedStr():
                text = "".join(self._text(each, without=without) or FILLED for each in node.values)
            case ast.FormattedValue(value=ast.Name()):
                text = self._text(node.value, without=without)
            case ast.BinOp(op=ast.Add()):
                parts = [self._text(each, without=without) for each in (node.left, node.right)]
                text = "".join(part or FILLED for part in parts) if any(parts) else ""
            case ast.IfExp():
                parts = [self._text(each, without=without) for each in (node.body, node.orelse)]
                text = " / ".join(parts) if all(_words(part) > 1 for part in parts) else ""
            case ast.Name(id=name) if name in self._names and name not in without:
                parts = [self._text(each, without=without | {name}) for each in self._names[name]]
                text = " / ".join(part or FILLED for part in parts)
        return text

    def _use(self, node: ast.AST, *, without: frozenset[str] = frozenset()) -> None:
        """Mark a node and all that `_text` has put into its text."""
        self._used.add(id(node))
        inner: list[ast.expr] = []
        match node:
            case ast.JoinedStr():
                inner = node.values
            case ast.FormattedValue(value=ast.Name()):
                inner = [node.value]
            case ast.BinOp():
                inner = [node.left, node.right]
            case ast.IfExp():
                inner = [node.body, node.orelse]
            case ast.Name(id=name) if name in self._names and name not in without:
                inner, without = self._names[name], without | {name}
        for each in inner:
            if self._text(each, without=without):
                self._use(each, without=without)


def _assigned(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """Return the expressions that are assigned to each name, if one of them is a text."""
    values: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values.setdefault(node.targets[0].id, []).append(node.value)
    texts = (ast.Constant, ast.JoinedStr, ast.IfExp, ast.BinOp)
    return {name: given for name, given in values.items() if all(isinstance(each, texts) for each in given)}


def _is_shown(node: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> bool:
    """Whether a docstring is a command's help, or the explanation of a check."""
    is_command = path.parts[len(PACKAGE.parts)] == "cli" and node.name.rstrip("_") == path.stem.rstrip("_")
    return is_command or any(isinstance(each, ast.Call) and _called(each) == "rule" for each in node.decorator_list)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def texts_of(tree: ast.Module, path: Path) -> Iterable[tuple[int, str]]:
    """The texts of a module, with their lines."""
    return _Texts(tree, path).found.values()


def _of_python(path: Path) -> Iterable[tuple[int, str]]:
    return texts_of(ast.parse(path.read_text(encoding="utf-8")), path)


def _of_toml(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text(encoding="utf-8")
    position = 0
    for text in _strings(tomllib.loads(source)):
        if _is_phrase(text, words=2):
            start = re.split(r"[\n;]", text)[0][:40]  # long values go on in the next line of the file
            position = max(position, source.find(start, position))
            yield _line(source, position), text


def _strings(data: object) -> Iterator[str]:
    """The texts of a table, its keys too. `what` and `remedy` are one text."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for each in data:
            yield from _strings(each)
    elif isinstance(data, Mapping):
        pair = [str(data[key]) for key in ("what", "remedy") if key in data]
        if pair:
            yield "; ".join(pair)
        for key, value in data.items():
            if key not in ("what", "remedy"):
                yield key
                yield from _strings(value)


def _of_template(path: Path) -> Iterator[tuple[int, str]]:
    """The words between tags, in attributes that are read aloud, and in the strings of the template's own code."""
    source = re.sub(
        r"\{#.*?#\}|<!--.*?-->|<style.*?</style>", _lines, path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    for code in re.finditer(r"\{[{%].*?[}%]\}", source, re.DOTALL):
        for each in re.finditer(r'"([^"]*)"', code[0]):
            if _is_phrase(each[1]):
                yield _line(source, code.start() + each.start()), each[1]
    shown = re.sub(r"\{%.*?%\}", _lines, source, flags=re.DOTALL)
    shown = re.sub(r"\{\{.*?\}\}", lambda found: FILLED + _lines(found), shown, flags=re.DOTALL)
    for each in re.finditer(r'\b(?:aria-label|title|placeholder|alt)="([^"<]*)"', shown):
        if _words(each[1]):
            yield _line(shown, each.start()), each[1]
    for number, line in enumerate(re.sub(r"<(?!\s)[^<>]*>", _lines, shown).splitlines(), start=1):
        text = re.sub(r"&#?\w+;", " ", line).strip()
        if _words(text) and not re.search(r'[<>]|="|[\w-]+:.*;$', text):
            yield number, text


def _lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _of_catalogue(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if (found := re.fullmatch(r'msgid(?:_plural)? "(.+)"', line)) is not None:
            yield number, found[1]


def _of_script(path: Path) -> Iterator[tuple[int, str]]:
    source = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    yield from _quoted(source, r'"([^"\n]*)"|`([^`]*)`')


def _of_sql(path: Path) -> Iterator[tuple[int, str]]:
    """The reasons that queries write."""
    source = re.sub(r"--.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    yield from _quoted(source, r"'((?:[^'\n]|'')*)'")


def _quoted(source: str, pattern: str) -> Iterator[tuple[int, str]]:
    for each in re.finditer(pattern, source):
        text = next(part for part in each.groups() if part is not None)
        if _is_phrase(re.sub(r"\$\{[^}]*\}", FILLED, text)):
            yield _line(source, each.start()), text


_READERS: Mapping[str, Callable[[Path], Iterable[tuple[int, str]]]] = {
    ".py": _of_python,
    ".toml": _of_toml,
    ".j2": _of_template,
    ".js": _of_script,
    ".sql": _of_sql,
    ".pot": _of_catalogue,
}

if __name__ == "__main__":
    sys.stdout.writelines(f"{message.place}: {message.text}\n" for message in messages())
