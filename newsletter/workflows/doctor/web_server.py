"""How the service for subscribers sees the internet through the web server in front of it.

A program that has the key of the database learns by which address the service knows it. So one request with a claimed
address shows whether the web server replaces that claim, and another whether it lets go of a client that falls silent.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.checks.network.web import HttpReply, Web
from newsletter.config import Config
from newsletter.errors import StoreError
from newsletter.model.diagnosis import HealthItem, error, not_judged, ok, warning
from newsletter.model.personal_links import CLIENT_HEADER, PROBE_HEADER, Purpose, stamp_of
from newsletter.store.opening import examine_database
from newsletter.system.hosts import host_of, is_private_literal
from newsletter.system.stream import TimeLimit, open_stream, trusted_authorities

_CLAIMED = "203.0.113.77"  # TEST-NET-3 (RFC 5737), which is no one's address
_SECONDS_TO_CONNECT, _SECONDS_TO_LET_GO = 5.0, 20.0  # the examples in deploy/ let go after 10
_HALF = b"GET /healthz HTTP/1.1\r\nX-Half: "
_EXAMPLES = "as the examples in deploy/ do"


def service_items(config: Config, web: Web, *, now: datetime) -> Iterator[HealthItem]:
    """Yield what `newsletter serve` says about a request through the web server, if it serves these pages."""
    key = _key_of(config)
    if key is None:
        return
    url = config.settings.service.url
    probe = {PROBE_HEADER: stamp_of(key.hex(), Purpose.PROBE, "", now=now), "X-Forwarded-For": _CLAIMED}
    host = host_of(url)
    reply = web.ask("GET", f"{url}/healthz", private_host=host if is_private_literal(host) else None, more=probe)
    client = reply.headers.get(CLIENT_HEADER.lower()) if isinstance(reply, HttpReply) else None
    if client is None or not isinstance(reply, HttpReply):
        yield not_judged("service", f"{url} is not served by `newsletter serve` with this database")
        return
    yield ok("service", f"`newsletter serve` answers at {url} and can read its database")
    yield _judge_client(config, client)
    if "no-store" not in reply.headers.get("cache-control", ""):
        remedy = "make the web server pass on the headers of the service unchanged"
        yield warning("headers", "the web server removes headers that keep personal pages out of caches", remedy)
    yield _judge_patience(url)


def _judge_client(config: Config, client: str) -> HealthItem:
    if client == _CLAIMED:
        what = "the service believes whatever address a client claims in X-Forwarded-For, so no limit per client holds"
        return error("proxy", what, f"make the web server replace this header, {_EXAMPLES}")
    if client in config.settings.service.proxies and not is_private_literal(host_of(config.settings.service.url)):
        what = f"the service sees all clients as {client}, the web server in front of it"
        return warning("proxy", what, f"make the web server send their addresses in X-Forwarded-For, {_EXAMPLES}")
    return ok("proxy", "the web server tells the service who its clients are, whatever they claim")


def _judge_patience(url: str) -> HealthItem:
    """Send half a request, and wait until the web server lets go."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with closing(open_stream(host, port, TimeLimit(_SECONDS_TO_CONNECT))) as stream:
            if parts.scheme == "https":
                stream.encrypt(trusted_authorities(), host, TimeLimit(_SECONDS_TO_CONNECT))
            stream.send(_HALF, TimeLimit(_SECONDS_TO_CONNECT))
            limit = TimeLimit(_SECONDS_TO_LET_GO)
            while stream.receive(4096, limit):
                pass
    except TimeoutError:
        what = f"the web server still waits for the rest of a request after {_SECONDS_TO_LET_GO:g} seconds"
        remedy = f"give it deadlines for the head and the body of a request, {_EXAMPLES}"
        return warning("deadlines", what, remedy)
    except OSError:
        pass  # it broke the connection
    return ok("deadlines", "the web server lets go of clients that fall silent")


def _key_of(config: Config) -> bytes | None:
    """Return the key of the service, if the database can be read and has one."""
    if not config.has_database:
        return None
    try:
        return examine_database(config.database).service_key
    except StoreError:
        return None
