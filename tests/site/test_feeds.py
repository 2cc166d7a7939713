"""The rules of RSS 2.0, Atom and JSON Feed 1.1, and what readers of feeds stumble over."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import feedparser
import pytest
from lxml import etree, html
from msgspec.structs import replace

from newsletter.site.feeds import feeds_of
from newsletter.site.site import Site
from tests.site.values import FEBRUARY, JANUARY, LATER, PAGES, SPANISH, UNLISTED, URL, site_of

NAMES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def feeds(site: Site, language: str = "en") -> dict[str, bytes]:
    return {file.path: file.content for file in feeds_of(site, language)}


def contents(found: dict[str, bytes], folder: str = "") -> Iterator[str]:
    """Yield the content of each entry of each feed."""
    rss, atom = (etree.fromstring(found[f"{folder}{name}"]) for name in ("feed.xml", "atom.xml"))
    yield from (str(each.text) for each in rss.iterfind(".//content:encoded", NAMES))
    yield from (str(each.text) for each in atom.iterfind("atom:entry/atom:content", NAMES))
    yield from (each["content_html"] for each in json.loads(found[f"{folder}feed.json"])["items"])


def test_rss_has_what_its_rules_ask_for() -> None:
    root = etree.fromstring(feeds(site_of(*PAGES))["feed.xml"])
    channel = root[0]
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    assert [channel.findtext(name) for name in ("title", "link", "language")] == ["Small & Quiet", f"{URL}/", "en"]
    assert channel.findtext("description")
    link = channel.find("atom:link", NAMES)
    assert link is not None
    assert (link.get("rel"), link.get("href")) == ("self", f"{URL}/feed.xml")
    for item in channel.iterfind("item"):
        assert item.findtext("title")
        assert item.findtext("dc:creator", namespaces=NAMES) == "Small Press"
        assert item.find("author") is None  # it would have to be an email address
        guid, published = item.find("guid"), item.findtext("pubDate") or ""
        assert guid is not None
        assert guid.get("isPermaLink") == "false"
        assert str(guid.text).startswith("tag:letters.example.org,2026-0")
        assert published[:3] == WEEKDAYS[parsedate_to_datetime(published).weekday()]


def test_atom_has_what_its_rules_ask_for() -> None:
    root = etree.fromstring(feeds(site_of(*PAGES))["atom.xml"])
    entries = root.findall("atom:entry", NAMES)
    for each in (root, *entries):
        assert all(each.findtext(f"atom:{name}", namespaces=NAMES) for name in ("id", "title", "updated"))
    assert root.findtext("atom:author/atom:name", namespaces=NAMES) == "Small Press"
    ids = [str(each.findtext("atom:id", namespaces=NAMES)) for each in entries]
    assert ids == ["tag:letters.example.org,2026-02-19:2026-02", "tag:letters.example.org,2026-01-15:2026-01"]
    assert {str(link.get("rel")) for link in root.iterfind("atom:link", NAMES)} == {"self", "alternate"}
    assert all(each.find("atom:content", NAMES).get("type") == "html" for each in entries)  # type: ignore[union-attr]


def test_json_feed_has_what_its_rules_ask_for() -> None:
    feed = json.loads(feeds(site_of(*PAGES))["feed.json"])
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["home_page_url"], feed["feed_url"], feed["language"]) == (f"{URL}/", f"{URL}/feed.json", "en")
    assert [(item["id"], item["title"]) for item in feed["items"]] == [
        ("tag:letters.example.org,2026-02-19:2026-02", FEBRUARY.title),
        ("tag:letters.example.org,2026-01-15:2026-01", "January"),
    ]
    assert all(item["content_html"] and item["date_published"].endswith("-08:00") for item in feed["items"])


@pytest.mark.parametrize("name", ["feed.xml", "atom.xml"])
def test_feedparser_finds_nothing_wrong(name: str) -> None:
    parsed = feedparser.parse(feeds(site_of(*PAGES))[name])
    assert not parsed.bozo
    assert [entry.link for entry in parsed.entries] == [f"{URL}/2026-02/", f"{URL}/2026-01/"]


def test_content_is_whole_and_plain() -> None:
    """The validator of the W3C warns of styles and relative addresses."""
    for content in contents(feeds(site_of(*PAGES))):
        root = html.fragment_fromstring(content, create_parent="div")
        assert "Dear & quiet friends," in root.text_content()
        assert "Feb 25" not in root.text_content()
        assert not root.xpath("//@style|//@class|//@id|//@role|//script|//form")
        assert all(urlsplit(str(each)).scheme == "https" for each in root.xpath("//@href|//@src"))
        assert root.xpath("string((//a)[last()]/@href)") in {f"{URL}/2026-02/", f"{URL}/2026-01/"}


def test_each_language_has_its_own_feeds() -> None:
    found = feeds(site_of(*PAGES), "es")
    assert set(found) == {"es/feed.xml", "es/atom.xml", "es/feed.json"}
    (item,) = json.loads(found["es/feed.json"])["items"]
    assert (item["url"], item["title"], item["language"]) == (f"{URL}/2026-02/es/", SPANISH.title, "es")
    assert item["id"] == "tag:letters.example.org,2026-02-19:2026-02:es"


def test_unlisted_issues_are_in_no_feed() -> None:
    for language in ("en", "es"):
        assert all(UNLISTED.title.encode() not in content for content in feeds(site_of(*PAGES), language).values())


def test_an_id_stays_if_the_issue_is_renamed() -> None:
    renamed = replace(FEBRUARY, issue="february", id="2026-02")
    before, after = (json.loads(feeds(site_of(page))["feed.json"])["items"][0] for page in (FEBRUARY, renamed))
    assert before["id"] == after["id"]
    assert before["url"] != after["url"]


def test_updated_moves_only_with_the_content() -> None:
    atom = etree.fromstring(feeds(site_of(FEBRUARY, JANUARY, changed={"2026-01/index.html": LATER}))["atom.xml"])
    updated = [each.text for each in atom.iterfind("atom:entry/atom:updated", NAMES)]
    published = [each.text for each in atom.iterfind("atom:entry/atom:published", NAMES)]
    assert updated == ["2026-02-19T00:00:00-08:00", "2026-03-01T12:00:00+00:00"]
    assert published == ["2026-02-19T00:00:00-08:00", "2026-01-15T00:00:00-08:00"]


def test_a_feed_has_the_last_thirty_issues() -> None:
    many = [replace(JANUARY, issue=f"n{n}", id=f"n{n}", day=date(2026, 1, 1) + timedelta(n)) for n in range(40)]
    items = json.loads(feeds(site_of(*many))["feed.json"])["items"]
    assert [item["url"] for item in items] == [f"{URL}/n{n}/" for n in range(39, 9, -1)]


def test_an_empty_archive_has_valid_feeds() -> None:
    found = feeds(site_of())
    assert not any(feedparser.parse(found[name]).bozo for name in ("feed.xml", "atom.xml"))
    assert json.loads(found["feed.json"])["items"] == []


def test_characters_that_xml_cannot_contain_are_left_out() -> None:
    found = feeds(site_of(replace(FEBRUARY, title="A\x0bB", html="<section><p>C\x0cD\uffff</p></section>")))
    assert etree.fromstring(found["feed.xml"]).findtext("channel/item/title") == "AB"
    assert etree.fromstring(found["atom.xml"]).findtext("atom:entry/atom:title", namespaces=NAMES) == "AB"
