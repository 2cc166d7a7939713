"""Finds what looks like Markdown but was not taken, and what Markdown would drop or change without a word.

Readers would see the signs, or would not see the text. Each loss is a mistake that says what to write instead. A
backslash before a sign, or code, means the sign itself.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from html.entities import html5
from itertools import count
from operator import itemgetter

from markdown_it.token import Token
from msgspec import Struct

from newsletter.content.inline_rules import BREAK_MARKUP
from newsletter.content.tags import instead_of_tag
from newsletter.model.typography import shortened

# Stand-ins for what was taken, in the text in which we look for what was not.
ESCAPED, TAKEN, ADDRESS, BRACKET, BREAK, ESCAPED_BRACKET, EMPHASIS = "\ue000\ue001\ue002\ue003\ue004\ue005\ue006"
_ANY_STAND_IN = re.compile("[\ue000-\ue006]")
_STAND_INS = re.compile(f"[{ESCAPED}{TAKEN}{BRACKET}{ESCAPED_BRACKET}{EMPHASIS}]")
_LONGEST_QUOTE = 60


class ContentLoss(Struct, frozen=True):
    """Something that readers would see or miss by accident: its line, what it is, and what to write instead."""

    line: int
    what: str
    remedy: str


class FlatText(Struct, frozen=True, kw_only=True):
    """The text of a block, in which stand-ins replace everything that the parser took."""

    text: str
    starts: tuple[int, ...]  # where each token begins
    lines: tuple[int, ...]  # the line of each token
    addresses: tuple[tuple[int, str], ...]  # the position of each stand-in for an address, and the address

    def line_at(self, position: int) -> int:
        """Return the line of the file on which a position is."""
        return self.lines[max(bisect_right(self.starts, position) - 1, 0)]

    def written(self, start: int, end: int) -> str:
        """Return the text as it was written, as far as it is known."""
        words = _STAND_INS.sub("", self.text[start:end]).replace(BREAK, BREAK_MARKUP)
        if ADDRESS not in words:
            return words
        numbers = count(bisect_left(self.addresses, start, key=itemgetter(0)))
        return re.sub(ADDRESS, lambda _: self.addresses[next(numbers)][1], words)


def flat_text(children: Sequence[Token]) -> FlatText:
    """Return the text of a block. The map of each token must begin with its line."""
    pieces: list[str] = []
    starts, lines, addresses = [], [], []
    length, in_address = 0, False
    for token in children:
        if token.type == "link_open" and token.info == "auto":
            in_address = True
            addresses.append((length, str(token.attrs["href"])))
            piece = ADDRESS
        elif token.type == "link_close" and token.info == "auto":
            in_address, piece = False, ""
        else:
            piece = "" if in_address else _piece(token)
        starts.append(length)
        lines.append(token.map[0] if token.map else 0)
        pieces.append(piece)
        length += len(piece)
    return FlatText(text="".join(pieces), starts=tuple(starts), lines=tuple(lines), addresses=tuple(addresses))


def _piece(token: Token) -> str:
    if token.type == "text" or (token.type == "text_special" and token.content[1:2].isalnum()):
        return _ANY_STAND_IN.sub("\N{REPLACEMENT CHARACTER}", token.content)
    if token.type == "text_special" and token.content == "[":
        return ESCAPED_BRACKET
    if token.type == "hardbreak" and token.markup == BREAK_MARKUP:
        return BREAK
    return _PIECES.get(token.type, "")


_PIECES = {
    "text_special": ESCAPED,
    **dict.fromkeys(("softbreak", "hardbreak"), "\n"),
    **dict.fromkeys(("link_open", "link_close", "span_open", "span_close"), BRACKET),
    **dict.fromkeys((f"{name}_{end}" for name in ("em", "strong", "s") for end in ("open", "close")), EMPHASIS),
    **dict.fromkeys(("code_inline", "image", "footnote_ref"), TAKEN),
}


class _Sign(Struct, frozen=True):
    """A pattern of text that was not taken, and the words of its loss."""

    pattern: re.Pattern[str]
    words: Callable[[re.Match[str], FlatText], tuple[str, str] | None]


def _says(what: str, remedy: str) -> Callable[[re.Match[str], FlatText], tuple[str, str]]:
    """Return a function that fills in what was written: {all}, and the groups {0} and {1}."""

    def words(match: re.Match[str], flat: FlatText) -> tuple[str, str]:
        written = [
            flat.written(*match.span(group)) if match[group] is not None else ""
            for group in range(len(match.groups()) + 1)
        ]
        parts = {"all": quoted(written[0])}
        inside = [shortened(part).strip() for part in written[1:]]
        return what.format(*inside, **parts), remedy.format(*inside, **parts)

    return words


def quoted(text: str) -> str:
    """Return the beginning of a text in quotation marks, on one line."""
    text = " ".join(text.split())
    return f"“{text[:_LONGEST_QUOTE]}…”" if len(text) > _LONGEST_QUOTE else f"“{text}”"


def _broken_link(match: re.Match[str], flat: FlatText) -> tuple[str, str]:
    words, address = (flat.written(*match.span(group)).strip() for group in (1, 2))
    what = f"the link {quoted(flat.written(*match.span()))} is broken, so readers would see its brackets"
    if not address:
        return what, f"write its address in the round brackets: [{words}](https://…)"
    if re.search(r"\s", address):
        whole = re.sub(r"\s+", "%20", address)
        return what, f"write %20 for each space in the address: [{words}]({whole})"
    return what, f"write [{words}]({address})"


def _broken_image(match: re.Match[str], flat: FlatText) -> tuple[str, str]:
    words, name = (flat.written(*match.span(group)).strip() for group in (1, 2))
    what = f"the image {quoted(flat.written(*match.span()))} is broken, so readers would see its brackets"
    if re.search(r"\s", name):
        return what, f"write the name in angle brackets: ![{words}](<{name}>)"
    return what, f"write ![{words}]({name or 'images/photo.jpg'})"


def _stray_link(match: re.Match[str], flat: FlatText) -> tuple[str, str] | None:
    before = flat.text[max(match.start() - 300, 0) : flat.text.index("](", match.start())]
    if before.rfind(ESCAPED_BRACKET) > before.rfind("["):
        return None  # a backslash protects the opening bracket
    what = f"{quoted(flat.written(*match.span()))} looks like a link that is not complete"
    return what, f"write [link text](https://…), {_LITERAL}"


def _tag(match: re.Match[str], flat: FlatText) -> tuple[str, str] | None:
    if (
        match["closes"]
        and f"<{match['name']}".lower() in flat.text[max(match.start() - 2000, 0) : match.start()].lower()
    ):
        return None  # its opening tag is reported
    if flat.text[match.start() - 1 : match.start()].isalnum() and " " in match[0] and "=" not in match[0]:
        return None  # x<y and z>w
    return instead_of_tag(match["name"], match["closes"] is not None, flat.written(*match.span()), _inside(match, flat))


def _inside(match: re.Match[str], flat: FlatText) -> str | None:
    """Return the text between a tag and the one that closes it, if it is short."""
    end = re.compile(rf"</{re.escape(match['name'])}>", re.IGNORECASE).search(flat.text, match.end(), match.end() + 300)
    return None if end is None else flat.written(match.end(), end.start())


_LITERAL = "or write a backslash before the sign to show it"
# The names of entities that browsers take without a semicolon, and that people therefore write without one.
_ENTITIES = "|".join(sorted((name for name in html5 if not name.endswith(";")), key=len, reverse=True))
_MARKS = "so readers would see the signs"
_EVEN = r"write the same signs before and after the words: *words* or **words**; or \* to show the sign"
# In this order: text that one pattern has claimed is not judged by the next.
_SIGNS = (
    _Sign(re.compile(r"<(?P<closes>/)?(?P<name>[A-Za-z][A-Za-z0-9:_-]*)(?:[\s/][^<>]*)?>"), _tag),
    _Sign(
        re.compile(r"<([\w-]+(?:\.[\w-]+)+[^\s<>]*)>"),
        _says("{all} is not a link, because its address is not complete", "write <https://{0}>"),
    ),
    _Sign(
        re.compile(r"<(?:!DOCTYPE|!\[CDATA\[|\?[a-z])[^<>]{0,200}>?", re.IGNORECASE),
        _says("readers would see {all}, because HTML is not taken", f"delete it, {_LITERAL}"),
    ),
    _Sign(
        re.compile(
            r"\[(b|i|u|s|url|img|color|size|quote)(?:=[^\[\]\n]{0,80})?\]([^\[\]\n]{0,200})\[/\1\]", re.IGNORECASE
        ),
        _says("{all} is the markup of a forum, so readers would see its brackets", "write **{1}** for bold words"),
    ),
    _Sign(re.compile(r"!\[([^\[\]]{0,200})\] {0,3}\(([^()\n]{0,300})\)"), _broken_image),
    _Sign(
        re.compile(r"!\[[^\[\]\n]{0,60}\]?"),
        _says(
            "{all} looks like an image that is not complete", f"write ![what it shows](images/photo.jpg), {_LITERAL}"
        ),
    ),
    _Sign(re.compile(r"\[([^\[\]]{1,200})\]\(([^()]{0,300})\)"), _broken_link),
    _Sign(re.compile(rf"\[([^\[\]]{{1,200}})\] {{1,3}}\(({ADDRESS}|#[\w-]+|[\w./-]+\.[\w/-]+)\)"), _broken_link),
    _Sign(re.compile(rf"\[([^\[\]()]{{1,200}})\(({ADDRESS})[^()]{{0,100}}\)"), _broken_link),
    _Sign(re.compile(rf"\(([^()\n{ADDRESS}]{{1,200}})\)\[({ADDRESS})\]"), _broken_link),
    _Sign(re.compile(rf"\(([^()\n{ADDRESS}]{{1,200}})\)\(({ADDRESS})\)"), _broken_link),
    _Sign(re.compile(rf"\[([^\[\]]{{1,200}})\]({ADDRESS})\)?"), _broken_link),
    _Sign(
        re.compile(rf"<{ADDRESS}(?!>)|(?<!<){ADDRESS}>"),
        _says("a bracket in {all} has no partner, so readers would see it", "delete it, or write both: <https://…>"),
    ),
    _Sign(
        re.compile(r"\[\^([^\]\s]{1,100})\](?!:)"),
        _says("the footnote [^{0}] has no note", "write the note on a line of its own: `[^{0}]: …`"),
    ),
    _Sign(
        re.compile(r"\^\[([^\[\]]{0,200})\]?"),
        _says("{all} is not taken as a note", "write [^1], and the note on a line of its own: `[^1]: {0}`"),
    ),
    _Sign(
        re.compile(r"\[([^\[\]]{1,200})\]\[([^\[\]]{0,100})\]"),
        _says(
            "the link {all} has no address, so readers would see its brackets",
            f"write [{{0}}](https://…), {_LITERAL}",
        ),
    ),
    _Sign(re.compile(r"[^\s\[\]]{0,30}\]\([^\s()]{0,30}"), _stray_link),
    _Sign(
        re.compile(r"\[!(?P<kind>\w+)\]"),
        _says("{all} is not taken, so readers would see it", "delete it, and begin with a word in bold: **Note**"),
    ),
    _Sign(
        re.compile(r"==(?=\S)([^=\n]{1,200})=="),
        _says("{all} is not taken as a highlight, so readers would see the signs", "write **{0}**"),
    ),
    _Sign(
        re.compile(r"(?<![*\w])\*\*\s+([^*]{1,200}?)\s*\*\*|(?<!\*)\*\*([^*]{1,200}?)\s+\*\*(?!\*)"),
        _says(f"{{all}} is not bold, because of a space inside the signs, {_MARKS}", "write **{0}{1}**"),
    ),
    _Sign(
        re.compile(r"(?<!\*)\*{2,3}(?!\*)[^*\n]{0,30}"),
        _says(
            f"the signs in {{all}} have no partner, {_MARKS}",
            r"write **words in bold**, with spaces outside the signs; or \*\* to show the signs",
        ),
    ),
    _Sign(
        re.compile(r"(?<!_)_{2,3}(?!_)[^_\n]{0,30}"),
        _says(
            f"the signs in {{all}} have no partner, {_MARKS}",
            r"write **words in bold**, with spaces outside the signs; or \_\_ to show the signs",
        ),
    ),
    _Sign(
        re.compile(r"(?<!~)~~(?!~)[^~\n]{0,30}"),
        _says(f"the signs in {{all}} have no partner, {_MARKS}", r"write ~~words~~, or \~\~ to show the signs"),
    ),
    _Sign(
        re.compile(r"(?<![\w*])\*([^\s*][^*\n]{0,200}?)\s\*(?!\w)|(?<![\w*])\*\s([^*\n]{0,200}?[^\s*])\*(?!\w)"),
        _says(f"{{all}} is not emphasis, because of a space inside the signs, {_MARKS}", "write *{0}{1}*"),
    ),
    _Sign(
        re.compile(rf"[*_~]+{EMPHASIS}|{EMPHASIS}[*_~]+[^*_~\n]{{0,20}}"),
        _says("the signs before and after a word do not match, so readers would see {all}", _EVEN),
    ),
    _Sign(
        re.compile(r"(?<=[^\n][\s(“«\"])([*_])(?=[^\W_])[^*_\n]{1,30}(?![^*_]*\1)"),
        _says("the sign {0} in {all} has no partner, so readers would see it", _EVEN),
    ),
    _Sign(
        re.compile(r"(?<![\w~])~([^\s~.][^~.\n]{0,60})~(?![\w~])"),
        _says("{all} is not struck through, so readers would see the signs", "write ~~{0}~~"),
    ),
    _Sign(
        re.compile(r"(?<=\w)([\^~])[^\s^~]{1,20}\1"),
        _says(
            "{all} is not taken, so readers would see the signs", "type the raised or lowered character itself: ² or ₂"
        ),
    ),
    _Sign(
        re.compile(r"`+[^`\n]{0,30}"),
        _says(
            "the backtick in {all} has no partner, so readers would see it",
            r"write ' for an apostrophe, `words` for code, or \` to show it",
        ),
    ),
    _Sign(
        re.compile(r"\{\s{0,3}(?:[.#:][\w-]|\w{1,20}\s{0,3}=|lang\s{0,3}:)[^{}\n]{0,60}\}"),
        _says(
            "{all} is not taken here, so readers would see it",
            "delete it; only a language may stand in braces, as in [Gracias]{{lang=es}}",
        ),
    ),
    _Sign(
        re.compile(r"(?<![\w:]):[a-z][a-z0-9_+-]{1,30}:(?![\w:])"),
        _says("{all} is not taken as an emoji, so readers would see the word", f"paste the emoji itself, {_LITERAL}"),
    ),
    _Sign(re.compile(r"\[TOC\]", re.IGNORECASE), _says("{all} is not taken, so readers would see it", "delete it")),
    _Sign(
        re.compile(
            rf"&(?:#\d{{1,7}}|#[xX][0-9A-Fa-f]{{1,6}}|{_ENTITIES}|mdash|ndash|hellip|[lr][sd]quo)\b;?|&[a-z]{{2,20}};"
        ),
        _says("readers would see {all}, because it is not a complete HTML entity", "type the character itself"),
    ),
)
_ANY_SIGN = re.compile(r"[<>\[\]()*_~`{=:&^]")


def losses_in(flat: FlatText) -> Iterator[ContentLoss]:
    """Yield what was not taken within the lines of a block."""
    if not _ANY_SIGN.search(flat.text):
        return
    claimed: list[tuple[int, int]] = []
    for sign in _SIGNS:
        own: list[tuple[int, int]] = []
        for match in sign.pattern.finditer(flat.text):
            if _is_claimed(match.start(), claimed):
                continue
            own.append(match.span())
            if (words := sign.words(match, flat)) is not None:
                yield ContentLoss(flat.line_at(match.start()), *words)
        claimed = sorted([*claimed, *own])


def _is_claimed(position: int, spans: list[tuple[int, int]]) -> bool:
    before = bisect_right(spans, position, key=itemgetter(0))
    return before > 0 and position < spans[before - 1][1]


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
            what, remedy = (part.replace(_ALL, quoted(flat.written(start, position - 1))) for part in loss)
            yield ContentLoss(flat.line_at(start), what, remedy)
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
