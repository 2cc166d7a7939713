"""`newsletter proof`, or `newsletter proof bundle`: write the proof of a broadcast."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import bars, output
from newsletter.cli.options import BroadcastNumber
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_zoned
from newsletter.model.broadcast import label_of
from newsletter.model.proof import Bundle
from newsletter.store.ledger.status import tally_of
from newsletter.system.environment import proof_key
from newsletter.system.files import write_shared
from newsletter.system.moments import moment_of
from newsletter.workflows.compose.compose import BUILD_FOLDER
from newsletter.workflows.proof.bundle import prove_broadcast

_FILE = "The file to write. Default: build/proof-BROADCAST.json."


def bundle(
    broadcast: BroadcastNumber,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help=_FILE)] = None,
) -> None:
    """Write a signed proof of a broadcast: the email, its approvals and checks, and a seal over all recipients.

    The broadcast must have ended. The proof names no recipient, so you can give it to anyone. Later, `newsletter proof
    line` opens the line of one person in it.

    The command needs the NEWSLETTER_KEY environment variable, from which the key for the signature is made.
    """
    with opened_database() as (config, database):
        lines = tally_of(database, broadcast).frozen
        with bars.progress("Sealing", lines, unit="lines") as advance:
            made = prove_broadcast(database, broadcast, secret=proof_key(), now=datetime.now(UTC), on_progress=advance)
    path = file or config.root / BUILD_FOLDER / f"proof-{broadcast}.json"
    path.parent.mkdir(exist_ok=True)
    write_shared(path, made.content)
    shown = config.shown(path)
    output.say(f"{shown}  {output.styled(f'{len(made.content) / 1000:,.1f} KB', 'dim')}")
    print_bundle(made.bundle, config.settings.newsletter.timezone)
    if not made.is_new:
        output.note("This is the same proof as before, because no result has changed since it was made.")
    output.print_next(f"newsletter proof line {broadcast} EMAIL", "to open the line of one person")


def print_bundle(bundle: Bundle, zone: str) -> None:
    """Print what a bundle says, the same for those who made it and those who verify it."""
    broadcast = bundle.broadcast
    kind = "" if broadcast.kind == "issue" else f"{broadcast.kind} of "
    results = ", ".join(f"{size:,} {label_of(name)}" for name, size in sorted(bundle.outcomes.items()))
    approvals = [
        f"by {each.by} on {show_zoned(moment_of(each.at), zone)}{', now void' if each.voided else ''}"
        for each in bundle.approvals
    ]
    output.print_facts(
        [
            ("broadcast", f"{broadcast.number}: {kind}{broadcast.issue} to {broadcast.segment}"),
            ("created", show_zoned(moment_of(broadcast.created_at), zone)),
            ("sender", f"{broadcast.sender}, through {broadcast.provider}"),
            ("subject", "; ".join(dict.fromkeys("…".join(mail.subject.parts) for mail in bundle.mail))),
            ("content", bundle.content_hash[:12]),
            ("approved", "\n".join(approvals) or "no approval is on record"),
            ("checks", _checks(bundle)),
            ("overridden", "\n".join(f"{each.rule}: {each.because}" for each in bundle.waivers)),
            ("lines", f"{bundle.lines:,}: {results}"),
            ("proof made", show_zoned(moment_of(bundle.made_at), zone)),
            ("signed with", bundle.fingerprint),
        ]
    )


def _checks(bundle: Bundle) -> str:
    if bundle.checks is None:
        return "not on record, because the broadcast is older than their record"
    errors = sum(each.severity == "error" for each in bundle.checks.found)
    counts = {
        "passed": len(bundle.checks.passed),
        "with errors": errors,
        "with warnings": len(bundle.checks.found) - errors,
        "skipped": len(bundle.checks.skipped),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)
