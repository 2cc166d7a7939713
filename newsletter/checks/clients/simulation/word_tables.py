"""Tables in Word: their text inherits from the body alone, and all cells of a row get the largest vertical padding."""

import re

from lxml.html import HtmlElement

from newsletter.checks.clients.simulation.app_mail import AppMail, set_style
from newsletter.checks.clients.simulation.css import CssDeclaration, read_declarations
from newsletter.checks.clients.simulation.losses import PublishedRule

_INHERITED = PublishedRule("Cerberus #302", "2024-02-15", url="https://github.com/emailmonday/Cerberus/pull/302")
_PADDING = PublishedRule("caniemail: padding", "2019-07-25", url="https://www.caniemail.com/features/css-padding/")
_CELLS = frozenset({"td", "th"})


def reset_nested_tables(mail: AppMail) -> None:
    """Give the text in tables the body's font and color, because Word's tables do not inherit from the cell around."""
    declared = {each.name: each.value for each in read_declarations(mail.body.get("style", ""))}
    names = ("font-family", "font-size", "color")
    style = mail.root.makeelement("style", {})
    own = "; ".join(f"{name}: {declared[name]}" for name in names if name in declared)
    style.text = f"table {{ {own or 'font-family: inherit'}; font-weight: normal; line-height: normal }}"
    head = mail.root.find("head")
    (mail.root if head is None else head).insert(0, style)
    nested = [table for table in mail.elements("table") if any(True for _ in table.iterancestors("td", "th"))]
    bare = sum(1 for table in nested if any(_inherits(cell) for cell in table.iter("td", "th")))
    if bare:
        mail.tally.lose(
            "font and color", "nested tables take them from body, not from the outer cell", _INHERITED, count=bare
        )


def even_paddings(mail: AppMail) -> None:
    """Give all cells of a row the largest vertical padding among them, as Word does."""
    for row in mail.elements("tr"):
        cells = [cell for cell in row if isinstance(cell.tag, str) and cell.tag in _CELLS]
        if len(cells) < 2:
            continue
        for side in ("padding-top", "padding-bottom"):
            sizes = [_padding(cell, side) for cell in cells]
            if len(set(sizes)) > 1:
                mail.tally.lose(side, "every cell gets the largest padding in its row", _PADDING)
                for cell in cells:
                    set_style(
                        cell, (*read_declarations(cell.get("style", "")), CssDeclaration(side, f"{max(sizes):g}px"))
                    )


def _inherits(cell: HtmlElement) -> bool:
    return bool((cell.text or "").strip()) and "font-family" not in cell.get("style", "")


def _padding(cell: HtmlElement, side: str) -> float:
    """Return the padding of a cell on one side in pixels, or 0 if it is in another unit."""
    size = 0.0
    for declared in read_declarations(cell.get("style", "")):
        parts = declared.value.split()
        if declared.name == "padding" and parts:
            part = parts[0] if side == "padding-top" else parts[2] if len(parts) > 2 else parts[0]
        elif declared.name == side:
            part = declared.value
        else:
            continue
        found = re.fullmatch(r"([\d.]+)(?:px)?", part)
        size = float(found[1]) if found else 0.0
    return size
