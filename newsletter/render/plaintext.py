"""The plain-text version: prose and titles in 72 columns, as if someone had typed them with care."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from markdown_it.tree import SyntaxTreeNode

from newsletter.language.direction import Direction, begins_the_other_way
from newsletter.language.words import colon_after
from newsletter.model.prose import Prose, ProseLine
from newsletter.model.slots import with_usual_widths
from newsletter.model.typography import IDEOGRAPHS_IN_SET, columns_of, has_ideographs
from newsletter.model.web_address import WEB_ADDRESS, comparable_address
from newsletter.render.marks import with_figures
from newsletter.render.text_tables import TextTable, table_lines

COLUMNS = 72
RULE = "-" * COLUMNS
_BULLET, _DOT = "- ", " · "
_MARK = "\N{RIGHT-TO-LEFT MARK}"
_WORD = re.compile(r"[ \t\n]*[^ \t\n]+")
_NO_BREAK = "\N{NO-BREAK SPACE}"
_BLANK_LINES = re.compile(r"\n{3,}")


def prose_text(prose: Prose, indent: str = "", *, language: str) -> str:
    """Return prose as plain text: wrapped paragraphs, dashes before list items, each link on its own line.

    The language determines the colon after the label of a link.
    """
    if prose.is_empty:
        return ""
    root = SyntaxTreeNode(with_figures(prose.tokens))
    return textwrap.indent("\n\n".join(_blocks(root.children, COLUMNS - len(indent), language)), indent)


def line_text(text: str, before: str = "", mark: str = "", *, language: str) -> str:
    """Wrap the value of a key that reads Markdown. The addresses of its links follow, each on its own line.

    `before` is put in front of the words, and `mark` is as for `wrap`.
    """
    if not isinstance(text, ProseLine):
        return wrap(before + text, mark)
    words, links = _inline(SyntaxTreeNode(list(text.prose.tokens)))
    lines = [wrap(line, mark) for line in (before + words).split("\n")]
    return "\n".join(lines + [" " * _width(mark) + line for line in _link_lines(words, links, language)])


def wrap(text: str, mark: str = "") -> str:
    """Wrap one paragraph to 72 columns. A URL is never broken.

    After a list marker such as `1. `, all lines are aligned with the first word of the text.
    """
    return _wrap(text, COLUMNS, first=mark, rest=" " * _width(mark))


def wrap_phrases(phrases: Iterable[str]) -> str:
    """Return short phrases with dots between them. A line neither breaks a phrase nor ends in a dot."""
    lines: list[str] = []
    for phrase in phrases:
        longer = f"{lines[-1]}{_DOT}{phrase}" if lines else ""
        if lines and _width(longer) <= COLUMNS:
            lines[-1] = longer
        else:
            lines.append(phrase)
    return "\n".join(lines)


def link_text(label: str, address: str, *, language: str) -> str:
    """Return a link as its label and, on the next line, its address. A label that is the address is not repeated."""
    told = _told(address)
    if comparable_address(label) == comparable_address(told):
        return told
    return f"{wrap(f'{label}{colon_after(label, language)}')}\n{told}"


def underline(title: str, sign: str = "-") -> str:
    """Return a title, wrapped if it is long, with a line of the same width below it, made of `sign`."""
    wrapped = _wrap(title, COLUMNS)
    return f"{wrapped}\n{sign * max(_width(line) for line in wrapped.splitlines())}"


def tidy(text: str, *, direction: Direction = Direction.LEFT_TO_RIGHT) -> str:
    """Return the text without trailing spaces, with single empty lines only, and with a line break at the end.

    No-break spaces become plain spaces, because the text is already wrapped and some terminals make them visible. In
    right-to-left text, a line that begins with a word in another script gets an invisible mark (RLM). Without it, email
    apps would lay out the line from left to right.
    """
    lines = [line.rstrip() for line in text.replace(_NO_BREAK, " ").splitlines()]
    if direction is Direction.RIGHT_TO_LEFT:
        lines = [f"{_MARK}{line}" if begins_the_other_way(line, direction) else line for line in lines]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip() + "\n"


def _blocks(nodes: list[SyntaxTreeNode], columns: int, language: str) -> Iterator[str]:
    for node in nodes:
        match node.type:
            case "paragraph":
                yield _paragraph(node, columns, language)
            case "heading":
                words, links = _inline(node)
                yield "\n".join([underline(words), *_link_lines(words, links, language)])
            case "bullet_list" | "ordered_list":
                yield _list(node, columns, language)
            case "blockquote":
                yield textwrap.indent("\n\n".join(_blocks(node.children, columns - 2, language)), "> ", lambda _: True)
            case "fence" | "code_block":
                yield textwrap.indent(node.content.rstrip("\n"), "    ")
            case "hr":
                yield "* * *"
            case "table":
                yield _table(node, columns, language)
            case "footnote_block":
                yield from _blocks(node.children, columns, language)


def _paragraph(node: SyntaxTreeNode, columns: int, language: str) -> str:
    words, links = _inline(node)
    lines = [_wrap(line, columns) for line in words.split("\n")]
    return "\n".join(lines + _link_lines(words, links, language))


def _list(node: SyntaxTreeNode, columns: int, language: str) -> str:
    start = int(node.attrs.get("start", 1))
    tight = all(child.hidden for item in node.children for child in item.children if child.type == "paragraph")
    items = []
    for number, item in enumerate(node.children, start=start):
        mark = _BULLET if node.type == "bullet_list" else f"{number}. "
        text = ("\n" if tight else "\n\n").join(_blocks(item.children, columns - len(mark), language))
        items.append(mark + textwrap.indent(text, " " * len(mark))[len(mark) :])
    return ("\n" if tight else "\n\n").join(items)


def _table(node: SyntaxTreeNode, columns: int, language: str) -> str:
    """Return a table, then the URLs of the links in it."""
    links: list[tuple[str, str]] = []
    rows: list[list[str]] = []
    right: set[int] = set()
    for row in (row for part in node.children for row in part.children):
        cells = [_inline(cell) for cell in row.children]
        rows.append([words.replace("\n", " ") for words, _ in cells])
        links += [link for _, found in cells for link in found]
        right |= {number for number, cell in enumerate(row.children) if _is_at_the_right(cell)}
    table = TextTable(head=rows[0], rows=rows[1:], right=frozenset(right))
    text = table_lines(table, columns, _wrap, lambda label: colon_after(label, language))
    return "\n".join([text, *_link_lines(" ".join(word for row in rows for word in row), links, language)])


def _is_at_the_right(cell: SyntaxTreeNode) -> bool:
    return cell.attrs.get("class") == "figure" or cell.attrs.get("style") == "text-align:right"


def _inline(node: SyntaxTreeNode) -> tuple[str, list[tuple[str, str]]]:
    """Return the words of a block, and its links as pairs of a label and a URL."""
    words: list[str] = []
    links: list[tuple[str, str]] = []
    open_links: list[tuple[str, int]] = []
    inlines = [child.token for child in node.children if child.type == "inline" and child.token]
    for token in (token for inline in inlines for token in inline.children or []):
        match token.type:
            case "text" | "code_inline" | "footnote_ref":
                words.append(token.content)
            case "footnote_mark" | "task_box":
                words.append(f"{token.content} ")
            case "s_open" | "s_close":
                words.append("~~")  # without marks, words that are struck out would look valid
            case "softbreak":
                words.append(" ")
            case "hardbreak":
                words.append("\n")
            case "image":
                words.append(f"[{token.content}]" if token.content else "")
            case "link_open":
                open_links.append((str(token.attrs["href"]), len(words)))
            case "link_close":
                address, start = open_links.pop()
                label = _label("".join(words[start:]), address)
                words[start:] = [label]
                links.append((label, address))
    return "".join(words), links


def _label(words: str, address: str) -> str:
    """Return the words of a link. If they are its address without `https://`, return the complete address."""
    is_short = "://" not in words and comparable_address(words) == comparable_address(address)
    return address if is_short and "://" in address else words


def _link_lines(words: str, links: list[tuple[str, str]], language: str) -> list[str]:
    """Return the URLs of a block's links, each on its own line. If there are several, add their labels.

    Each URL appears once, even if the words of the block contain it or several links have it.
    """
    there = {comparable_address(found[0]) for found in WEB_ADDRESS.finditer(words)}
    labels: dict[str, dict[str, None]] = {}  # the words of the links to each address
    for label, address in links:
        if comparable_address(address) not in {*there, comparable_address(label)} and address not in words:
            labels.setdefault(address, {})[label] = None
    if len(labels) == 1:
        return [_told(address) for address in labels]
    named = ((", ".join(known), address) for address, known in labels.items())
    return [
        line
        for label, address in named
        for line in (f"{label}{colon_after(label, language)}".rstrip(" "), _told(address))
    ]


def _told(address: str) -> str:
    """Return an address as people write it: an email address or a phone number without its scheme."""
    bare = re.sub(r"\A(?:mailto|tel):", "", address, flags=re.IGNORECASE)
    return address if bare == address else bare.partition("?")[0]


@lru_cache(maxsize=4096, typed=True)  # after an edit, most paragraphs are the same as before
def _wrap(text: str, columns: int, *, first: str = "", rest: str = "") -> str:
    """Wrap like `textwrap.fill`, but count wide characters as two columns and allow a break after each of them."""
    lines: list[str] = []
    line, room, has_words = first, columns - _width(first), bool(first.strip())
    pattern = _unspaced_word() if has_ideographs(text) else _WORD
    for word in pattern.findall(text):
        bare = word.strip()
        gap = " " if has_words and word[0].isspace() else ""
        width = len(gap) + _width(bare)
        if width > room and has_words:
            lines.append(line)
            line, room, width, gap = rest, columns - _width(rest), width - len(gap), ""
            has_words = bool(rest.strip())
        line += gap + bare
        room -= width
        has_words = has_words or bool(bare)
    lines.append(line)
    return "\n".join(lines)


@cache  # apart, because a pattern with such ranges takes long to compile and to search
def _unspaced_word() -> re.Pattern[str]:
    """Return the pattern for text in which each ideograph or kana is its own word, as a line may end after it."""
    return re.compile(rf"[ \t\n]*[{IDEOGRAPHS_IN_SET}][\u3001\u3002\uff1a]?|[ \t\n]*[^ \t\n{IDEOGRAPHS_IN_SET}]+")


def _width(text: str) -> int:
    return columns_of(with_usual_widths(text))
