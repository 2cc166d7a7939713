"""Markdown → prose: parsed once, raw HTML kept as text, links and pictures listed with their lines."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from newsletter.model.finding import Place
from newsletter.model.issue import Prose, ProseLink, ProsePicture

# CommonMark with tables; raw HTML is text, since content must never become markup.
_PARSER = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")


# Remembered by content; nobody changes a token of what is returned.
@lru_cache(maxsize=512)
def parse_markdown(text: str, *, path: str, first_line: int) -> Prose:
    """Parses a body; `first_line` is the line of the file on which it begins."""
    tokens = _PARSER.parse(text)
    links: list[ProseLink] = []
    pictures: list[ProsePicture] = []
    for block in tokens:
        if block.type != "inline" or block.children is None:
            continue
        for token, line in _with_lines(block.children, first_line + (block.map[0] if block.map else 0)):
            place = Place(path=path, line=line)
            if token.type == "link_open":
                words = _link_text(block.children, token)
                links.append(ProseLink(text=words, url=str(token.attrs["href"]), place=place))
            elif token.type == "image":
                pictures.append(ProsePicture(path=str(token.attrs["src"]), alt=token.content, place=place))
    return Prose(tokens=tuple(tokens), first_line=first_line, links=tuple(links), pictures=tuple(pictures))


def _with_lines(children: Iterable[Token], line: int) -> Iterator[tuple[Token, int]]:
    """Inline tokens with the line of the file that each stands on: a break ends a line."""
    for token in children:
        yield token, line
        if token.type in {"softbreak", "hardbreak"}:
            line += 1


def _link_text(children: Sequence[Token], opening: Token) -> str:
    start = next(index for index, token in enumerate(children) if token is opening)
    words: list[str] = []
    for token in children[start + 1 :]:
        if token.type == "link_close":
            break
        words.append(" " if token.type in {"softbreak", "hardbreak"} else token.content)
    return "".join(words).strip()
