"""Follows a page of `docs/extending/` as a person would who types what it says, and nothing else."""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# What stands on the line before a block. The line of the file may hold backticks itself.
_CREATE = re.compile(r"Create `(?P<path>[^`]+)`:$")
_INSERT = re.compile(r"In `(?P<path>[^`]+)`, after the line `(?P<line>.+)`, add:$")
_REPLACE = re.compile(r"In `(?P<path>[^`]+)`, replace the line `(?P<line>.+)` with:$")
_APPEND = re.compile(r"In `(?P<path>[^`]+)`, add:$")
_FENCE = re.compile(r"```(?P<language>\w+)$")
_FILES = re.compile(r"\n## The files\n(?P<list>.*?)\n## ", re.DOTALL)
_PROMPT = "$ "
# Folders that are not of the repository: the workspace in which a page tries what it adds, and what programs keep.
WORKSPACE = "try"
_LEFT_OUT = {WORKSPACE, ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
_SECONDS = 120  # a command of a page takes a few


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page, and the line of words before it."""

    language: str
    before: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of a page, and the lines that the page shows below it."""

    line: str
    shown: tuple[str, ...]

    @property
    def fails(self) -> bool:
        """Whether the page shows an error."""
        return any(": error " in line for line in self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of the repository, in which the page is followed; its folder changes where a command says `cd`."""

    root: Path
    environment: dict[str, str]
    folder: Path

    def run(self, command: str, *, fails: bool = False) -> str:
        """Return the output and the errors of a command. Fail the test where it does not end as it should."""
        place = self.folder / "place"
        done = subprocess.run(
            ["sh", "-c", f"{command}\nstatus=$?\npwd > {shlex.quote(str(place))}\nexit $status"],
            cwd=place.read_text().strip() if place.exists() else self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert (done.returncode != 0) is fails, f"$ {command}\n{done.stdout}\nended with {done.returncode}"
        assert "Traceback" not in done.stdout, f"$ {command}\n{done.stdout}"
        return done.stdout


def files_named(page: Path) -> set[str]:
    """Return the paths below the heading `The files`, as the page writes them."""
    found = _FILES.search(page.read_text(encoding="utf-8"))
    assert found, f"{page.name} does not list its files"
    return set(re.findall(r"`([\w./-]+/[\w./-]+)`", found["list"]))


def follow(page: Path, copy: Copy, *, after: Callable[[str], None] = lambda _: None) -> set[str]:
    """Type every block of a page, in its order; `after` is called with each command once it has ended.

    Return the files of the repository that have changed, with `NNNN` for the number of a migration.
    """
    before = _contents(copy.root)
    for block in _blocks(page.read_text(encoding="utf-8")):
        if block.language != "console":
            _edit(block, copy.root)
            continue
        for command in _commands(block.text):
            _require_shown(command, copy.run(command.line, fails=command.fails))
            after(command.line)
    changed = dict(_contents(copy.root).items() - before.items())
    return {re.sub(r"/\d{4}_", "/NNNN_", path) for path in changed}


def _contents(root: Path) -> dict[str, bytes]:
    """Return the content of each file of the repository, without what its programs keep for themselves."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {str(path): (root / path).read_bytes() for path in paths if not _LEFT_OUT.intersection(path.parts)}


def _blocks(text: str) -> Iterator[Block]:
    lines = iter(text.splitlines())
    before = ""
    for line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            before = line or before
            continue
        content: list[str] = []
        for inner in lines:
            if inner == "```":
                break
            content.append(inner)
        yield Block(language=fence["language"], before=before, text="\n".join(content) + "\n")
        before = ""


def _edit(block: Block, root: Path) -> None:
    """Do what the words before a block say."""
    if found := _CREATE.search(block.before):
        path = _numbered(root, found["path"])
        assert not (root / path).exists(), f"{path} is there already"
        (root / path).write_text(block.text, encoding="utf-8")
        return
    found = _INSERT.search(block.before) or _REPLACE.search(block.before) or _APPEND.search(block.before)
    assert found, f"nothing says what to do with this block:\n{block.text}"
    path, line = found["path"], found.groupdict().get("line")
    old = (root / path).read_text(encoding="utf-8")
    if line is None:
        new = old + block.text
    else:
        assert old.splitlines().count(line) == 1, f"{path} has the line {old.splitlines().count(line)} times: {line}"
        kept = "" if _REPLACE.search(block.before) else f"{line}\n"
        new = f"\n{old}".replace(f"\n{line}\n", f"\n{kept}{block.text}", 1)[1:]
    (root / path).write_text(new, encoding="utf-8")


def _numbered(root: Path, path: str) -> str:
    """Return a path with the next free number of its folder in place of `NNNN`."""
    if "NNNN" not in path:
        return path
    last = max(int(each.name[:4]) for each in (root / path).parent.glob("[0-9][0-9][0-9][0-9]_*"))
    return path.replace("NNNN", f"{last + 1:04}")


def _commands(text: str) -> Iterator[Command]:
    """Yield the commands of a console; one goes on in the next line after a backslash."""
    for part in re.split(rf"^{re.escape(_PROMPT)}", text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", part)
        assert command
        yield Command(line=command[0].strip(), shown=tuple(part[command.end() :].splitlines()))


def _require_shown(command: Command, output: str) -> None:
    """Fail the test where the output has not the lines that the page shows, in their order; `…` stands for anything."""
    told = iter(output.splitlines())
    for line in command.shown:
        pattern = ".*".join(map(re.escape, line.strip().split("…")))
        assert any(re.search(pattern, each) for each in told), (
            f"$ {command.line}\n{output}\nhas no “{line}” in its place"
        )
