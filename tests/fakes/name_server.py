"""A real name server on loopback, over UDP and TCP, for zones that a test writes down.

It is authoritative for all names: what stands in no zone does not exist. Names can be made to fail, or to stay without
an answer.
"""

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

_LARGEST_DATAGRAM_BYTES = 1232
_SECONDS_TO_LIVE = 60


@dataclass
class NameServer:
    """The server, for the length of a `with` block.

    `records` maps a name and a type to values, as in a zone file. `failing` names are answered with SERVFAIL, `silent`
    ones never; both go for all names below them.
    """

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    knows_root: bool = True  # as every name server does that has a way to the internet
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __enter__(self) -> "NameServer":
        self._udp, self._tcp = _bound_servers()
        self._threads = []
        for server in (self._udp, self._tcp):
            server.names = self
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_exception: object) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    @property
    def place(self) -> str:
        """What stands in `[authentication] nameservers`."""
        return f"127.0.0.1:{self._udp.server_address[1]}"

    def put(self, name: str, kind: str, *values: str) -> None:
        """Publishes records in the place of those of that name and type."""
        is_text = kind == "TXT"
        self.records[name, kind] = [
            " ".join(f'"{part}"' for part in _parts(value)) if is_text else value for value in values
        ]

    def drop(self, name: str, kind: str) -> None:
        """Takes records away."""
        del self.records[name, kind]

    def answer(self, wire: bytes, *, is_datagram: bool) -> bytes | None:
        """The answer to a question; None where none comes."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        if name != ".":
            self.asked.append((name, kind))
        if _is_below(name, self.silent):
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if _is_below(name, self.failing):
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        if name == "." and self.knows_root:
            return response.to_wire()
        response.answer += self._found(name, kind)
        if not response.answer and not any(known == name or known.endswith(f".{name}") for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        found = response.to_wire(max_size=65535)
        if is_datagram and len(found) > _LARGEST_DATAGRAM_BYTES:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()
        return found

    def _found(self, name: str, kind: str) -> Iterator[dns.rrset.RRset]:
        """The records asked for, with the aliases that lead to them."""
        for _ in range(8):
            if values := self.records.get((name, kind)):
                yield dns.rrset.from_text(f"{name}.", _SECONDS_TO_LIVE, "IN", kind, *values)
                return
            alias = self.records.get((name, "CNAME"))
            if alias is None or kind == "CNAME":
                return
            yield dns.rrset.from_text(f"{name}.", _SECONDS_TO_LIVE, "IN", "CNAME", *alias)
            name = alias[0].rstrip(".")


def _parts(value: str) -> list[str]:
    """A text in pieces of the length that one string of a TXT record may have."""
    return [value[start : start + 255] for start in range(0, len(value), 255)] or [""]


def _is_below(name: str, parents: set[str]) -> bool:
    return any(name == parent or name.endswith(f".{parent}") for parent in parents) or "." in parents


class _Datagrams(socketserver.ThreadingUDPServer):
    names: NameServer
    daemon_threads = False
    max_packet_size = 4096


class _Streams(socketserver.ThreadingTCPServer):
    names: NameServer
    daemon_threads = False


class _DatagramHandler(socketserver.BaseRequestHandler):
    server: _Datagrams

    def handle(self) -> None:
        wire, answering = self.request
        answer = self.server.names.answer(wire, is_datagram=True)
        if answer is not None:
            answering.sendto(answer, self.client_address)


class _StreamHandler(socketserver.BaseRequestHandler):
    server: _Streams

    def handle(self) -> None:
        self.request.settimeout(5)
        head = self.request.recv(2, socket.MSG_WAITALL)
        if len(head) < 2:
            return
        wire = self.request.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
        answer = self.server.names.answer(wire, is_datagram=False)
        if answer is not None:
            self.request.sendall(struct.pack("!H", len(answer)) + answer)


def _bound_servers() -> tuple[_Datagrams, _Streams]:
    """Both servers on the same free port."""
    while True:
        udp = _Datagrams(("127.0.0.1", 0), _DatagramHandler)
        try:
            return udp, _Streams(udp.server_address, _StreamHandler)
        except OSError:
            udp.server_close()
