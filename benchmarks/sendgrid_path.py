"""A broadcast through SendGrid, including the durable ledger, compared with a loop over the library's helper classes.

Both send the February issue, with 1,000 recipients per request, to the same local sink. The loop keeps no record. Then
the same broadcast runs at several sizes, for its memory, and with a sink that answers slowly.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from benchmarks import workload
from benchmarks.timing import run_job, show, show_ratio
from newsletter.__main__ import prepare_process
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.sample import sample_mail

RECIPIENTS = workload.MANY // 10
FEWER = workload.MANY // 100
ROUNDS, ROUNDS_OF_MANY = 3, 2
TARGET_RATIO, TARGET_MIB = 3.0, 64
LATENCY_SECONDS, CONCURRENCY, TARGET_KEPT = 0.1, 16, 0.8


def main() -> None:
    """Print both rates and their ratio, the memory at three sizes, and the remaining rate at 100 ms latency."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in (FEWER, RECIPIENTS, workload.MANY):
            _run("prepare", folder / str(count), count)
        _compare_with_helper_classes(folder / str(RECIPIENTS))
        for count in (FEWER, RECIPIENTS):
            _show_memory(f"{count:,}", _broadcast(folder / str(count))["mib"])
        _compare_with_latency(folder / str(workload.MANY))


def _compare_with_helper_classes(prepared: Path) -> None:
    """Measure by the clock, and by processor time, which other processes on the machine affect less."""
    found: dict[str, list[dict[str, float]]] = {"broadcast": [], "helpers": []}
    for _ in range(ROUNDS):
        found["broadcast"].append(_broadcast(prepared))
        found["helpers"].append(_run("helpers", RECIPIENTS))
    ours, theirs = (median(RECIPIENTS / one["seconds"] for one in found[job]) for job in ("broadcast", "helpers"))
    show(f"broadcast of {RECIPIENTS:,}, with the ledger", f"{ours:,.0f} recipients/s")
    show("a loop over the helper classes, without a ledger", f"{theirs:,.0f} recipients/s")
    show_ratio(
        "broadcast ÷ helper classes", ours / theirs, f"≥ {TARGET_RATIO:.0f}", is_met=ours / theirs >= TARGET_RATIO
    )
    our_work, their_work = (median(one["work_seconds"] / RECIPIENTS for one in found[job]) for job in found)
    show("processor time of each", f"{our_work * 1e6:.1f} and {their_work * 1e6:.1f} µs per recipient")


def _compare_with_latency(prepared: Path) -> None:
    """Measure the largest broadcast, so that its first and last requests, which do not overlap, matter little."""
    at_once, slowly = [], []
    for _ in range(ROUNDS_OF_MANY):
        at_once.append(_broadcast(prepared))
        slowly.append(_broadcast(prepared, concurrency=CONCURRENCY, latency_seconds=LATENCY_SECONDS))
    rate, kept_rate = (workload.MANY / min(one["seconds"] for one in found) for found in (at_once, slowly))
    what = f"{LATENCY_SECONDS * 1000:.0f} ms latency, {CONCURRENCY} requests at a time"
    _show_memory(f"{workload.MANY:,}", max(one["mib"] for one in at_once))
    _show_memory(f"{workload.MANY:,}, {CONCURRENCY} requests at a time", max(one["mib"] for one in slowly))
    show(f"broadcast of {workload.MANY:,}", f"{rate:,.0f} recipients/s")
    show(f"the same, {what}", f"{kept_rate:,.0f} recipients/s")
    kept = kept_rate / rate
    show_ratio("with latency ÷ without", kept, f"≥ {TARGET_KEPT}", is_met=kept >= TARGET_KEPT)


def _show_memory(where: str, mib: float) -> None:
    met = "met" if mib <= TARGET_MIB else "MISSED"
    show(f"memory over the start at {where}", f"{mib:.1f} MiB   target ≤ {TARGET_MIB}   {met}")


def _broadcast(prepared: Path, *, concurrency: int = 4, latency_seconds: float = 0.0) -> dict[str, float]:
    """Drain a copy of a prepared broadcast."""
    with tempfile.TemporaryDirectory(dir=prepared.parent) as name:
        shutil.copytree(prepared, name, dirs_exist_ok=True)
        return _run("broadcast", name, concurrency, latency_seconds)


def _run(job: str, *arguments: object) -> dict[str, float]:
    return run_job("benchmarks.sendgrid_path", job, *arguments)


def _prepare_job(folder: str, count: str) -> dict[str, float]:
    Path(folder).mkdir()
    location = Path(folder) / "newsletter.db"
    workload.add_people(location, int(count))
    return workload.measure(workload.freeze_february(location))


def _broadcast_job(folder: str, concurrency: str, latency_seconds: str) -> dict[str, float]:
    with workload.sink(float(latency_seconds)) as url:
        return workload.measure(workload.drain_to(url, Path(folder) / "newsletter.db", concurrency=int(concurrency)))


def _helpers_job(count: str) -> dict[str, float]:
    with workload.sink() as url:
        html, text = _february()
        return workload.measure(lambda: _helper_loop(int(count), url, html, text))


def _february() -> tuple[str, str]:
    config = workload.config_for("http://127.0.0.1:1")
    composed = compose_issue(config, workload.FEBRUARY)
    mail = sample_mail(config, composed.rendered.fullest)
    return mail.html, mail.text


def _helper_loop(count: int, url: str, html: str, text: str) -> None:
    """Send like the library's own examples: one `Mail` per request, one `Personalization` per recipient."""
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
            personalization.add_to(To(workload.email(number), f"Person{number}"))
            personalization.add_substitution(Substitution("%first_name%", f"Person{number}"))
            personalization.add_substitution(Substitution("%unsubscribe%", link))
            personalization.add_header(Header("List-Unsubscribe", f"<{link}>"))
            personalization.add_header(Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
            personalization.add_custom_arg(CustomArg("delivery", str(number)))
            mail.add_personalization(personalization)
        client.client.mail.send.post(request_body=mail.get(), timeout=30)


JOBS: Mapping[str, Callable[..., dict[str, float]]] = {
    "prepare": _prepare_job,
    "broadcast": _broadcast_job,
    "helpers": _helpers_job,
}

if __name__ == "__main__":
    prepare_process()  # as the program does; the loop over the helper classes has the same benefit
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
