"""The name server of the tests, asked by a resolver that is not ours."""

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.fakes.name_server import NameServer


@pytest.fixture
def server() -> NameServer:
    """One with two names."""
    made = NameServer()
    made.put("example.org", "TXT", "short", "x" * 600)
    made.put("www.example.org", "CNAME", "example.org.")
    return made


def asked(server: NameServer, name: str, kind: str, *, by_tcp: bool = False) -> dns.message.Message:
    host, _, port = server.place.partition(":")
    query = dns.message.make_query(name, kind)
    return (dns.query.tcp if by_tcp else dns.query.udp)(query, host, port=int(port), timeout=5)


@pytest.mark.parametrize("by_tcp", [False, True])
def test_a_name_is_answered(server: NameServer, by_tcp: bool) -> None:
    with server:
        answer = asked(server, "example.org", "TXT", by_tcp=by_tcp)

    assert {b"".join(row.strings).decode() for row in answer.answer[0]} == {"short", "x" * 600}


def test_an_alias_is_followed(server: NameServer) -> None:
    with server:
        answer = asked(server, "www.example.org", "TXT")

    assert [rows.name.to_text() for rows in answer.answer] == ["www.example.org.", "example.org."]


def test_what_is_not_there_is_told_apart(server: NameServer) -> None:
    server.failing.add("broken.example.org")
    with server:
        codes = [
            asked(server, name, "MX").rcode() for name in ("example.org", "none.example.org", "a.broken.example.org")
        ]

    assert codes == [dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL]
