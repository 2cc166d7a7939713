"""What a file is, by its path."""

import pytest

from newsletter.destinations.site_kinds import WritingOrder, headers_of, order_of


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("i/abc.png", WritingOrder.ASSET),
        ("style.css", WritingOrder.ASSET),
        ("2026-02/index.html", WritingOrder.PAGE),
        ("2026-02/es/index.html", WritingOrder.PAGE),
        ("events/walk.ics", WritingOrder.PAGE),
        ("2026-02/events.ics", WritingOrder.PAGE),
        ("pagefind/pagefind.js", WritingOrder.SEARCH),
        ("index.html", WritingOrder.INDEX),
        ("pt-BR/index.html", WritingOrder.INDEX),
        ("es/feed.xml", WritingOrder.FEED),
        ("calendar.ics", WritingOrder.FEED),
        ("sitemap.xml", WritingOrder.FEED),
        ("_redirects", WritingOrder.FEED),
    ],
)
def test_files_are_written_after_what_they_lead_to(path: str, order: WritingOrder) -> None:
    assert order_of(path) is order


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("a.webp", "image/webp"),
        ("a.AVIF", "image/avif"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("es/feed.json", "application/feed+json; charset=utf-8"),
        ("data.json", "application/json"),
        ("es/atom.xml", "application/atom+xml; charset=utf-8"),
        ("sitemap.xml", "application/xml; charset=utf-8"),
        ("_redirects", "text/plain; charset=utf-8"),
        ("unknown.xyz", "application/octet-stream"),
    ],
)
def test_the_media_type_does_not_depend_on_the_machine(path: str, content_type: str) -> None:
    assert headers_of(path).content_type == content_type


def test_only_names_with_a_hash_are_kept_for_long() -> None:
    kept = ["i/abc.png", "pagefind/index/en_1.pf_index", "pagefind/pagefind.en_9.pf_meta"]
    fresh = ["index.html", "2026-02/i/x.html", "pagefind/pagefind.js", "pagefind/wasm.en.pagefind", "calendar.ics"]
    assert {headers_of(path).cache_control for path in kept} == {"public, max-age=31536000, immutable"}
    assert {headers_of(path).cache_control for path in fresh} == {"max-age=300"}
