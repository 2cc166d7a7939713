"""What to write instead of an HTML tag, which is never taken from an author's text."""

# The Markdown for the text inside a tag.
_AROUND = {
    **dict.fromkeys(("b", "strong"), "**{}**"),
    **dict.fromkeys(("i", "em", "cite"), "*{}*"),
    **dict.fromkeys(("s", "del", "strike"), "~~{}~~"),
    **dict.fromkeys(("code", "kbd", "tt", "samp"), "`{}`"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "## {}"),
    "li": "- {}",
    "blockquote": "> {}",
    "mark": "**{}**",
}
_WITHOUT = {
    "hr": "write `---` on a line of its own, with an empty line above it",
    "img": "write ![what it shows](images/photo.jpg)",
    "p": "delete the tag, and put an empty line between paragraphs",
    "div": "delete the tag, and put an empty line between paragraphs",
    "ul": "begin each line of the list with a dash and a space: `- `",
    "ol": "begin each line of the list with a number: `1. `",
    **dict.fromkeys(("table", "tr", "td", "th", "thead", "tbody"), "write the table with bars: `| Day | Place |`"),
    **dict.fromkeys(
        ("script", "iframe", "form", "input", "video", "audio", "object", "embed", "style"),
        "delete it, and link to a page that has it",
    ),
}
_WITHIN_A_LINE = frozenset(_AROUND) - {"h1", "h2", "h3", "h4", "h5", "h6", "li", "blockquote"}
_LITERAL = "or write \\< to show the tag itself"
_LONGEST_INSIDE = 80


def instead_of_tag(name: str, closes: bool, written: str, inside: str | None) -> tuple[str, str]:
    """Return what is wrong with a tag, and what to write instead. `inside` is the text up to its closing tag."""
    what = f"readers would see the tag {written}, because HTML is not taken"
    name = name.lower()
    if name in _WITHOUT:
        return what, f"{_WITHOUT[name]}, {_LITERAL}"
    words = "words" if inside is None or len(inside) > _LONGEST_INSIDE or closes else inside.strip()
    if name == "a":
        return what, f"write [{words}]({_address_in(written) or 'https://…'})"
    if name in _AROUND:
        return what, f"write {_AROUND[name].format(words)}"
    if "_" in name or name.replace("-", "").endswith("name"):
        return what, f"write a merge field such as {{{{ first_name }}}}, {_LITERAL}"
    return what, f"delete the tag, {_LITERAL}"


def mark_for_tag(name: str, written: str, inside: str) -> str | None:
    """Return the Markdown for a tag with the text inside it, or None if it depends on more than that."""
    words, name = inside.strip(), name.lower()
    if not words or len(words) > _LONGEST_INSIDE:
        return None
    if name == "a":
        address = _address_in(written)
        return f"[{words}]({address})" if address else None
    return _AROUND[name].format(words) if name in _WITHIN_A_LINE else None


def _address_in(written: str) -> str | None:
    return next((part for part in written.split('"') if "://" in part or part.startswith("mailto:")), None)
