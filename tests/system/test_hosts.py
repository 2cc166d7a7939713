"""Which hosts readers cannot reach, in whatever form they are written."""

import pytest

from newsletter.system.hosts import host_of, is_local, is_private_literal


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "intranet",
            "wiki.",
            "printer.local",
            "nas.lan",
            "a.home",
        ),
        *(
            "db.internal",
            "www.corp",
            "router.home.arpa",
            "127.0.0.1",
            "127.1",
            "127.0.0.1.",
            "2130706433",
            "0x7f000001",
        ),
        *(
            "0177.0.0.1",
            "0x7F.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
        ),
        *(
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "3232235777",
        ),
        *("%31%30.0.0.1", "\uff11\uff10.0.0.1", "127\u30020\u30020\u30021", "user:word@10.0.0.1"),
    ],
)
def test_a_host_that_only_a_network_knows_is_local(host: str) -> None:
    assert is_local(host_of(f"http://{host}/a"))


@pytest.mark.parametrize(
    "host",
    [
        *("example.org", "localhost.example.org", "local.example.org", "127.0.0.1.example.org", "10.example.org"),
        *("1.1.1.1", "134744072", "0x08080808", "[2606:4700::1111]", "b\u00fccher.example", "3com.com", "a.co"),
    ],
)
def test_a_host_that_the_public_dns_may_know_is_not_local(host: str) -> None:
    assert not is_local(host_of(f"http://{host}/a"))


@pytest.mark.parametrize("url", ["", "mailto:ana@example.org", "https://[x", "/a", "https:///a"])
def test_what_has_no_host_has_none(url: str) -> None:
    assert host_of(url) == ""


def test_a_name_is_no_literal_address() -> None:
    assert is_private_literal("localhost")
    assert is_private_literal("::1")
    assert not is_private_literal("printer.local")
    assert not is_private_literal("example.org")
