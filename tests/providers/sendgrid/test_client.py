"""Requests to SendGrid's API end in a value, in time, whatever the other side does; what the library must be like."""

import inspect
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPMessage
from io import BytesIO
from threading import Event, Thread
from urllib.request import OpenerDirector, Request
from urllib.response import addinfourl

import pytest
import python_http_client
import sendgrid
from rich.pretty import pretty_repr
from sendgrid.base_interface import region_host_dict

from newsletter.providers.sendgrid.client import Endpoint, RequestBody, SendGridAccount
from newsletter.settings.provider import SendGridSettings
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.providers.workspace import NOW

KEY = "SG.secret-key-of-the-tests"
CHANGED = "newsletter/providers/sendgrid/client.py relies on this; read the library's release notes, then adapt it"


def account(url: str, *, timeout_seconds: float = 5) -> SendGridAccount:
    settings = SendGridSettings(api_url=url, timeout_seconds=timeout_seconds)
    return SendGridAccount(settings=settings, api_key=KEY, clock=lambda: NOW)


def library_client() -> python_http_client.Client:
    return sendgrid.SendGridAPIClient(KEY, host="http://127.0.0.1:9").client


def test_the_library_knows_where_each_region_is() -> None:
    assert region_host_dict == {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}, CHANGED


def test_the_key_is_shown_nowhere() -> None:
    shown = account("https://api.sendgrid.com")
    assert KEY not in repr(shown) + pretty_repr(shown)


def test_the_librarys_client_has_a_host_a_version_and_the_key() -> None:
    client = library_client()

    assert type(client) is python_http_client.Client, CHANGED
    assert client._build_url(None) == "http://127.0.0.1:9/v3", CHANGED
    assert client.request_headers["Authorization"] == f"Bearer {KEY}", CHANGED


def test_a_path_of_the_library_is_built_segment_by_segment() -> None:
    client = library_client()._("asm")._("suppressions")

    assert client._build_url({"limit": 5}) == "http://127.0.0.1:9/v3/asm/suppressions?limit=5", CHANGED
    assert {"get", "post", "patch", "delete"} <= client.methods, CHANGED


def test_the_library_makes_its_requests_by_one_method_that_can_be_replaced() -> None:
    client, handed = library_client(), []

    def exchange(opener: OpenerDirector, request: Request, timeout: float) -> addinfourl:
        handed.append((type(opener), request, timeout))
        return addinfourl(BytesIO(b"{}"), HTTPMessage(), request.full_url, 418)

    client._make_request = exchange
    body, headers = RequestBody(b'{"a": 1}'), {"Content-Type": "application/json; charset=utf-8"}
    answer = client.post(request_body=body, query_params=None, request_headers=headers, timeout=7)

    parameters = list(inspect.signature(python_http_client.Client._make_request).parameters)
    assert parameters == ["self", "opener", "request", "timeout"], CHANGED
    ((opener, request, timeout),) = handed
    assert (opener, timeout) == (OpenerDirector, 7), CHANGED
    assert (request.get_method(), request.full_url) == ("POST", "http://127.0.0.1:9/v3"), CHANGED
    assert request.data is body, f"the body is copied or written anew; {CHANGED}"
    assert (answer.status_code, answer.body, type(answer.headers)) == (418, b"{}", HTTPMessage), CHANGED


def test_a_segment_of_a_path_stays_one_segment() -> None:
    with SendGridApi(api_key=KEY) as api:
        account(api.url).ask("get", "logs", "../scopes?x=1#y")

        assert [(each.path, each.query) for each in api.exchanges] == [("/v3/logs/..%2Fscopes%3Fx%3D1%23y", {})]


@pytest.mark.parametrize("status", [200, 301, 404, 500])
def test_any_status_is_an_answer(status: int) -> None:
    with SendGridApi(api_key=KEY) as api:
        api.script(Answer(status=status, body=b'{"a": 1}', headers={"Location": "/elsewhere"}))

        answer = account(api.url).ask("get", "scopes")

    assert (answer.status, answer.json(), answer.cause) == (status, {"a": 1}, None)
    assert answer.content(status) == {"a": 1}
    assert answer.content(201) is None
    assert api.requests == 1


def test_an_answer_that_comes_a_byte_at_a_time_is_given_up_in_time() -> None:
    over = Event()

    def dribble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nX-Slow: ")
        while not over.wait(0.02):
            connection.sendall(b"x")

    with _server(dribble) as url:
        answer = account(url, timeout_seconds=0.4).ask("post", "mail", "send", content={})
        over.set()  # until now the server would have gone on for ever

    assert answer.was_handed_over
    assert isinstance(answer.cause, TimeoutError)
    assert "within 0.4 seconds" in str(answer.cause)  # the timeout is for the whole exchange


@pytest.mark.parametrize("head", [b"", b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_answer_without_an_end_is_not_read_to_the_end(head: bytes) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n%s\r\n" % head)
        piece = b"10000\r\n%s\r\n" % (b"x" * 0x10000)
        with connection:
            for _ in range(1000):  # some 65 MB
                try:
                    connection.sendall(piece)
                except OSError:
                    return
        pytest.fail("all of it was read")

    with _server(flood) as url:
        answer = account(url).ask("get", "scopes")

    assert (answer.status, answer.body) == (0, b"")
    assert answer.was_handed_over
    assert answer.cause is not None


def test_what_a_library_raises_unexpectedly_is_a_value_too() -> None:
    broken = account("http://127.0.0.1:9")
    endpoint = Endpoint(broken, "scopes")

    def raise_anything(**_arguments: object) -> None:
        raise KeyError("surprise")

    endpoint._requests["get"] = raise_anything
    answer = endpoint.ask("get")

    assert isinstance(answer.cause, KeyError)
    assert answer.was_handed_over  # no one knows


@contextmanager
def _server(meet: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that meets one connection, once it has heard something."""

    def accept() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            meet(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(20)
