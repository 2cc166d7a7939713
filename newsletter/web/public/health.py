"""Say whether the service works: `/healthz` for monitors, and the metrics, which are never public."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError, StoreError
from newsletter.model.personal_links import CLIENT_HEADER, PROBE_HEADER, Purpose, age_of
from newsletter.store.ledger.recall import last_runs
from newsletter.store.service import find_service_key
from newsletter.web.public.record import RequestFacts
from newsletter.web.public.service import Service

_LOOPBACK = "127.0.0.1"
_PROBE_AGE = timedelta(minutes=5)
_LIMITS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds


def routes(service: Service) -> list[BaseRoute]:
    """Return the route of the page for monitors, which reads the database and says nothing else.

    `newsletter doctor`, which has the key of this database, is also told by which address the service knows it.
    """

    async def healthz(request: Request) -> Response:
        key = await service.read(find_service_key)
        stamp, client = request.headers.get(PROBE_HEADER, ""), request.client
        age = age_of(stamp, key.hex(), Purpose.PROBE, "", now=service.now) if key and stamp else None
        is_ours = age is not None and age <= _PROBE_AGE
        told = {CLIENT_HEADER: client.host} if is_ours and client else {}
        return PlainTextResponse("ok\n", headers=told)

    return [Route("/healthz", healthz)]


class Metrics:
    """What is counted while the service runs, in the format of Prometheus."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        names = ("route", "method", "status")
        self._requests = Counter("newsletter_requests", "Requests", (*names, "agent"), registry=self.registry)
        self._seconds = Histogram(
            "newsletter_request_seconds", "Time to answer", ("route",), buckets=_LIMITS, registry=self.registry
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(_Standing(service))

    def count(self, facts: RequestFacts) -> None:
        """Count a request."""
        self._requests.labels(facts.route, facts.method, str(facts.status), facts.agent.value).inc()
        self._seconds.labels(facts.route).observe(facts.seconds)

    @contextmanager
    def served(self, port: int | None) -> Iterator[None]:
        """Serve the metrics to programs on this machine while the block runs, unless the port is None.

        Raise InputError if the port cannot be used.
        """
        if port is None:
            yield
            return
        try:
            server, thread = start_http_server(port, _LOOPBACK, self.registry)
        except OSError as err:
            why = "another program is using it" if err.errno == errno.EADDRINUSE else err.strerror
            remedy = "set another metrics_port under [service] in newsletter.toml"
            raise InputError(f"the metrics cannot be served on port {port}: {why}; {remedy}") from err
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Standing:
    """Collects what is read when someone asks for the metrics."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        """Yield the changes that wait to be saved, and when each command last looked for what is due."""
        waiting = "Changes that wait to be saved"
        yield GaugeMetricFamily("newsletter_waiting_changes", waiting, value=self._service.writer.waiting)
        looked = GaugeMetricFamily(
            "newsletter_last_look_timestamp_seconds", "When what is due was last looked for", labels=["command"]
        )
        with suppress(StoreError):  # the database cannot be reached: the other metrics still count
            for run in last_runs(self._service.database):
                looked.add_metric([run.command], run.at.timestamp())
        yield looked
