"""How often one client may use a form: a client is an IPv4 address, or a network of IPv6 (/64), and its neighborhood.

Only a keyed digest of the network is kept, in memory, and not longer than the limits need it.
"""

import secrets
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

_PER_CLIENT: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(5, 10), RateLimitItemPerHour(30, 24))
_PER_NEIGHBORHOOD: tuple[RateLimitItem, ...] = (RateLimitItemPerHour(100),)
_CLIENT, _NEIGHBORHOOD = {4: 32, 6: 64}, {4: 24, 6: 48}  # prefixes by version of IP
_UNKNOWN = "unknown"  # all clients without an address share their limits


class ClientLimits:
    """The limits of one process. Of several processes, each has its own."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._key = secrets.token_bytes(16)

    def allow(self, request: Request) -> bool:
        """Count a use of the form. Return whether the client may still use it."""
        address = client_address(request)
        counted = [(limit, self._name(address, _CLIENT)) for limit in _PER_CLIENT]
        counted += [(limit, self._name(address, _NEIGHBORHOOD)) for limit in _PER_NEIGHBORHOOD]
        # The first limit that is used up ends this, so a client that is refused uses up nothing of its neighbors.
        return all(self._limiter.hit(limit, name) for limit, name in counted)

    def _name(self, address: IPv4Address | IPv6Address | None, prefixes: dict[int, int]) -> str:
        network = _UNKNOWN
        if address is not None:
            network = str(ip_network((address, prefixes[address.version]), strict=False))
        return blake2b(network.encode(), key=self._key, digest_size=12).hexdigest()


def client_address(request: Request) -> IPv4Address | IPv6Address | None:
    """Return the client's address, as the trusted web server in front passes it on, or None if it is not an address.

    An IPv4 address in the form of IPv6 (RFC 4291, section 2.5.5.2) counts as IPv4.
    """
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
