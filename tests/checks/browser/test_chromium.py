"""The browser: what it shows, what it cannot reach, and that nothing of it stays."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.checks.browser.chromium import PreferredScheme, Viewport, look, opened_browser
from newsletter.model.rendered import Picture
from tests.fakes.web_server import WebServer
from tests.render.conftest import picture_bytes

PICTURE = Picture(
    name="cup-0123456789ab.png", content_type="image/png", content=picture_bytes(30, 20), width=30, height=20
)

MAIL = """<!doctype html><html lang="en"><head><title>A mail</title><style>
p {{ color: rgb(1, 1, 1); }} @media (prefers-color-scheme: dark) {{ p {{ color: rgb(2, 2, 2); }} }}
@media (max-width: 400px) {{ p {{ color: rgb(3, 3, 3); }} }}
</style></head><body><p>Words</p><img id="own" src="cid:cup-0123456789ab.png@newsletter">
<img id="other" src="{elsewhere}/picture.png"><script>document.title = "changed"</script></body></html>"""


@pytest.fixture(autouse=True)
def temporary_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where all that a browser leaves behind would be; its path is short, as a socket of the browser's needs it."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(folder)


def test_a_mail_is_shown_with_its_own_pictures_reaches_nothing_and_leaves_nothing(temporary_folder: Path) -> None:
    with WebServer() as server, opened_browser([PICTURE]) as window:
        with window.showing(MAIL.format(elsewhere=server.url)) as page:
            widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
            title = page.title()
        asked = server.requests

    assert widths == [30, 0]
    assert title == "A mail"  # no script in an email runs
    assert asked == []
    assert list(temporary_folder.iterdir()) == []


def test_a_page_is_looked_at_by_day_by_night_and_on_a_phone() -> None:
    with opened_browser([PICTURE]) as window, window.showing(MAIL.format(elsewhere="")) as page:
        colors = []
        for width, scheme in ((640, PreferredScheme.LIGHT), (640, PreferredScheme.DARK), (360, PreferredScheme.LIGHT)):
            look(page, Viewport(width=width, scheme=scheme))
            colors.append(page.evaluate("getComputedStyle(document.querySelector('p')).color"))

    assert colors == ["rgb(1, 1, 1)", "rgb(2, 2, 2)", "rgb(3, 3, 3)"]


def test_a_browser_is_ended_when_the_looking_fails(temporary_folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), opened_browser([PICTURE]):
        raise KeyboardInterrupt
    assert list(temporary_folder.iterdir()) == []
