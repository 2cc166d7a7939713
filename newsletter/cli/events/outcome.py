"""Print what came of reading bounces, complaints and exports."""

from collections.abc import Mapping

import typer

from newsletter.cli import output
from newsletter.model.mail_report import ReportKind
from newsletter.workflows.events.attribution import Trust
from newsletter.workflows.events.import_ import MailTally

_SHOWN = 20
_LABELS: Mapping[ReportKind, str] = {
    ReportKind.HARD: "bounces: the address does not work",
    ReportKind.SOFT: "bounces: not delivered this time",
    ReportKind.BLAMELESS: "refused because of the sender or the content",
    ReportKind.COMPLAINT: "complaints",
    ReportKind.UNSUBSCRIBE: "requests to unsubscribe",
    ReportKind.DELAYED: "delayed, still being tried",
    ReportKind.DELIVERED: "delivered",
    ReportKind.AUTOREPLY: "automatic replies",
    ReportKind.NOTE: "other reports, without effect",
}
_WHY: Mapping[Trust, str] = {
    Trust.NOT_NEEDED: "not understood",
    Trust.NOBODY: "fits no email of yours",
    Trust.FORGED: "does not have the recipient's code, so it may be forged",
}


def end_with(tally: MailTally, *, is_dry_run: bool, as_json: bool) -> None:
    """Print the tally, and end the command. The exit status is 1 if a person should read something."""
    if as_json:
        output.print_json(_data_of(tally, is_dry_run=is_dry_run))
    else:
        _print(tally, is_dry_run=is_dry_run)
    if not tally.is_complete:
        raise typer.Exit(1)


def _print(tally: MailTally, *, is_dry_run: bool) -> None:
    facts = {"emails": tally.emails} if tally.emails or not tally.rows else {}
    facts |= {"events in exports": tally.rows} if tally.rows else {}
    facts |= {label: tally.kinds[kind] for kind, label in _LABELS.items() if tally.kinds[kind]}
    facts |= dict(sorted(tally.types.items()))
    facts |= {"to read": tally.unclear + tally.nobody + tally.forged} if not tally.is_complete else {}
    if not is_dry_run:
        came = tally.ingested
        facts |= {"new events": came.added, "newly blocked": came.suppressed + came.worn_out}
        facts |= {"batches settled": came.settled} if came.settled else {}
    output.print_facts((name, f"{count:,}") for name, count in facts.items())
    _print_unread(tally)
    if is_dry_run:
        output.note_dry_run()
    elif tally.ingested.suppressed or tally.ingested.worn_out:
        output.print_next("newsletter suppressions list", "to see who is blocked, and why")


def _print_unread(tally: MailTally) -> None:
    if tally.complaints_of_nobody:
        count = output.count_of(tally.complaints_of_nobody, "complaint")
        notice = (
            f"{count} cannot be traced to a person. Read them: someone marked your email as spam and still gets it."
        )
        output.print_notes([notice])
    if not tally.unread:
        return
    output.note("To read:")
    for each in tally.unread[:_SHOWN]:
        kind = "" if each.kind is ReportKind.UNCLEAR else f"{each.kind}, "
        output.note(f"  {each.name}: {kind}{_WHY[each.why]}{f': {each.detail}' if each.detail else ''}")
    more = tally.unclear + tally.nobody + tally.forged - min(len(tally.unread), _SHOWN)
    if more > 0:
        output.note(f"  … and {more:,} more")


def _data_of(tally: MailTally, *, is_dry_run: bool) -> Mapping[str, object]:
    return {
        "dry_run": is_dry_run,
        "emails": tally.emails,
        "reports": {kind.value: tally.kinds[kind] for kind in _LABELS},
        "events_in_exports": dict(sorted(tally.types.items())),
        "not_understood": tally.unclear,
        "fits_nobody": tally.nobody,
        "forged": tally.forged,
        "to_read": [
            {"email": each.name, "kind": each.kind.value, "why": each.why.value, "detail": each.detail}
            for each in tally.unread
        ],
        "new_events": tally.ingested.added,
        "newly_blocked": tally.ingested.suppressed + tally.ingested.worn_out,
        "batches_settled": tally.ingested.settled,
    }
