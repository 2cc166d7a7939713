"""How often one client may use the form: by address, by network, and by what counts as one client."""

import threading
import time
from collections.abc import Sequence

import pytest
from starlette.requests import Request

from newsletter.web.public.limits import ClientLimits, client_address


def request_from(host: str | None) -> Request:
    client = None if host is None else (host, 1234)
    return Request({"type": "http", "client": client, "headers": [(b"x-forwarded-for", b"192.0.2.99")]})


def allowed(hosts: Sequence[str | None]) -> int:
    limits = ClientLimits()
    return sum(limits.allow(request_from(host)) for host in hosts)


@pytest.mark.parametrize(
    ("hosts", "most"),
    [
        (["192.0.2.1"] * 20, 5),
        ([f"192.0.2.{number}" for number in range(200)], 100),  # a network of IPv4, /24
        ([f"2001:db8::{number:x}" for number in range(20)], 5),  # one client has a whole /64
        ([f"2001:db8:0:{number:x}::1" for number in range(200)], 100),  # a network of IPv6, /48
        ([f"2001:db8:{number:x}::1" for number in range(20)], 20),
        (["::ffff:192.0.2.1"] * 4 + ["192.0.2.1"] * 4, 5),
        (["<script>", None, "", "192.0.2.1, 198.51.100.1", "x" * 9000] * 4, 5),  # all without an address are one
    ],
    ids=["address", "/24", "/64", "/48", "far apart", "mapped", "no address"],
)
def test_a_client_may_use_the_form_only_so_often(hosts: Sequence[str | None], most: int) -> None:
    assert allowed(hosts) == most


def test_a_refused_use_does_not_count_for_the_neighbors() -> None:
    limits = ClientLimits()
    for _ in range(500):
        limits.allow(request_from("192.0.2.1"))

    assert limits.allow(request_from("192.0.2.2"))


def test_a_header_that_anyone_can_write_is_not_believed() -> None:
    assert str(client_address(request_from("192.0.2.1"))) == "192.0.2.1"


def test_nothing_of_a_client_is_kept_when_no_limit_needs_it_anymore(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    limits = ClientLimits()
    for number in range(50):
        limits.allow(request_from(f"192.0.{number}.1"))
    now[0] += 1800
    limits.allow(request_from("198.51.100.1"))
    assert len(vars(limits)["_storage"].events) == 50 * 2 + 3  # the limit of ten minutes is over for the first 50

    now[0] += 86_401
    limits.allow(request_from("203.0.113.1"))

    assert len(vars(limits)["_storage"].events) == 3


def test_a_limit_lasts_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    limits = ClientLimits()

    def uses() -> int:
        return sum(limits.allow(request_from("192.0.2.1")) for _ in range(9))

    assert uses() == 5
    now[0] += 590
    assert uses() == 0
    now[0] += 20
    assert uses() == 5


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    limits = [ClientLimits() for _ in range(20)]
    assert all(each.allow(request_from("192.0.2.1")) for each in limits)

    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()
    assert threading.active_count() <= before
