import pytest

from newsletter.model import site_addresses as addresses


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (addresses.index_path(), "https://letters.example.org/a/"),
        (addresses.index_path("es"), "https://letters.example.org/a/es/"),
        (addresses.issue_path("2026-02"), "https://letters.example.org/a/2026-02/"),
        (addresses.issue_path("2026-02", "pt-BR"), "https://letters.example.org/a/2026-02/pt-BR/"),
        (addresses.issue_path("二月"), "https://letters.example.org/a/%E4%BA%8C%E6%9C%88/"),
        (addresses.event_path("2026-02-course"), "https://letters.example.org/a/events/2026-02-course/"),
        (addresses.event_calendar_path("2026-02-course"), "https://letters.example.org/a/events/2026-02-course.ics"),
        (addresses.issue_calendar_path("2026-02"), "https://letters.example.org/a/2026-02/events.ics"),
        (addresses.feed_path(addresses.ATOM, "ja"), "https://letters.example.org/a/ja/atom.xml"),
        (addresses.picture_path("cup-0123456789ab.png"), "https://letters.example.org/a/i/cup-0123456789ab.png"),
        (addresses.SITEMAP, "https://letters.example.org/a/sitemap.xml"),
    ],
)
def test_a_page_ends_in_a_slash_and_other_files_in_their_names(path: str, address: str) -> None:
    assert addresses.address_of("https://letters.example.org/a", path) == address
