"""No website but the studio's own pages can send it anything, whatever a browser or a program writes into a request."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.studio.conftest import ServedStudio

OWN, OTHER_PORT = "http://127.0.0.1:{port}", "http://127.0.0.1:1"
HOST = ("Host", "127.0.0.1:{port}")
ORIGIN = ("Origin", OWN)
SAME = ("Sec-Fetch-Site", "same-origin")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
TAKEN, REFUSED, NOT_OURS = 200, 403, 400


def ask(studio: ServedStudio, method: str, path: str, headers: list[tuple[str, str]], body: bytes = b"") -> str:
    """The whole answer to a request that is written byte by byte, so that nothing puts it right on the way."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value.format(port=studio.port)}" for name, value in headers)]
    lines += ["Connection: close", f"Content-Length: {len(body)}"]
    with socket.create_connection(("127.0.0.1", studio.port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def status_of(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


@pytest.fixture
def token(served: ServedStudio) -> str:
    """The token in the studio's page."""
    found = re.search(r'name="token" value="([^"]+)"', ask(served, "GET", "/2026-02/", [HOST]))
    assert found is not None
    return found[1]


def look_up(studio: ServedStudio, headers: list[tuple[str, str]], token: str) -> str:
    body = urlencode({"token": token, "who": "maria@example.org"}).encode()
    return ask(studio, "POST", "/2026-02/readers", [*headers, FORM], body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([HOST, ORIGIN, SAME], TAKEN),
        ([HOST, ORIGIN], TAKEN),
        ([HOST, SAME], TAKEN),
        ([("Host", "localhost:{port}"), ("Origin", "http://localhost:{port}"), SAME], TAKEN),
        ([("Host", "[::1]:{port}"), ("Origin", "http://[::1]:{port}"), SAME], TAKEN),
        # A browser would have said where the page is from.
        ([HOST], REFUSED),
        ([HOST, ("Origin", "null")], REFUSED),
        ([HOST, ("Origin", "null"), SAME], REFUSED),
        ([HOST, ("Origin", "")], REFUSED),
        ([HOST, ("Origin", OTHER_PORT)], REFUSED),
        ([HOST, ("Origin", OTHER_PORT), SAME], REFUSED),
        ([HOST, ("Origin", "http://localhost:{port}"), SAME], REFUSED),
        ([HOST, ("Origin", "https://127.0.0.1:{port}"), SAME], REFUSED),
        ([HOST, ("Origin", "http://127.0.0.1"), SAME], REFUSED),
        ([HOST, ("Origin", "http://evil.example"), SAME], REFUSED),
        ([HOST, ("Origin", OWN + ".evil.example"), SAME], REFUSED),
        ([HOST, ORIGIN, ("Origin", "http://evil.example"), SAME], REFUSED),
        ([HOST, ORIGIN, ("Sec-Fetch-Site", "same-site")], REFUSED),
        ([HOST, ORIGIN, ("Sec-Fetch-Site", "cross-site")], REFUSED),
        ([HOST, ORIGIN, ("Sec-Fetch-Site", "none")], REFUSED),
        ([HOST, ("Sec-Fetch-Site", "none")], REFUSED),
        ([HOST, ORIGIN, SAME, ("Sec-Fetch-Site", "cross-site")], REFUSED),
        # A foreign name that resolves to this machine (DNS rebinding).
        ([("Host", "evil.example:{port}"), ("Origin", "http://evil.example:{port}"), SAME], NOT_OURS),
        ([("Host", "127.0.0.1.evil.example"), ("Origin", "http://127.0.0.1.evil.example"), SAME], NOT_OURS),
        ([("Host", "[::2]:{port}"), ("Origin", "http://[::2]:{port}"), SAME], NOT_OURS),
        ([("Host", "127.0.0.1:{port}@evil.example"), SAME], NOT_OURS),
        ([("Host", "evil.example:{port}"), ORIGIN, SAME], NOT_OURS),
        ([SAME], NOT_OURS),
        ([HOST, ("Host", "evil.example"), ORIGIN, SAME], NOT_OURS),
    ],
)
def test_a_form_is_taken_from_the_studios_own_pages_alone(
    served: ServedStudio, token: str, headers: list[tuple[str, str]], status: int
) -> None:
    answer = look_up(served, headers, token)
    assert status_of(answer) == status
    assert ("reader=" in answer) == (status == TAKEN)


@pytest.mark.parametrize("wrong", ["", "wrong", "prefix", "longer", "\N{SNOWMAN}"])
def test_a_form_without_this_starts_token_is_refused(served: ServedStudio, token: str, wrong: str) -> None:
    wrong = {"prefix": token[:-1], "longer": f"{token}A"}.get(wrong, wrong)
    assert status_of(look_up(served, [HOST, ORIGIN, SAME], wrong)) == REFUSED


def test_the_token_counts_in_the_form_alone(served: ServedStudio, token: str) -> None:
    headers, who = [HOST, ORIGIN, SAME, FORM], b"who=maria%40example.org"
    assert status_of(ask(served, "POST", "/2026-02/readers", headers, who + f"&token={token}".encode())) == TAKEN
    assert status_of(ask(served, "POST", f"/2026-02/readers?token={token}", headers, who)) == REFUSED


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "UNHEARD-OF"])
def test_no_unsafe_method_gets_past_without_an_origin(served: ServedStudio, token: str, method: str) -> None:
    body = urlencode({"token": token, "who": "maria@example.org"}).encode()
    assert status_of(ask(served, method, "/2026-02/readers", [HOST, FORM], body)) == REFUSED


@pytest.mark.parametrize("path", ["/", "/2026-02/", "/2026-02/mail.html", "/2026-02/events", "/-/files/studio.js"])
def test_no_page_is_shown_under_a_foreign_name(served: ServedStudio, path: str) -> None:
    answer = ask(served, "GET", path, [("Host", "evil.example:{port}")])
    assert status_of(answer) == NOT_OURS
    assert "letter" not in answer


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], TAKEN),
        ([SAME, ("Sec-Fetch-Dest", "empty")], TAKEN),
        ([("Sec-Fetch-Site", "none"), ("Sec-Fetch-Dest", "document")], TAKEN),
        ([("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "document")], TAKEN),  # a link
        ([("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "image")], REFUSED),
        ([("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Dest", "iframe")], REFUSED),  # another port of this machine
        ([("Sec-Fetch-Site", "cross-site")], REFUSED),
        ([SAME, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", "empty")], REFUSED),
    ],
)
@pytest.mark.parametrize("path", ["/2026-02/", "/2026-02/mail.html", "/-/setup/domain"])
def test_no_page_of_another_site_makes_the_studio_work_behind_the_scenes(
    served: ServedStudio, path: str, headers: list[tuple[str, str]], status: int
) -> None:
    assert status_of(ask(served, "GET", path, [HOST, *headers])) == status


def test_a_websocket_is_no_way_in(served: ServedStudio) -> None:
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")]
    headers = [HOST, *upgrade, ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")]
    assert status_of(ask(served, "GET", "/2026-02/", headers)) == 200


@pytest.mark.parametrize("has_script", [True, False])
def test_the_studios_own_form_shows_the_subscriber(browser: Browser, served: ServedStudio, has_script: bool) -> None:
    page = browser.new_page(java_script_enabled=has_script)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.url}2026-02/?scheme=dark")
    page.locator("#reader summary").click()
    page.get_by_label("Find a subscriber").fill("maria@example.org")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Maria Silva").click()
    expect(page.locator("#whom")).to_contain_text("Maria Silva")
    expect(page.frame_locator("#desktop").get_by_text("Dear Maria,")).to_be_attached()
    assert re.search(r"/2026-02/\?scheme=dark&reader=[\w-]+$", page.url)
    assert "maria" not in (page.title() + "".join(asked)).lower()


@contextmanager
def website(html: str, headers: dict[str, str]) -> Iterator[str]:
    """A page on another port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in {"Content-Type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def press(page: Page, address: str, studio: ServedStudio) -> list[int]:
    """What the studio answers when the button on a page is pressed; the page itself may not be told."""
    page.goto(address)
    with page.expect_event("requestfinished", lambda request: request.method == "POST"):
        page.get_by_role("button").click()
    return studio.posted


@pytest.mark.parametrize(
    "headers", [{}, {"Referrer-Policy": "no-referrer"}, {"Content-Security-Policy": "sandbox allow-forms"}]
)
def test_another_websites_form_is_refused_even_with_the_token(
    browser: Browser, served: ServedStudio, token: str, headers: dict[str, str]
) -> None:
    form = f"""<form method="post" action="{served.url}2026-02/readers">
        <input name="token" value="{token}"><input name="who" value="maria@example.org"><button>Win</button></form>"""
    with website(form, headers) as address:
        assert press(browser.new_page(), address, served) == [REFUSED]


def test_another_websites_script_is_refused_even_with_the_token(
    browser: Browser, served: ServedStudio, token: str
) -> None:
    script = f"""<button onclick="fetch('{served.url}2026-02/readers', {{method: 'POST', mode: 'no-cors',
        body: new URLSearchParams('token={token}&who=maria@example.org')}})">Win</button>"""
    with website(script, {}) as address:
        page = browser.new_page()
        page.goto(address)
        with page.expect_event("requestfailed"):  # it may not read the answer either
            page.get_by_role("button").click()
        assert served.posted == [REFUSED]
