"""What is read of feeds, and what of them never gets into an issue."""

from datetime import UTC, datetime

import pytest

from newsletter.content.markdown import parse_markdown
from newsletter.errors import FaultError
from newsletter.incoming.entries import IncomingEntry, IncomingPicture, entries_of_feed, markdown_of, one_line, web_link
from newsletter.model.slots import MERGE_TOKEN, OWN_FIELDS, token_of

URL = "https://example.org/blog/feed.xml"
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Blog</title><link>https://example.org/</link><description>d</description>
<item><guid>one</guid><title>First &amp;amp; last</title><link>/one</link>
<description><![CDATA[{}]]></description></item>
<item><guid>two</guid><title>Second</title><link>javascript:alert(1)</link></item>
<item><guid>three</guid><title>Third</title></item></channel></rss>"""


def feed(html: str = "<p>Text</p>", most: int = 5) -> tuple[IncomingEntry, ...]:
    return entries_of_feed(RSS.format(html).encode(), URL, most).entries


def test_the_first_entries_of_a_feed_are_read_with_whole_links() -> None:
    first, second = feed("<p>Text <b>bold</b></p>", 2)
    assert (first.title, first.link, first.text) == ("First & last", "https://example.org/one", "Text **bold**")
    assert (second.title, second.link, second.text) == ("Second", "", "")


def test_an_entry_has_the_same_key_each_time() -> None:
    keys = [[entry.key for entry in feed(html)] for html in ("a", "b")]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


@pytest.mark.parametrize("content", [b"", b"<html><body>no feed</body></html>", b"\0\xff", b"{}"])
def test_what_is_no_feed_is_told(content: bytes) -> None:
    with pytest.raises(FaultError, match="not an RSS or Atom feed"):
        entries_of_feed(content, URL, 5)


def test_entities_are_not_expanded_and_no_file_is_read(tmp_path: object) -> None:
    bomb = '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    content = f'{bomb}<!ENTITY file SYSTEM "file:///etc/passwd">]>' + RSS.format("&j;&file;").partition("?>")[2]
    for entry in entries_of_feed(content.replace("<title>Third", "<title>&j;&file;Third").encode(), URL, 5).entries:
        assert "root:" not in entry.title + entry.text
        assert len(entry.title + entry.text) < 2_000


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ('<a href="https://example.org/x">x</a>', "[x](https://example.org/x)"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ("<script>alert(1)</script>text<style>p{}</style>", "text"),
        ('<div style="display: none">hidden</div>shown', "shown"),
        ('<img src="https://t.example/1.gif" width=1 height=1>text', "text"),
        ("<table><tr><td>cell</td></tr></table>", "cell"),
        ("Hi {{ first_name }} *|FNAME|*", r"Hi { { first\_name } } \* \|FNAME\| \*"),
        ("{% if x %} %%email%%", "{ % if x % } % %email% %"),
        ("{<b></b>{ x }<i></i>}", "{ { x } }"),
        ("&lt;script&gt;", r"\<script\>"),
        ("&amp;#109;fq", r"\&#109;fq"),
        ("[x](https://example.org)", r"\[x\](https://example.org)"),
        ('<a href="https://a.example.org/b_(c)">x</a>', "[x](https://a.example.org/b_%28c%29)"),
        ('<a href="https://a.example.org/)![y](images/z.png">x</a>', "[x](https://a.example.org/%29!%5By%5D%28images/z.png)"),
        ('<a href="https://a.example.org/?b=&amp;#109;">x</a>', "x"),
        ("a\u202eb\u200bc\ue000d", "abcd"),
        ('<a href="https://example.org/?a={{x}}">x</a>', "x"),
        ("<h1>Head</h1>", "Head"),
        ("a*b_c", r"a\*b\_c"),
        ("", ""),
        ("\x00", ""),
        ('a<\x01a href="https://example.org">b\x1f', "a[b](https://example.org)"),
    ],
)  # fmt: skip
def test_html_becomes_markdown_without_what_does_harm(html: str, text: str) -> None:
    assert markdown_of(html) == text


def test_a_long_text_ends_with_a_paragraph() -> None:
    text = markdown_of("".join(f"<p>{'word ' * 50}{number}</p>" for number in range(50)))
    assert len(text) <= 1_500
    assert text.endswith("word 4")


def test_a_bare_text_has_nothing_that_could_be_markdown() -> None:
    html = '<p>*a* :smile: 2^10^ <a href="https://example.org"><b>b</b></a></p><ul><li>c</li></ul>'
    assert markdown_of(html, is_bare=True) == r"\*a\* \:smile\: 2\^10\^ b" + "\n\n- c"


def as_parsed(text: str) -> str:
    """All words and addresses of a Markdown text, as its parser reads them."""
    children = [child for block in parse_markdown(text, path="").prose.tokens for child in block.children or []]
    return " ".join(f"{child.content} {child.attrs.get('href', '')}" for child in children)


@pytest.mark.parametrize("text", ["{}", "<b>{}</b>", '<a href="https://evil.example.org/?who={}">x</a>'])
def test_the_tokens_of_our_own_merge_fields_do_not_get_in(text: str) -> None:
    """Who knows this program can compute them. A link with one would carry each reader's address away."""
    for token in (*(field.token for field in OWN_FIELDS), token_of("email", 24)):
        for written in (token, f"{token[:9]}<i></i>{token[9:]}", f"{token[:9]}\u200b{token[9:]}"):
            assert token not in markdown_of(text.format(written))
            assert token not in one_line(text.format(written))
            entities = "".join(f"&amp;#{ord(sign)};" for sign in token)
            assert not MERGE_TOKEN.search(as_parsed(markdown_of(text.format(entities))))
        assert web_link(f"https://evil.example.org/?who={token}") == ""


def test_the_image_of_an_entry_is_the_stated_one_or_the_first_in_its_text() -> None:
    tracker = '<img src="https://t.example.org/1.gif" width="1" height="1">'
    first, *_ = feed(f'{tracker}<img src="/a.jpg" alt="A [red] hall"><img src="/b.jpg">')
    assert first.picture == IncomingPicture(url="https://example.org/a.jpg", alt="A [red] hall")
    assert feed(tracker)[0].picture is None
    assert feed('<img src="javascript:alert(1)"><img src="data:image/png;base64,x">')[0].picture is None
    media = RSS.replace(
        "<guid>one", '<enclosure url="https://example.org/c.jpg" type="image/jpeg" length="1"/><guid>one'
    )
    stated, *_ = entries_of_feed(media.format('<img src="https://example.org/c.jpg" alt="C">').encode(), URL, 5).entries
    assert stated.picture == IncomingPicture(url="https://example.org/c.jpg", alt="C")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Tue, 17 Feb 2026 09:00:00 +0100", datetime(2026, 2, 17, 8, tzinfo=UTC)),
        ("Tue, 17 Feb 9999 09:00:00 GMT", None),
        ("yesterday", None),
    ],
)
def test_the_time_of_publication_is_read(written: str, read: datetime | None) -> None:
    dated = RSS.replace("<guid>one", f"<pubDate>{written}</pubDate><guid>one").format("a")
    assert entries_of_feed(dated.encode(), URL, 1).entries[0].published == read
