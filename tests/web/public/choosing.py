"""What people do on the page with their preferences, and on the pages behind the links that they ask for."""

import re
from html import unescape

from tests.web.public.conftest import Answer, ServedPages

_CHOSEN = re.compile(r'<option value="([^"]*)"[^>]* selected')


def form_of(page: Answer) -> dict[str, str | tuple[str, ...]]:
    """The form with someone's preferences, as a browser would send it without a change."""
    text = page.text.split("<form")[1].split("</form>")[0]
    fields: dict[str, str | tuple[str, ...]] = {}
    for name in ("from", "stamp", "do", "first_name", "last_name", "pause"):
        (tag,) = re.findall(rf'<input [^>]*name="{name}"[^>]*>', text)
        fields[name] = unescape(tag.split('value="')[1].split('"')[0])
    for name in ("language", "timezone"):
        options = text.split(f'<select id="{name}"')[1].split("</select>")[0]
        chosen = _CHOSEN.search(options)
        fields[name] = chosen[1] if chosen else ""
    fields["topic"] = tuple(re.findall(r'name="topic" value="(\w+)" checked', text))
    if 'name="tracking"' in text:
        fields["tracking"] = ("no", *(["yes"] if re.search(r'name="tracking"[^>]* checked', text) else []))
    return fields


def press(served: ServedPages, path: str, fields: dict[str, str | tuple[str, ...]], **headers: str) -> Answer:
    """Send a form of our own."""
    pairs = [(name, each) for name, value in fields.items() for each in ((value,) if isinstance(value, str) else value)]
    return served.press(path, pairs, **headers)


def save(served: ServedPages, path: str, **changes: str | tuple[str, ...]) -> Answer:
    """Open the page, wait as a person does, change some fields, and save."""
    fields = form_of(served.get(path))
    served.later(seconds=5)
    return press(served, path, {**fields, **changes})


def do(served: ServedPages, path: str, action: str, **fields: str) -> Answer:
    """Open a page, wait as a person does, and press the button of one of its forms."""
    stamp = served.get(path).value_of("stamp")
    served.later(seconds=5)
    return press(served, path, {"from": "page", "do": action, "stamp": stamp, **fields})
