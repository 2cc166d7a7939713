"""What the delivery benchmarks send: the February issue to invented people, through a sink on loopback.

Each measurement is a separate process, so that its memory is counted separately. It prints its figures as JSON.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from threading import Event

from msgspec.structs import replace

from benchmarks.timing import ROOT, Stopwatch
from newsletter.config import Config, load_config
from newsletter.lists.exports import batches_of
from newsletter.model.axes import Lookup, language_axis, mailbox_axis, only_axis
from newsletter.model.columns import SubscriberRecord
from newsletter.model.ledger import FreezeRequest
from newsletter.model.mailbox import APPS_OF_MAILBOX
from newsletter.model.readership import Readership
from newsletter.model.segment import EVERYONE, Compare, Operator
from newsletter.providers.registry import open_provider
from newsletter.settings.provider import SendGridSettings
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.merge import merge_subscribers
from newsletter.store.opening import open_database
from newsletter.workflows.compose.compose import Composed, compose_issue
from newsletter.workflows.compose.sample import envelope_of
from newsletter.workflows.segments import meant_by, require_segments
from newsletter.workflows.send.drain import drain_broadcast

FEBRUARY = ROOT / "issues/2026-02"

MANY = int(os.environ.get("BENCHMARK_PEOPLE", "1000000"))  # on the list, for targets that are about a million people
NO_ENVELOPE = json.dumps(  # of a broadcast that is only reported on
    dict.fromkeys(("from_name", "from_email", "reply_to", "list_name", "list_id", "service_url"), "")
)
CHUNK_SIZE = 1000
LANGUAGES = ("en", "es", "ja", "ar")  # the first is the issue's own
DOMAINS = tuple(f"mail{number}.example.org" for number in range(len(APPS_OF_MAILBOX)))
Location = Path | str


def measure(work: Callable[[], object]) -> dict[str, float]:
    """Return the seconds, the seconds of processor time, and the peak memory in MiB above that at the start."""
    before, stopwatch = _peak_mib(), Stopwatch()
    with stopwatch:
        work()
    return {
        "seconds": stopwatch.seconds,
        "work_seconds": stopwatch.work_seconds,
        "mib": _peak_mib() - before,
    }


@contextmanager
def sink(latency_seconds: float = 0.0) -> Iterator[str]:
    """Start a sink in its own process, and yield its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink", str(latency_seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def email(number: int) -> str:
    """Return the address of one of the people."""
    return f"person{number}@{DOMAINS[number % len(DOMAINS)]}"


def config_for(url: str, *, concurrency: int = 4) -> Config:
    """Return the repository's own workspace, with SendGrid at this address."""
    sendgrid = SendGridSettings(api_url=url, concurrency=concurrency)
    return with_settings(load_config(ROOT), provider={"use": "sendgrid", "sendgrid": sendgrid})


def with_settings(config: Config, *, provider: Mapping[str, object], **tables: object) -> Config:
    """Return the workspace with other keys in `[provider]`, and other tables."""
    changed = config.settings.provider.model_copy(update=provider)
    return replace(config, settings=config.settings.model_copy(update={"provider": changed, **tables}))


def add_people(location: Location, count: int) -> None:
    """Create the database, and add people to the list."""
    now = datetime.now(UTC)
    people = (
        SubscriberRecord(
            email=email(number),
            first_name=f"Person{number}",
            language=LANGUAGES[number // len(DOMAINS) % len(LANGUAGES)],
            consented_at=now,
        )
        for number in range(count)
    )
    with open_database(location) as database:
        merge_subscribers(database, batches_of(people), now=now)


def request_for(config: Config, database: Database, composed: Composed) -> FreezeRequest:
    """Return a function that freezes an issue for everyone."""
    only = require_segments(config, database, composed.issue.only_segments, now=datetime.now(UTC))
    return FreezeRequest(
        issue=composed.issue.name,
        segment=meant_by(config, database, segment=EVERYONE, now=datetime.now(UTC)),
        axes=composed.rendered.axes,
        only={each.name: each.condition for each in only},
        provider=config.settings.provider.use,
        content_hash=composed.rendered.content_hash,
        envelope=envelope_of(config),
    )


def freeze_february(location: Location) -> Callable[[], object]:
    """Return a function that freezes the February issue in English for everyone. Everything is composed before."""
    config, database = config_for("http://127.0.0.1:1"), open_database(location)
    composed = compose_issue(config, FEBRUARY)
    request = replace(request_for(config, database, composed), axes=())
    variants = [replace(composed.rendered.fullest, readership=Readership())]

    def freeze() -> None:
        with database:
            freeze_broadcast(database, request, variants, chunk_size=CHUNK_SIZE, now=datetime.now(UTC))

    return freeze


def freeze_varied(location: Location, *, segments: int) -> Callable[[], object]:
    """Return a function that freezes February for everyone, with variants by segment, by mailbox and by language.

    The people are spread over all of them: over the segments by their names, over the mailboxes by their domains, and
    over four languages, of which one is barred for a segment.
    """
    config, database = config_for("http://127.0.0.1:1"), open_database(location)
    composed = compose_issue(config, FEBRUARY)
    names = [f"segment{number}" for number in range(segments)]
    mailbox = mailbox_axis()
    assert isinstance(mailbox.rule, Lookup)
    table = {**mailbox.rule.table, **dict(zip(DOMAINS, mailbox.values, strict=True))}
    by_mailbox = replace(mailbox, rule=replace(mailbox.rule, table=table))
    axes = (*map(only_axis, names), by_mailbox, language_axis(LANGUAGES, {"ja": frozenset(names[:1])}))
    only = {name: Compare("first_name", Operator.LESS, f"Person{digit}") for digit, name in enumerate(names, start=3)}
    request = replace(request_for(config, database, composed), axes=axes, only=only)
    content = composed.rendered.fullest
    values = product(*([(axis.name, value) for value in axis.values] for axis in axes))
    variants = [replace(content, readership=Readership(each)) for each in values]

    def freeze() -> None:
        with database:
            freeze_broadcast(database, request, variants, chunk_size=CHUNK_SIZE, now=datetime.now(UTC))

    return freeze


def drain_to(url: str, location: Location, *, concurrency: int) -> Callable[[], object]:
    """Return a function that sends the only broadcast of a database. Everything is opened before."""
    provider = open_provider(config_for(url, concurrency=concurrency), {"SENDGRID_API_KEY": "SG.benchmark"})
    database = open_database(location)
    (broadcast,) = list_broadcasts(database)

    def drain() -> None:
        with database:
            drain_broadcast(database, broadcast, provider, on_settled=lambda _: None, stop=Event())

    return drain


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
