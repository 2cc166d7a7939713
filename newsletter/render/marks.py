"""Mark the parts of prose that the theme sets in their own way: headings, figures, and who said a quotation."""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from newsletter.render.breaks import unbroken

# A number with its sign, currency and unit: `12`, `−3.5 %`, `€12.50`, `1.200 kr`, `USD 40`.
_BEFORE = r"(?:[%‰°€$£¥₪₹]|[A-Z]{2,3}\$?)?"
_AFTER = r"(?:[%‰°€$£¥₪₹]|[A-Z]{3}|(?![A-Z])[^\W\d_]{1,4}\.?)?"
_FIGURE = re.compile(rf"[~≈<>±+\-−–]?\s*{_BEFORE}\s*[+\-−–]?\d(?:[\d.,'’\u00a0\u202f ]*\d)?\s*{_AFTER}")
_NO_FIGURE = frozenset({"", "-", "–", "—", "…"})  # what a cell without a figure says
_OPENS_ATTRIBUTION = re.compile(r"(?:—|–|―|--)\s*(?=\S)")


def with_whole_headings(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with no-break hyphens in the compound words of headings."""
    marked = list(tokens)
    for position, token in enumerate(marked[1:], start=1):
        if token.type == "inline" and marked[position - 1].type == "heading_open":
            children = [
                child.copy(content=unbroken(child.content)) if child.type == "text" else child
                for child in token.children or []
            ]
            marked[position] = token.copy(children=children)
    return marked


def with_figures(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with the class `figure` on the cells of each table column that contains only figures.

    A column that the author has aligned stays as it is.
    """
    marked = list(tokens)
    for start, end in _spans(marked, "table"):
        columns: dict[int, list[int]] = {}
        column = 0
        for position in range(start, end):
            if marked[position].type == "tr_open":
                column = 0
            elif marked[position].type in {"th_open", "td_open"}:
                columns.setdefault(column, []).append(position)
                column += 1
        for cells in columns.values():
            if _holds_figures(marked, cells):
                for position in cells:
                    marked[position] = _with_class(marked[position], "figure")
    return marked


def with_attributions(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with the class `attribution` on the last paragraph of a quotation, if a dash begins it.

    A last line that begins with a dash becomes such a paragraph.
    """
    marked = list(tokens)
    for start, end in reversed(list(_spans(marked, "blockquote"))):
        opening = end - 3
        if opening <= start or marked[opening].type != "paragraph_open":
            continue
        inline = marked[opening + 1]
        cut = _last_line(inline.children or [])
        if cut is None:
            continue
        said, by = (inline.children or [])[: max(cut - 1, 0)], (inline.children or [])[cut:]
        attribution = [_with_class(marked[opening], "attribution"), inline.copy(children=by), marked[end - 1]]
        words = [marked[opening], inline.copy(children=said), marked[end - 1]] if said else []
        if said or opening > start + 1:
            marked[opening:end] = [*words, *attribution]
    return marked


def _spans(tokens: Sequence[Token], name: str) -> Iterator[tuple[int, int]]:
    """Yield the positions of the opening and closing tokens of each block with this name, inner blocks first."""
    opened: list[int] = []
    for position, token in enumerate(tokens):
        if token.type == f"{name}_open":
            opened.append(position)
        elif token.type == f"{name}_close":
            yield opened.pop(), position


def _holds_figures(tokens: Sequence[Token], cells: Sequence[int]) -> bool:
    bodies = [position for position in cells if tokens[position].type == "td_open"]
    words = {tokens[position + 1].content.strip().strip("*_`") for position in bodies}
    aligned = any("style" in tokens[position].attrs for position in cells)
    return not aligned and words > _NO_FIGURE & words and all(map(_FIGURE.fullmatch, words - _NO_FIGURE))


def _last_line(children: Sequence[Token]) -> int | None:
    """Return the position of the token that begins the last line, or None if no dash begins that line."""
    starts = [0, *(at + 1 for at, token in enumerate(children) if token.type in {"softbreak", "hardbreak"})]
    first = children[starts[-1]] if children and starts[-1] < len(children) else None
    is_attribution = first is not None and first.type == "text" and _OPENS_ATTRIBUTION.match(first.content)
    return starts[-1] if is_attribution else None


def _with_class(token: Token, name: str) -> Token:
    return token.copy(attrs={**token.attrs, "class": name})
