"""Make the feeds of the archive, with the full content of the last issues: RSS 2.0, Atom and JSON Feed 1.1.

Readers of feeds show the content without our style sheet, and some drop a feed that has `style` attributes. So the
content has neither classes nor styles, and nothing that only repeats something for the eye.
"""

import json
import re
from collections.abc import Iterator
from email.utils import format_datetime
from urllib.parse import urlsplit

from lxml import etree, html
from lxml.builder import ElementMaker

from newsletter.model.published import IssuePage
from newsletter.model.site_addresses import ATOM, JSON_FEED, RSS, feed_path, index_path, picture_path
from newsletter.model.site_files import SiteFile
from newsletter.site.site import Site
from newsletter.site.words import words_in

_KEPT = frozenset({"alt", "datetime", "dir", "height", "href", "lang", "scope", "src", "start", "width"})
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # characters that XML cannot contain
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_CREATOR = "http://purl.org/dc/elements/1.1/"
_ATOM = "http://www.w3.org/2005/Atom"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def feeds_of(site: Site, language: str) -> Iterator[SiteFile]:
    """Yield the three feeds in a language."""
    contents = {page.path: _content(page, site) for page in site.in_feed(language)}
    folder = site.folder(language)
    yield SiteFile(feed_path(RSS, folder), _rss(site, language, contents))
    yield SiteFile(feed_path(ATOM, folder), _atom(site, language, contents))
    yield SiteFile(feed_path(JSON_FEED, folder), _json(site, language, contents))


def entry_id(page: IssuePage, site: Site) -> str:
    """Return an id that stays the same if the issue is renamed or the archive is moved to another path (RFC 4151)."""
    host = urlsplit(site.url).hostname or ""
    language = "" if page.is_original else f":{page.language}"
    return _fit(f"tag:{host},{page.day}:{page.id}{language}")


def _content(page: IssuePage, site: Site) -> str:
    address, words = site.address(page.path), words_in(page.language)["browser"]
    ingredients = "\0".join((page.html, address, words)).encode()
    return site.recall("feed", ingredients, lambda: _plain(page.html, address, words).encode()).decode()


def _plain(content: str, address: str, words: str) -> str:
    root = html.fragment_fromstring(content, create_parent="div")
    for element in root.xpath("//*[@aria-hidden='true']"):
        element.drop_tree()
    for element in root.iter(etree.Element):
        for name in set(element.attrib) - _KEPT:
            del element.attrib[name]
    last = etree.SubElement(etree.SubElement(root, "p"), "a", href=address)
    last.text = words
    written = etree.tostring(root, encoding="unicode", method="html")
    return _fit(written.removeprefix("<div>").removesuffix("</div>"))


def _rss(site: Site, language: str, contents: dict[str, str]) -> bytes:
    names = {"content": _CONTENT, "dc": _CREATOR, "atom": _ATOM}
    make = ElementMaker(nsmap=names)
    home, own = site.address(index_path(site.folder(language))), site.address(feed_path(RSS, site.folder(language)))
    identity, pages = site.settings.newsletter, site.in_feed(language)
    channel = make.channel(
        make.title(_fit(identity.name)),
        make.link(home),
        make.description(_fit(f"{identity.name}, {identity.organization}")),
        make.language(language),
        make(f"{{{_ATOM}}}link", rel="self", type="application/rss+xml", href=own),
    )
    if pages:
        channel.append(make.lastBuildDate(format_datetime(max(map(site.changed_at, pages)))))
    for page in pages:
        channel.append(
            make.item(
                make.title(_fit(page.title)),
                make.link(site.address(page.path)),
                make.guid(entry_id(page, site), isPermaLink="false"),
                make.pubDate(format_datetime(site.published_at(page))),
                make(f"{{{_CREATOR}}}creator", _fit(identity.from_name)),
                make.description(_fit(page.description)),
                make(f"{{{_CONTENT}}}encoded", contents[page.path]),
            )
        )
    return _written(make.rss(channel, version="2.0"))


def _atom(site: Site, language: str, contents: dict[str, str]) -> bytes:
    make = ElementMaker(namespace=_ATOM, nsmap={None: _ATOM})
    folder, identity, pages = site.folder(language), site.settings.newsletter, site.in_feed(language)
    own, home = site.address(feed_path(ATOM, folder)), site.address(index_path(folder))
    changed = [site.changed_at(page) for page in pages]
    feed = make.feed(
        {_LANG: language},
        make.id(own),
        make.title(_fit(identity.name)),
        make.updated(max(changed).isoformat() if changed else "1970-01-01T00:00:00Z"),
        make.link(rel="self", type="application/atom+xml", href=own),
        make.link(rel="alternate", type="text/html", href=home),
        make.author(make.name(_fit(identity.from_name)), make.uri(identity.website)),
    )
    for page in pages:
        entry = make.entry(
            make.id(entry_id(page, site)),
            make.title(_fit(page.title)),
            make.published(site.published_at(page).isoformat()),
            make.updated(site.changed_at(page).isoformat()),
            make.link(rel="alternate", type="text/html", href=site.address(page.path)),
            make.summary(_fit(page.description)),
            make.content(contents[page.path], type="html"),
        )
        entry.set(_LANG, page.language)
        feed.append(entry)
    return _written(feed)


def _json(site: Site, language: str, contents: dict[str, str]) -> bytes:
    folder, identity = site.folder(language), site.settings.newsletter
    author = {"name": identity.from_name, "url": identity.website}
    items = [
        {
            "id": entry_id(page, site),
            "url": site.address(page.path),
            "title": page.title,
            "summary": page.description,
            "content_html": contents[page.path],
            "date_published": site.published_at(page).isoformat(),
            "date_modified": site.changed_at(page).isoformat(),
            "language": page.language,
            "authors": [author],
            **({"image": site.address(picture_path(page.picture.name))} if page.picture else {}),
        }
        for page in site.in_feed(language)
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": identity.name,
        "home_page_url": site.address(index_path(folder)),
        "feed_url": site.address(feed_path(JSON_FEED, folder)),
        "language": language,
        "authors": [author],
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _fit(text: str) -> str:
    return _UNFIT.sub("", text)
