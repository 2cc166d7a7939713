"""Items from feeds and calendars on a real server: what is written, what is left alone, and what never gets in."""

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import escape
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.errors import ConflictError, InputError, MistakesError
from newsletter.incoming.download import Download
from newsletter.incoming.entries import IncomingEntry
from newsletter.incoming.item_text import Taken
from newsletter.model.issue import Issue
from newsletter.model.slots import LINK_FIELDS, MergeField
from newsletter.workflows.compose import fetch as workflow
from newsletter.workflows.compose.fetch import FetchPlan, ItemFate, plan_fetch, write_fetch
from newsletter.workflows.compose.fetched_files import FetchedFiles
from newsletter.workflows.compose.new import new_issue
from tests.fakes.raw_server import raw_server, read_request
from tests.fakes.web_server import Page, WebServer
from tests.fuzz.mutations import texts
from tests.fuzz.test_feeds import FEEDS, PIECES
from tests.workspaces import ISSUE, write_workspace

NOW = datetime(2026, 2, 18, 12, tzinfo=UTC)
NEWS, EVENTS = "issues/2026-02/news/index.md", "issues/2026-02/events/index.md"


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def root(tmp_path: Path, web: WebServer) -> Path:
    """A workspace whose section `news` takes three entries of a feed, which is empty so far."""
    web.pages.clear()
    web.requests.clear()
    return write_workspace(
        tmp_path,
        {
            "issues/2026-02/issue.yaml": f"{ISSUE}  - news\n",
            NEWS: f"---\ntype: community\ntitle: News\nitems:\n  feed: {web.url}/feed.xml\n  most: 3\n---\n",
        },
    )


def fetch(root: Path, *, writes: bool = True, now: datetime = NOW) -> FetchPlan:
    config = load_config(root)
    folder = root / "issues/2026-02"
    plan = plan_fetch(config, folder, now=now, is_allowed=lambda address: ip_address(address).is_loopback)
    if writes:
        write_fetch(plan)
    return plan


def issue_of(root: Path) -> Issue:
    return load_issue(load_config(root), root / "issues/2026-02")


def fates(plan: FetchPlan) -> dict[str, str]:
    return {item.title: item.fate.value for section in plan.sections for item in section.items}


def entry(name: str, day: int = 1, html: str = "<p>Text.</p>", title: str | None = None) -> str:
    words = escape(escape(title or name.capitalize()))
    link = f"https://blog.example.org/{name}"
    dated = f"<pubDate>{day} Feb 2026 09:00:00 GMT</pubDate>"
    facts = f"<guid isPermaLink='false'>{name}</guid><title>{words}</title><link>{link}</link>{dated}"
    return f"<item>{facts}<description>{escape(html)}</description></item>"


def feed(*entries: str) -> bytes:
    return f"<rss version='2.0'><channel><title>Blog</title>{''.join(entries)}</channel></rss>".encode()


def photo(width: int = 640, form: str = "JPEG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, 400), "seagreen").save(out, form)
    return out.getvalue()


def file_of(root: Path, title: str, folder: str = "news") -> Path:
    (found,) = (root / f"issues/2026-02/{folder}").glob(f"{title}-*.md")
    return found


def test_the_first_entries_become_items_the_newest_first(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a", 3), entry("b", 9), entry("c", 6), entry("d", 12)))
    plan = fetch(root)
    assert fates(plan) == {"A": "new", "B": "new", "C": "new"}
    *_, news = issue_of(root).sections
    assert [item.fields.title for item in news.items] == ["B", "C", "A"]
    link = news.items[0].fields.link
    assert link is not None
    assert (link.label, link.url) == ("Read more: B", "https://blog.example.org/b")


def test_nothing_is_written_before_that(root: Path, web: WebServer) -> None:
    before = sorted(root.rglob("*"))
    web.pages["/feed.xml"] = Page(body=feed(entry("a", html=f'<img src="{web.url}/a.jpg">')))
    web.pages["/a.jpg"] = Page(body=photo())
    fetch(root, writes=False)
    assert sorted(root.rglob("*")) == before


def test_each_line_that_readers_would_see_is_shown(root: Path, web: WebServer) -> None:
    lines = ("from: us", "id: 1", "digest: x", "etag: y", "\u2014-- z")
    web.pages["/feed.xml"] = Page(body=feed(entry("a", html="".join(f"<p>{line}</p>" for line in lines))))
    shown = list(fetch(root).items[0].changed_lines())
    assert [f"+{line}" for line in lines] == shown[-len(lines) :]
    assert not any("fetched" in line or web.url in line for line in shown)


def test_a_second_fetch_changes_nothing(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a"), entry("b", html=f'<img src="{web.url}/a.jpg">')))
    web.pages["/a.jpg"] = Page(body=photo())
    fetch(root)
    plan = fetch(root)
    assert (fates(plan), plan.items, plan.pictures) == ({"A": "the same", "B": "the same"}, (), {})
    assert web.asked("/a.jpg") == ["GET"]


def test_an_entry_that_changed_changes_its_file_and_no_other(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a"), entry("b")))
    fetch(root)
    web.pages["/feed.xml"] = Page(body=feed(entry("b"), entry("a", html="<p>Other.</p>", title="Better")))
    plan = fetch(root)
    assert fates(plan) == {"B": "the same", "Better": "changed"}
    assert "Other." in file_of(root, "a").read_text()


def test_a_file_that_was_edited_is_never_overwritten(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a"), entry("b")))
    fetch(root)
    edited = {file_of(root, name): change for name, change in (("a", "Mine."), ("b", "Mine too."))}
    for path, words in edited.items():
        path.write_text(path.read_text().replace("Text.", words))
    web.pages["/feed.xml"] = Page(body=feed(entry("a"), entry("b", html="<p>Other.</p>")))
    before = {path: path.read_bytes() for path in edited}
    plan = fetch(root)
    assert [(item.fate, item.differs) for item in plan.sections[0].items] == [
        (ItemFate.EDITED, False),
        (ItemFate.EDITED, True),
    ]
    assert {path: path.read_bytes() for path in edited} == before


def test_a_file_that_is_edited_while_the_question_waits_is_not_overwritten(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a")))
    fetch(root)
    web.pages["/feed.xml"] = Page(body=feed(entry("a", html="<p>Other.</p>")))
    plan = fetch(root, writes=False)
    path = file_of(root, "a")
    path.write_text(path.read_text().replace("Text.", "Mine."))
    with pytest.raises(ConflictError, match="was changed in the meantime"):
        write_fetch(plan)
    assert "Mine." in path.read_text()


def test_what_is_gone_from_the_feed_stays_and_is_told(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a"), entry("b")))
    fetch(root)
    (root / "issues/2026-02/news/own.md").write_text("---\ntitle: Our own\n---\nText.\n")
    web.pages["/feed.xml"] = Page(body=feed(entry("b")))
    assert fates(fetch(root)) == {"B": "the same", "A": "gone"}
    assert [item.fields.title for item in issue_of(root).sections[-1].items] == ["A", "B", "Our own"]


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({"ETag": '"v1"', "Last-Modified": "Tue, 17 Feb 2026 09:00:00 GMT"}, {"If-None-Match": '"v1"'}),
        ({"Last-Modified": "Tue, 17 Feb 2026 09:00:00 GMT"}, {"If-Modified-Since": "Tue, 17 Feb 2026 09:00:00 GMT"}),
        ({"ETag": 'W/"a b"'}, {"If-None-Match": 'W/"a b"'}),
        ({}, {}),
    ],
)
def test_a_feed_that_has_not_changed_is_not_downloaded(
    root: Path, web: WebServer, headers: dict[str, str], sent: dict[str, str]
) -> None:
    web.pages["/feed.xml"] = Page(body=feed(*map(entry, "abc")), headers=headers)
    fetch(root)
    web.pages["/feed.xml"] = Page(status=304, body=b"")
    plan = fetch(root) if sent else fetch(root, writes=False)
    asked = {name: value for name, value in web.requests[-1].headers.items() if name.startswith("If-")}
    assert asked == sent
    assert plan.sections[0].is_unchanged


def test_the_server_is_asked_by_the_last_mark_that_it_gave(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(*map(entry, "abc")), headers={"ETag": '"v1"'})
    fetch(root)
    changed = feed(entry("a"), entry("b", html="<p>Other.</p>"), entry("c"))
    web.pages["/feed.xml"] = Page(body=changed, headers={"ETag": '"v2"'})
    fetch(root, now=NOW + timedelta(days=1))
    fetch(root)
    assert [request.headers.get("If-None-Match") for request in web.requests] == [None, '"v1"', '"v2"']


@pytest.mark.parametrize("change", ["deleted", "more"])
def test_a_feed_is_read_as_a_whole_if_something_is_missing(root: Path, web: WebServer, change: str) -> None:
    web.pages["/feed.xml"] = Page(body=feed(*map(entry, "abcd")), headers={"ETag": '"v1"'})
    fetch(root)
    if change == "deleted":
        file_of(root, "a").unlink()
    else:
        (root / NEWS).write_text((root / NEWS).read_text().replace("most: 3", "most: 4"))
    assert [item.title for item in fetch(root).items] == ["A" if change == "deleted" else "D"]
    assert "If-None-Match" not in web.requests[-1].headers


def test_images_are_saved_and_shown_as_wide_as_they_are_sharp(root: Path, web: WebServer) -> None:
    shown = f'<img src="{web.url}/a.jpg" alt="A [red] hall">'
    entries = (entry("a", html=shown), entry("b", html=f'<img src="{web.url}/b.png">'), entry("c"))
    web.pages |= {"/feed.xml": Page(body=feed(*entries)), "/a.jpg": Page(body=photo())}
    web.pages["/b.png"] = Page(body=photo(1200, "PNG"))
    fetch(root)
    pictures = {name.rpartition(".")[2]: picture for name, picture in issue_of(root).pictures.items()}
    assert {ending: picture.path.read_bytes() for ending, picture in pictures.items()} == {
        "jpg": photo(),
        "png": photo(1200, "PNG"),
    }
    assert r"![A \[red\] hall](images/fetched-" in file_of(root, "a").read_text()
    assert '.jpg "320 px")' in file_of(root, "a").read_text()
    assert '.png "decorative")' in file_of(root, "b").read_text()


def test_an_image_that_is_damaged_in_the_issue_is_not_shown_again(root: Path, web: WebServer) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a", html=f'<img src="{web.url}/a.jpg">')))
    web.pages["/a.jpg"] = Page(body=photo())
    (name,) = fetch(root).pictures
    file_of(root, "a").unlink()
    (root / "issues/2026-02" / name).write_bytes(b"no image")
    assert name not in fetch(root).items[0].after


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (Page(status=404), "the server answers 404"),
        (Page(body=b"<svg xmlns='http://www.w3.org/2000/svg' width='400' height='400'/>"), "it is a drawing"),
        (Page(body=b"<html>no image</html>"), ""),
        (Page(body=b"GIF89a" + bytes(50)), "damaged, or not an image"),
        (Page(body=photo(40)), None),  # an icon or a tracker
        (Page(status=302, location="http://169.254.169.254/latest/meta-data/"), "is inside a network"),
        (Page(body=gzip.compress(bytes(6_000_000)), headers={"Content-Encoding": "gzip"}), "larger than 5 MB"),
    ],
)
def test_an_item_comes_without_an_image_that_cannot_be_used(
    root: Path, web: WebServer, page: Page, told: str | None
) -> None:
    web.pages["/feed.xml"] = Page(body=feed(entry("a", html=f'<p>Text.</p><img src="{web.url}/a.jpg">')))
    web.pages["/a.jpg"] = page
    plan = fetch(root)
    assert (plan.pictures, issue_of(root).pictures) == ({}, {})
    assert "Text." in file_of(root, "a").read_text()
    assert [told is not None and told in note for note in plan.sections[0].notes] == ([] if told is None else [True])


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (Page(status=500), "the server answers 500"),
        (Page(body=b"<html><body>a page</body></html>"), "it is not an RSS or Atom feed"),
        (Page(body=photo()), "it is not an RSS or Atom feed"),
        (Page(status=302, location="http://10.0.0.1/feed.xml"), "is inside a network"),
        (Page(status=302, location="file:///etc/passwd"), "is not the address of a web page"),
        (Page(status=302, location="/feed.xml"), "redirected more than 3 times"),
        (Page(body=gzip.compress(bytes(6_000_000)), headers={"Content-Encoding": "gzip"}), "larger than 5 MB"),
    ],
)
def test_a_feed_that_cannot_be_used_is_told_at_its_line_and_the_others_are_read(
    root: Path, web: WebServer, page: Page, told: str
) -> None:
    (root / "issues/2026-02/issue.yaml").write_text(f"{ISSUE}  - news\n  - events\n")
    (root / "issues/2026-02/events").mkdir()
    (root / EVENTS).write_text(f"---\ntitle: Events\nitems: {{calendar: {web.url}/c.ics}}\n---\n")
    web.pages |= {"/feed.xml": page, "/c.ics": Page(body=calendar("DTSTART:20260301T090000Z"))}
    news, events = fetch(root).sections
    assert news.failure is not None
    assert news.failure.place == f"{NEWS}:5"
    assert told in news.failure.what
    assert [item.title for item in events.items] == ["Walk"]


def test_an_endless_answer_ends(root: Path) -> None:
    def endless(connection: object) -> None:
        read_request(connection)  # type: ignore[arg-type]
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")  # type: ignore[attr-defined]
        while True:
            connection.sendall(b"<rss>" * 10_000)  # type: ignore[attr-defined]

    with raw_server(endless) as port:
        (root / NEWS).write_text(f"---\ntype: community\nitems: {{feed: http://127.0.0.1:{port}/x}}\n---\n")
        failure = fetch(root).sections[0].failure
    assert failure is not None
    assert "larger than 5 MB" in failure.what


TOKENS = [MergeField(name).token for name in ("email", "first_name", *LINK_FIELDS)]
HOSTILE = [
    *("{{ email }}", "{% if x %}", "{# x", "*|EMAIL|*", "%%email%%", *TOKENS[:3], "&#123;&#123; email }}"),
    *(
        r"a\: b",
        r"\:",
        "*all* of `it`",
        "[x](https://evil.example.org)",
        "![x](images/a.jpg)",
        "<b>b</b>",
        "<!-- x -->",
    ),
    *(
        "&amp;",
        "&lt;b&gt;",
        ":smile:",
        "2^10^",
        "==x==",
        "# a",
        "- a",
        "1. a",
        "> a",
        "| a | b |",
        "---",
        "'",
        '"',
        "—",
    ),
    *(
        "a: b # c",
        "@x",
        "&x",
        "!x",
        "%x",
        "`",
        "~~x",
        "[^1]",
        "{lang=es}",
        "www.example.org",
        "a\u202eb",
        "\u2028",
        "：a",
    ),
]


@pytest.mark.parametrize("words", HOSTILE)
def test_a_title_and_a_text_are_only_words(root: Path, web: WebServer, words: str) -> None:
    """Of a title, the loaded issue has exactly the visible characters. No text is a merge field or an image."""
    web.pages["/feed.xml"] = Page(body=feed(entry("a", html=f"<p>{escape(words)}</p>", title=f"A {words} z")))
    plan = fetch(root)
    issue = issue_of(root)
    (item,) = issue.sections[-1].items
    without = str.maketrans("", "", " \u202e\u2028")
    assert item.fields.title.translate(without) == f"A {words} z".translate(without)
    assert issue.merge_fields[:1] == issue.merge_fields  # that of the letter
    assert not issue.pictures
    assert not any(token in plan.items[0].after for token in TOKENS)
    assert plan.sections[0].notes == ()


@pytest.mark.parametrize("text", ["{{{{ email }}}}", "{}", "[x](https://evil.example.org/?w={})"])
def test_a_text_with_a_merge_field_would_be_written_without_it(root: Path, text: str) -> None:
    """No feed can lead to such a text today. If one could, its item would have only bare words."""
    config, folder = load_config(root), root / "issues/2026-02"
    files = FetchedFiles(config, folder, issue_of(root), lambda *_: Download(url="", content=b""))
    spelled = "".join(f"&#{ord(sign)};" for sign in TOKENS[0])
    incoming = IncomingEntry(key="0a1b", title="A", text=text.format(spelled), bare_text="Bare.")
    written = files.text_of(incoming, Taken(origin="https://x.org/a", at=NOW), "news/a-0a1b.md", downloads=False)
    assert written is not None
    assert written.endswith("---\n\nBare.\n")


@given(content=texts(FEEDS, PIECES))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_feed_says_the_issue_can_still_be_loaded(root: Path, web: WebServer, content: bytes) -> None:
    web.pages["/feed.xml"] = Page(body=content)
    for old in {*(root / "issues/2026-02/news").iterdir()} - {root / NEWS}:
        old.unlink()
    plan = fetch(root)
    items = issue_of(root).sections[-1].items
    assert len(items) == len(plan.items)
    assert fates(fetch(root, writes=False)).keys() == fates(plan).keys()


def calendar(*lines: str, uid: str = "walk") -> bytes:
    event = ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", "SUMMARY:Walk", *lines, "END:VEVENT")
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *event, "END:VCALENDAR", ""]).encode()


@pytest.fixture
def with_calendar(root: Path, web: WebServer) -> Callable[..., FetchPlan]:
    """Fetches events from a calendar with these lines."""
    (root / "issues/2026-02/issue.yaml").write_text(f"{ISSUE}  - events\n")
    (root / "issues/2026-02/events").mkdir()
    (root / EVENTS).write_text(f"---\ntitle: Events\nitems: {{calendar: {web.url}/c.ics, days: 30}}\n---\n")

    def fetched(*lines: str) -> FetchPlan:
        web.pages["/c.ics"] = Page(body=calendar(*lines))
        return fetch(root)

    return fetched


def test_an_event_that_moves_stays_the_same_event(root: Path, with_calendar: Callable[..., FetchPlan]) -> None:
    with_calendar("DTSTART;TZID=Europe/Paris:20260301T090000")
    uids = [issue_of(root).sections[-1].items[0].uid]
    plan = with_calendar("DTSTART;TZID=Europe/Paris:20260302T090000")
    (item,) = issue_of(root).sections[-1].items
    assert [each.fate for each in plan.sections[0].items] == [ItemFate.CHANGED]
    assert item.fields.first_day == date(2026, 3, 2)
    assert uids == [item.uid]


def test_an_event_is_known_by_its_id_if_its_file_is_renamed(
    root: Path, with_calendar: Callable[..., FetchPlan]
) -> None:
    with_calendar("DTSTART:20260301T090000Z")
    file_of(root, "walk", "events").rename(root / "issues/2026-02/events/spring-walk.md")
    plan = with_calendar("DTSTART:20260302T090000Z")
    assert [(item.name, item.fate) for item in plan.items] == [("events/spring-walk.md", ItemFate.CHANGED)]


def test_a_calendar_is_always_read(root: Path, web: WebServer, with_calendar: Callable[..., FetchPlan]) -> None:
    """For another date of the issue, it has other next events."""
    with_calendar("DTSTART:20260501T090000Z")  # none yet
    (root / EVENTS).write_text((root / EVENTS).read_text().replace("days: 30", "most: 1"))
    web.pages["/c.ics"] = Page(body=calendar("DTSTART:20260301T090000Z"), headers={"ETag": '"v1"'})
    fetch(root)
    fetch(root)
    assert "If-None-Match" not in web.requests[-1].headers


def test_what_takes_too_long_to_read_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, root: Path, web: WebServer
) -> None:
    monkeypatch.setattr(workflow, "_READING_SECONDS", 0.0)
    web.pages["/feed.xml"] = Page(body=feed(entry("a")))
    failure = fetch(root).sections[0].failure
    assert failure is not None
    assert "it takes too long to read" in failure.what


def test_an_event_that_is_canceled_is_marked_and_a_new_one_is_not_taken(
    root: Path, with_calendar: Callable[..., FetchPlan]
) -> None:
    canceled = ("DTSTART:20260301T090000Z", "STATUS:CANCELLED")
    assert with_calendar(*canceled).items == ()
    with_calendar(canceled[0])
    with_calendar(*canceled)
    assert issue_of(root).sections[-1].items[0].fields.status == "canceled"


def test_only_the_next_days_of_a_calendar_are_taken(with_calendar: Callable[..., FetchPlan]) -> None:
    assert with_calendar("DTSTART:20260401T090000Z").items == ()
    assert with_calendar("DTSTART:20260218T090000Z").items == ()


def test_an_issue_without_such_a_section_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no section of issues/2026-02 takes its items from a feed"):
        fetch(write_workspace(tmp_path))


def test_an_issue_with_mistakes_is_not_fetched(root: Path, web: WebServer) -> None:
    (root / NEWS).write_text(f"---\ntype: community\nitems: {{feed: {web.url}/feed.xml, most: 99}}\n---\n")
    with pytest.raises(MistakesError, match=f"{NEWS}:3: items › most: the number is too large; write 20 or less"):
        fetch(root)
    assert web.requests == []


def test_a_copied_issue_takes_new_items_and_keeps_the_events_to_come(
    root: Path, web: WebServer, with_calendar: Callable[..., FetchPlan]
) -> None:
    (root / "issues/2026-02/issue.yaml").write_text(f"{ISSUE}  - news\n  - events\n")
    web.pages["/feed.xml"] = Page(body=feed(entry("a")))
    (root / "issues/2026-02/news/own.md").write_text("---\ntitle: Our own\n---\nText.\n")
    with_calendar("DTSTART:20260301T090000Z", "DTEND:20260301T100000Z", "RRULE:FREQ=DAILY;COUNT=3")
    copy = new_issue(
        load_config(root), "2026-03", source="2026-02", issue_date=date(2026, 3, 2), today=date(2026, 2, 1)
    )
    assert sorted(path.name for path in (copy / "news").iterdir()) == ["index.md", "own.md"]
    assert len(list((copy / "events").glob("walk-*.md"))) == 2
