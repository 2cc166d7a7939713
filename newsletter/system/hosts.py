"""Hosts that exist only on a machine or inside a network, so that readers of an email cannot reach them."""

import socket
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

# IPv6 addresses that contain an IPv4 address, which a gateway may reach: NAT64 and 6to4.
_GATEWAYS = (ip_network("64:ff9b::/96"), ip_network("2002::/16"))
# Names that the public DNS does not have: RFC 6761, 6762 (with its appendix G) and 8375, and what routers hand out.
_LOCAL_ENDINGS = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "arpa"}
    | {"test", "invalid", "alt", "onion"}
)


_EXAMPLES = ("example.com", "example.net", "example.org", "example")  # RFC 2606


def is_example(address: str) -> bool:
    """Return whether a host, or the host of an address, is one that exists only for examples."""
    host = host_of(address) or address.lower()
    return any(host == name or host.endswith(f".{name}") for name in _EXAMPLES)


def host_of(url: str) -> str:
    """Return the host of an address as a browser reads it, or an empty string if it has none.

    A browser lowercases it, decodes percent signs, and reads wide letters and dots as plain ones.
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return normalize("NFKC", unquote(host)).replace("。", ".").lower()


def literal_address(host: str) -> str | None:
    """Return the IP address that a host is written as, or None if it is a name.

    Like a browser, it reads the old forms of an IPv4 address: `2130706433`, `0x7f.1`, `0177.0.0.1`.
    """
    with suppress(ValueError):
        return str(ip_address(host.partition("%")[0]))
    last = host.removesuffix(".").rpartition(".")[2]
    if last[:1].isdigit() and last.isascii():  # no top-level domain begins with a digit
        with suppress(OSError):
            return str(ip_address(socket.inet_aton(host.removesuffix("."))))
    return None


def is_public(address: str) -> bool:
    """Return whether an IP address can be reached from anywhere."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if any(found in gateway for gateway in _GATEWAYS):
            return False
        found = found.ipv4_mapped or found
    return found.is_global and not found.is_multicast


def is_private_literal(host: str) -> bool:
    """Return whether a host is written as a private or loopback address, or is `localhost`."""
    if is_loopback_name(host):
        return True
    address = literal_address(host)
    return address is not None and not is_public(address)


def is_loopback_name(host: str) -> bool:
    """Return whether a host is `localhost` or a name below it, which never leave the machine (RFC 6761)."""
    return host.removesuffix(".").rpartition(".")[2] == "localhost"


def is_local(host: str) -> bool:
    """Return whether anyone can see, without the DNS, that a host is private: by its address or by its name."""
    if literal_address(host) is not None:
        return is_private_literal(host)
    _, dot, ending = host.removesuffix(".").rpartition(".")
    return not dot or ending in _LOCAL_ENDINGS
