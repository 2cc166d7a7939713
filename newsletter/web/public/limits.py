"""How often one client may use a form: a client is an IPv4 address, or a network of IPv6 (/64), and its neighborhood.

Only a keyed digest of the network is kept, in memory, and not longer than the limits need it.
"""

import secrets
import time
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Timer

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

_PER_CLIENT: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(5, 10), RateLimitItemPerHour(30, 24))
_PER_NEIGHBORHOOD: tuple[RateLimitItem, ...] = (RateLimitItemPerHour(100),)
_CLIENT, _NEIGHBORHOOD = {4: 32, 6: 64}, {4: 24, 6: 48}  # prefixes by version of IP
_SECONDS_BETWEEN_FORGETTING = 60.0
_UNKNOWN = "unknown"  # all clients without an address share their limits


class _NoTimer(Timer):
    """A timer that never has to be started."""

    def is_alive(self) -> bool:
        """Return True, so that no other timer is started."""
        return True


class _Storage(MemoryStorage):
    """The library's storage, which forgets once a minute what no limit needs anymore.

    By itself it looks through everything in a thread, after each use, and keeps the names of all clients.
    """

    def __init__(self) -> None:
        super().__init__()
        self.timer.cancel()
        self.timer = _NoTimer(_SECONDS_BETWEEN_FORGETTING, lambda: None)
        self._forgot_at = time.time()

    def forget(self) -> None:
        """Forget what no limit needs anymore, unless that was done less than a minute ago."""
        now = time.time()
        if now - self._forgot_at < _SECONDS_BETWEEN_FORGETTING:
            return
        self._forgot_at = now
        for name, uses in list(self.events.items()):
            left = [use for use in uses if use.expiry > now]
            if left:
                self.events[name] = left
            else:
                self.clear(name)


class ClientLimits:
    """The limits of one process. Of several processes, each has its own."""

    def __init__(self) -> None:
        self._storage = _Storage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._key = secrets.token_bytes(16)

    def allow(self, request: Request) -> bool:
        """Count a use of the form. Return whether the client may still use it."""
        self._storage.forget()
        address = client_address(request)
        client, neighborhood = (self._name(address, prefixes) for prefixes in (_CLIENT, _NEIGHBORHOOD))
        counted = [(limit, client) for limit in _PER_CLIENT]
        counted += [(limit, neighborhood) for limit in _PER_NEIGHBORHOOD]
        # The first limit that is used up ends this, so a client that is refused uses up nothing of its neighbors.
        return all(self._limiter.hit(limit, name) for limit, name in counted)

    def _name(self, address: IPv4Address | IPv6Address | None, prefixes: dict[int, int]) -> str:
        network = _UNKNOWN
        if address is not None:
            prefix = prefixes[address.version]
            network = f"{int(address) >> (address.max_prefixlen - prefix):x}/{prefix}"  # no two versions share a prefix
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
