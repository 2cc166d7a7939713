"""Two states of a small archive, and what holds for a site that was left in between."""

import posixpath
import re

from newsletter.model.site_files import SiteFile

LINK = re.compile(r'(?:href|src)="([^"]+)"')


def page(*links: str) -> bytes:
    """A page with links."""
    anchors = "".join(f'<a href="{link}">x</a>' for link in links)
    return f"<html><body>{anchors}</body></html>".encode()


OLD = {
    "index.html": page("2026-02/", "2026-01/", "style.css", "i/aaa.png"),
    "es/index.html": page("../2026-02/es/", "../style.css"),
    "2026-01/index.html": page("../", "../i/aaa.png", "../2026-02/"),
    "2026-02/index.html": page("../", "es/", "../2026-01/", "../i/bbb.png", "../events/retreat.ics"),
    "2026-02/es/index.html": page("../", "../../i/bbb.png"),
    "events/retreat.ics": b"BEGIN:VCALENDAR\r\nold\r\n",
    "feed.xml": b"<rss>old</rss>",
    "style.css": b"body { color: black }",
    "i/aaa.png": b"\x89PNG a",
    "i/bbb.png": b"\x89PNG b\r\n\n--\n",
    "pagefind/pagefind-entry.json": b'{"old": 1}',
    "pagefind/fragment/en_11.pf_fragment": b"old",
}
# The issue of January is gone, and with it the image that only old emails show. March is new, and February leads to it.
NEW = {
    "index.html": page("2026-02/", "2026-03/", "style.css", "i/ccc.png"),
    "es/index.html": page("../2026-02/es/", "../style.css"),
    "2026-02/index.html": page("../", "es/", "../2026-03/", "../i/bbb.png", "../events/retreat.ics"),
    "2026-02/es/index.html": page("../", "../../i/bbb.png"),
    "2026-03/index.html": page("../", "../2026-02/", "../i/ccc.png", "../events/walk/"),
    "events/walk/index.html": page("../../2026-03/", "../walk.ics"),
    "events/walk.ics": b"BEGIN:VCALENDAR\r\n",
    "events/retreat.ics": b"BEGIN:VCALENDAR\r\nnew\r\n",
    "feed.xml": b"<rss>new</rss>",
    "style.css": b"body { color: black }",
    "i/bbb.png": OLD["i/bbb.png"],
    "i/ccc.png": b"\x89PNG c",
    "pagefind/pagefind-entry.json": b'{"new": 1}',
    "pagefind/fragment/en_22.pf_fragment": b"new",
}
AFTER = NEW | {"i/aaa.png": OLD["i/aaa.png"]}  # images are never deleted
CHANGED = {path for path in NEW if NEW[path] != OLD.get(path)}
REMOVED = {"2026-01/index.html", "pagefind/fragment/en_11.pf_fragment"}


def files_of(site: dict[str, bytes]) -> list[SiteFile]:
    """The files as they are given to a destination."""
    return [SiteFile(path, content) for path, content in site.items()]


def faults_of(site: dict[str, bytes]) -> list[str]:
    """What is wrong with a site that was left between the two states: parts of files, and links to nothing."""
    faults = [path for path, content in site.items() if content not in {OLD.get(path), NEW.get(path)}]
    waiting, seen = ["index.html"], set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.endswith(".html"):
            continue
        seen.add(path)
        for link in LINK.findall(site[path].decode()):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
            target = posixpath.normpath(f"{target}/index.html") if link.endswith("/") else target
            if target in site:
                waiting.append(target)
            else:
                faults.append(f"{path} leads to {target}")
    return faults
