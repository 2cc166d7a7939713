"""Finds lines of a paragraph that begin like a heading, a list or a table but are none, and would run together."""

import re
import unicodedata
from collections.abc import Iterator

from newsletter.content.flat_text import ContentLoss, FlatText, quoted
from newsletter.errors import Fix

_NO_BREAK_SPACES = "\u00a0\u2007\u2009\u202f\u3000"
# What a line can begin with that looks like Markdown, or like a list of a word processor.
_BEGINNINGS = (
    (
        re.compile(r"(#{2,6})[^\s#]"),
        "{all} is not a heading without a space after the signs",
        r"write {0} and a space, then the words; or write \# to show the signs",
    ),
    (
        re.compile(rf"(#{{1,6}}|[-*+]|\d{{1,9}}[.)])[{_NO_BREAK_SPACES}\u200b]"),
        "the space after {0} is not a plain space, so {all} is neither a list nor a heading",
        "delete the space, and type it again",
    ),
    (
        re.compile(r"[•‣◦▪▫●○■□·⁃∙\uf0a7\uf0b7\uf0d8\uf0fc]|[o§ü]\t"),
        "the bullet in {all} does not make a list, so its lines would run together",
        "begin each line with a dash and a space: `- `",
    ),
    (
        re.compile(r"-?\[[ xX✓✔✗*-]{0,3}\](?![:(\[])"),
        "{all} is not an entry of a task list",
        r"write `- [ ] words`, or `- [x] words` if it is done; or write \[ to show the bracket",
    ),
    (
        re.compile(r"\|.*\|\s*$"),
        "{all} is not part of a table, so readers would see its lines",
        "write a line such as `|---|---|` below the first row, and an empty line above the table",
    ),
    (
        re.compile(r"(#{7,})"),
        "{all} is not a heading, because {0} is too long",
        r"write one to six of these signs and a space; or write \# to show the signs",
    ),
    (
        re.compile(r"\\[a-z]{3,}|\*\[[^\[\]]{1,40}\]:"),
        "{all} is not taken, so readers would see it",
        r"delete it, or write \\ to show a backslash",
    ),
    (re.compile(r":{3,}"), "{all} is not taken, so readers would see it", "delete it"),
    (
        re.compile(r"(\[[^\[\]]{1,200}\]):\s*\S"),
        "{all} is not taken as the address of a link, so readers would see it",
        "put an empty line above it, or write the address beside the words: [link text](https://…)",
    ),
    (
        re.compile(r"={3,}\s*$"),
        "the line {all} is not below a heading, so readers would see it",
        "write `---` with an empty line above it for a line, or `## ` before a heading",
    ),
)
# A heading or the entry of a list without a plain space after its sign.
_SPACELESS = re.compile(
    rf"(#{{1,6}}(?=[^\s#])|(?:#{{1,6}}|[-*+]|\d{{1,9}}[.)])(?=[{_NO_BREAK_SPACES}\u200b]))[{_NO_BREAK_SPACES}\u200b]?"
)
_DEFINITION = re.compile(r":[ \t]+\S")
_RUNNING = re.compile(
    r"[–—](?:\s|\w)|[-*+][^\W\d]|[A-Za-z]\)\s|[ivx]{1,4}[.)]\s|\d{1,3}[.)](?:\s|[^\W\d])|\(\w{1,3}\)\s|\d{1,3}\s?[-–:]\s"
    r"|[①-⑳✓✔✗✘☐☑➢➤►▶→❖✦]|[^|\n]{1,80} \| "
)
_TWO_LINES = 2


def losses_at_beginnings(flat: FlatText) -> Iterator[ContentLoss]:
    """Yield the lines of a paragraph that look like headings, lists or tables but are none."""
    if not flat.text:
        return
    position, running = 0, []
    lines = flat.text.split("\n")
    for number, words in enumerate(lines):
        start = position + len(words) - len(words.lstrip())
        position += len(words) + 1
        bare = flat.text[start : position - 1]
        loss = _loss_at_beginning(bare, is_first=number == 0)
        if loss is not None:
            written = flat.written(start, position - 1)
            what, remedy = (part.replace(_ALL, quoted(written)) for part in loss)
            new = _SPACELESS.sub(r"\1 ", written, count=1)
            fix = Fix(old=written, new=new) if new != written and _SPACELESS.match(bare) else None
            yield ContentLoss(flat.line_at(start), what, remedy, fix)
        elif bare and (_RUNNING.match(bare) or unicodedata.category(bare[0]) == "So"):
            running.append((start, position - 1))
    if len(running) >= _TWO_LINES:
        shown = quoted(flat.written(*running[0]))
        what = f"the lines from {shown} on would run together, because they are not a Markdown list"
        yield ContentLoss(
            flat.line_at(running[0][0]),
            what,
            "begin each line with `- ` for a list, or end each but the last with `<br>`",
        )


def _loss_at_beginning(line: str, *, is_first: bool) -> tuple[str, str] | None:
    """Return what is wrong with a line, and what to do. `{all}` stands for the line."""
    for pattern, what, remedy in _BEGINNINGS:
        if match := pattern.match(line):
            return what.format(*match.groups(), all=_ALL), remedy.format(*match.groups(), all=_ALL)
    if not is_first and _DEFINITION.match(line):
        what = f"{_ALL} is not taken as a definition, so readers would see the colon"
        return what, "write the term in bold and its meaning on one line: **term**: meaning"
    if is_first and _looks_like_heading(line):
        return f"{_ALL} is not a heading without a space after the sign", _HASH
    return None


_ALL = "{all}"
_HASH = r"write `# ` before the words, with a space; or write \# to show the sign"


def _looks_like_heading(line: str) -> bool:
    """Return whether a line begins with one # and a letter and is not made of hashtags or a sentence."""
    words = line.split()
    return (
        len(words) > 1
        and re.match(r"#[^\W\d]", line) is not None
        and not all(word.startswith("#") for word in words)
        and line.rstrip()[-1] not in ".!?…:,;"
    )
