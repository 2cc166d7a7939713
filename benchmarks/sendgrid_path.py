"""A broadcast through SendGrid, durable ledger and all, against a loop over the library's helper classes.

Both send the February issue, at 1,000 recipients a request, to the same local sink; the loop keeps no record of what it
did. Each measurement is a process of its own, so that its memory is its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.timing import ROOT, show, show_ratio
from newsletter.__main__ import prepare_process

RECIPIENTS = 100_000
FEWER = 10_000
ROUNDS = 3
TARGET_RATIO, TARGET_MIB = 3.0, 64


def main() -> None:
    """Prints both rates, their ratio, and the memory at 10,000 and at 100,000 recipients."""
    rates: dict[str, list[float]] = {"broadcast": [], "helpers": []}
    peaks: dict[int, float] = {}
    for _ in range(ROUNDS):
        for job, found in rates.items():
            measured = _in_a_process(job, RECIPIENTS)
            found.append(RECIPIENTS / measured["seconds"])
            if job == "broadcast":
                peaks[RECIPIENTS] = max(peaks.get(RECIPIENTS, 0), measured["mib"])
    peaks[FEWER] = _in_a_process("broadcast", FEWER)["mib"]
    ours, theirs = median(rates["broadcast"]), median(rates["helpers"])
    show(f"broadcast of {RECIPIENTS:,}, with the ledger", f"{ours:,.0f} recipients/s")
    show("a loop over the helper classes, without a ledger", f"{theirs:,.0f} recipients/s")
    show_ratio(
        "broadcast ÷ helper classes", ours / theirs, f"≥ {TARGET_RATIO:.0f}", is_met=ours / theirs >= TARGET_RATIO
    )
    for count in (FEWER, RECIPIENTS):
        show(f"memory over the start at {count:,}", f"{peaks[count]:.1f} MiB   target ≤ {TARGET_MIB}")


def _in_a_process(job: str, count: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sendgrid_path", job, str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{job} of {count:,} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _sink() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def _measure(work: Callable[[], object]) -> None:
    before = _peak_mib()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "mib": _peak_mib() - before}))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _broadcast(count: int) -> None:
    from threading import Event

    from newsletter.workflows.drain import drain_broadcast

    with tempfile.TemporaryDirectory() as name, _sink() as url:
        database, broadcast, provider = _frozen(Path(name), count, url)
        with database:
            _measure(lambda: drain_broadcast(database, broadcast, provider, on_settled=lambda _: None, stop=Event()))


def _frozen(folder: Path, count: int, url: str):  # type: ignore[no-untyped-def]
    from datetime import UTC, datetime

    from newsletter.model.audience import ImportRow
    from newsletter.model.broadcast import Waiver
    from newsletter.providers.registry import open_provider
    from newsletter.store.merge import merge_subscribers
    from newsletter.store.opening import open_database
    from newsletter.workflows.broadcast import plan_broadcast, start_broadcast

    config = _config(url)
    now = datetime.now(UTC)
    database = open_database(folder / "newsletter.db")
    rows = (ImportRow(number, _email(number), f"Person{number}") for number in range(count))
    merge_subscribers(database, rows, now=now)
    provider = open_provider(config, {"SENDGRID_API_KEY": "SG.benchmark"})
    plan = plan_broadcast(
        config,
        database,
        ROOT / "issues/2026-02",
        segment="everyone",
        waivers=[Waiver(rule="E1", because="a benchmark")],
        now=now,
    )
    return database, start_broadcast(database, plan, provider, now=now), provider


def _config(url: str):  # type: ignore[no-untyped-def]
    from newsletter.config import load_config
    from newsletter.settings.provider import SendGridSettings

    config = load_config(ROOT)
    provider = config.settings.provider.model_copy(
        update={"use": "sendgrid", "sendgrid": SendGridSettings(api_url=url, concurrency=4)}
    )
    return replace(config, settings=config.settings.model_copy(update={"provider": provider}))


def _helpers(count: int) -> None:
    with _sink() as url:
        html, text = _february()
        _measure(lambda: _helper_loop(count, url, html, text))


def _february() -> tuple[str, str]:
    from newsletter.workflows.compose import compose_issue
    from newsletter.workflows.sample import sample_mail

    config = _config("http://127.0.0.1:1")
    composed = compose_issue(config, ROOT / "issues/2026-02")
    mail = sample_mail(config, composed.rendered.fullest)
    return mail.html, mail.text


def _helper_loop(count: int, url: str, html: str, text: str) -> None:
    """What the library's own examples do: one Mail a request, one Personalization a recipient."""
    from sendgrid import SendGridAPIClient
    from sendgrid.helpers.mail import (
        Content,
        CustomArg,
        Email,
        From,
        Header,
        Mail,
        Personalization,
        Substitution,
        To,
    )

    client = SendGridAPIClient("SG.benchmark", host=url)
    for start in range(0, count, 1000):
        mail = Mail()
        mail.from_email = From("news@example.org", "Center")
        mail.reply_to = Email("hello@example.org")
        mail.subject = "Finding Connection in Shared Humanity"
        mail.add_content(Content("text/plain", text))
        mail.add_content(Content("text/html", html))
        for number in range(start, min(start + 1000, count)):
            link = f"https://news.example.org/u/{number}-0123456789abcdef0123456789abcdef"
            personalization = Personalization()
            personalization.add_to(To(_email(number), f"Person{number}"))
            personalization.add_substitution(Substitution("%first_name%", f"Person{number}"))
            personalization.add_substitution(Substitution("%unsubscribe%", link))
            personalization.add_header(Header("List-Unsubscribe", f"<{link}>"))
            personalization.add_header(Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
            personalization.add_custom_arg(CustomArg("delivery", str(number)))
            mail.add_personalization(personalization)
        client.client.mail.send.post(request_body=mail.get(), timeout=30)


def _email(number: int) -> str:
    return f"person{number}@example.org"


if __name__ == "__main__":
    prepare_process()  # as the program does; the loop over the helper classes has the same good of it
    {"broadcast": _broadcast, "helpers": _helpers}[sys.argv[1]](int(sys.argv[2]))
