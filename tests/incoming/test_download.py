"""Downloads from a hostile server: everything ends, and nothing inside a network is asked."""

import gzip
import socket
import zlib
from contextlib import suppress
from ipaddress import ip_address

import pytest

from newsletter.errors import FaultError
from newsletter.incoming.download import Download, download
from tests.fakes.raw_server import answering, raw_server, read_request
from tests.fakes.web_server import Page, WebServer


def fetched(url: str, *, seconds: float = 10.0, **validators: str) -> Download:
    """Download from a server of the tests, which is on loopback."""
    return download(
        url, agent="test", is_allowed=lambda address: ip_address(address).is_loopback, seconds=seconds, **validators
    )


def test_a_feed_is_downloaded_with_what_says_that_it_has_not_changed() -> None:
    with WebServer() as web:
        web.pages["/feed.xml"] = Page(body=b"<rss/>", headers={"ETag": '"a"', "Last-Modified": "Tue, 01 Dec 2026"})
        found = fetched(f"{web.url}/feed.xml")
        assert (found.content, found.etag, found.modified) == (b"<rss/>", '"a"', "Tue, 01 Dec 2026")
        web.pages["/feed.xml"] = Page(status=304, body=b"")
        assert fetched(f"{web.url}/feed.xml", etag=found.etag, modified=found.modified).content is None
        sent = web.requests[-1].headers
        assert (sent["If-None-Match"], sent["If-Modified-Since"]) == ('"a"', "Tue, 01 Dec 2026")


def test_a_validator_cannot_add_a_header() -> None:
    with WebServer() as web:
        web.pages["/x"] = Page()
        fetched(f"{web.url}/x", etag='"a"\r\nX-Bad: 1')
        assert "If-None-Match" not in web.requests[0].headers


def test_three_redirects_are_followed_and_no_more() -> None:
    with WebServer() as web:
        for number in range(5):
            web.pages[f"/{number}"] = Page(status=302, location=f"/{number + 1}")
        web.pages["/3"] = Page(body=b"here")
        assert fetched(f"{web.url}/0").url == f"{web.url}/3"
        web.pages["/3"] = Page(status=302, location="/4")
        with pytest.raises(FaultError, match="redirected more than 3 times"):
            fetched(f"{web.url}/0")
        assert web.asked("/4") == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost:80/x",
        "http://feeds.localhost/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://2130706433/x",
        "http://0x7f.1/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/x",
        "http://192.168.1.1/x",
        "http://100.64.0.1/x",
        "http://0.0.0.0/x",
        "http://[fe80::1]/x",
        "http://[fd00::1]/x",
        "http://224.0.0.1/x",
    ],
)
def test_no_address_inside_a_network_is_asked(url: str) -> None:
    with pytest.raises(FaultError, match="is inside a network"):
        download(url, agent="test")


def test_the_host_of_each_redirect_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with WebServer() as web, WebServer() as inside:
        inside.pages["/secret"] = Page(body=b"secret")
        web.pages["/feed"] = Page(status=302, location=f"http://127.0.0.2:{inside.port}/secret")
        with pytest.raises(FaultError, match=r"inside a network \(127\.0\.0\.2\)"):
            download(f"{web.url}/feed", agent="test", is_allowed=lambda address: address == "127.0.0.1")
        assert inside.requests == []


def test_a_name_with_one_address_inside_a_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(host: str, *_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", (address, 0)) for address in ("93.184.215.14", "10.0.0.7")]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(FaultError, match=r"feeds\.example\.org is inside a network \(10\.0\.0\.7\)"):
        download("https://feeds.example.org/x", agent="test")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = socket.getaddrinfo

    def found(host: str, *args: object, **keywords: object) -> object:
        if host != "feeds.example.org":
            return original(host, *args, **keywords)  # type: ignore[arg-type]
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with WebServer() as web:
        web.pages["/x"] = Page(body=b"here")
        assert fetched(f"http://feeds.example.org:{web.port}/x").content == b"here"
    assert len(asked) == 1


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/x", "https://", "x", "http://[x", "http://a b/"]
)
def test_only_addresses_of_web_pages_are_asked(url: str) -> None:
    with pytest.raises(FaultError):
        download(url, agent="test", is_allowed=lambda _address: False)


def test_a_redirect_to_a_file_is_refused() -> None:
    with WebServer() as web:
        web.pages["/x"] = Page(status=302, location="file:///etc/passwd")
        with pytest.raises(FaultError, match="is not the address of a web page"):
            fetched(f"{web.url}/x")


def test_an_endless_body_ends_at_five_megabytes() -> None:
    def meet(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
        with suppress(OSError):
            while True:
                connection.sendall(b"x" * 100_000)

    with raw_server(meet) as port, pytest.raises(FaultError, match="larger than 5 MB"):
        fetched(f"http://127.0.0.1:{port}/")


def test_a_bomb_ends_at_five_megabytes() -> None:
    packed = gzip.compress(b"\0" * 200_000_000, compresslevel=1)
    with WebServer() as web:
        web.pages["/x"] = Page(body=packed, headers={"Content-Encoding": "gzip"})
        with pytest.raises(FaultError, match="larger than 5 MB"):
            fetched(f"{web.url}/x")


@pytest.mark.parametrize(
    ("encoding", "body", "told"),
    [
        ("gzip", b"no gzip", "damaged"),
        ("gzip", gzip.compress(b"x" * 1000)[:-12], "incomplete|damaged"),
        ("br", b"x", "compressed as 'br'"),
        ("deflate", zlib.compress(b"x"), "compressed as 'deflate'"),
    ],
    ids=["no gzip", "cut", "br", "deflate"],
)
def test_a_damaged_answer_is_explained(encoding: str, body: bytes, told: str) -> None:
    with WebServer() as web:
        web.pages["/x"] = Page(body=body, headers={"Content-Encoding": encoding})
        with pytest.raises(FaultError, match=told):
            fetched(f"{web.url}/x")


def test_a_compressed_answer_is_unpacked() -> None:
    with WebServer() as web:
        web.pages["/x"] = Page(body=gzip.compress(b"<rss/>"), headers={"Content-Encoding": "gzip"})
        assert fetched(f"{web.url}/x").content == b"<rss/>"


def test_a_server_that_sends_one_byte_at_a_time_has_the_same_deadline() -> None:
    def meet(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        connection.settimeout(0.01)
        with suppress(OSError):
            while True:
                connection.sendall(b"x")
                with suppress(TimeoutError):
                    connection.recv(1)

    with raw_server(meet) as port, pytest.raises(FaultError, match=r"no complete answer within 0\.3 seconds"):
        fetched(f"http://127.0.0.1:{port}/", seconds=0.3)


def test_huge_headers_are_refused() -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"x" * 200_000 + b"\r\n\r\nbody"
    with raw_server(answering(answer)) as port, pytest.raises(FaultError, match="no complete answer"):
        fetched(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("status", [404, 410, 500])
def test_an_answer_without_a_feed_is_told(status: int) -> None:
    with WebServer() as web:
        web.pages["/x"] = Page(status=status)
        with pytest.raises(FaultError, match=f"the server answers {status}"):
            fetched(f"{web.url}/x")
