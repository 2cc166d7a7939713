"""`newsletter subscribers undo-import`: what undoing the last import changes, the confirmation, and what stays."""

from datetime import UTC, datetime

from newsletter.cli import output
from newsletter.cli.options import DryRun, Yes
from newsletter.cli.send.held import held_for, print_held
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_utc
from newsletter.model.undo import UndoReport
from newsletter.store.undo import undo_last_import

_SHOWN = 20
_UNCHANGED = "Nothing was changed."


def undo_import(dry_run: DryRun = False, yes: Yes = False) -> None:
    """Undo the last import: remove the people it added, and restore what it changed.

    What happened since then is kept: people who were edited, are recipients of a broadcast, unsubscribed or were
    blocked stay as they are, and are listed. Undoing an import never causes email to anyone who has left
    since. Only the last import can be undone, and only once. You are asked to confirm.
    """
    with opened_database() as (config, database):
        planned = undo_last_import(database, shown=_SHOWN, is_dry_run=True, now=datetime.now(UTC))
        _print_plan(planned)
        if dry_run:
            output.note_dry_run()
            return
        output.require_yes("Undo this import?", yes=yes, otherwise=_UNCHANGED)
        now = datetime.now(UTC)
        undo_last_import(database, shown=0, confirmed=planned, now=now)
        database.scrub()  # people who are erased again must not stay in the engine's own files
        output.say(f"The import of {planned.file or 'the list'} was undone.")
        print_held(config, held_for(config, database, now=now), now=now)


def _print_plan(planned: UndoReport) -> None:
    """Print the import, the number of changes that are undone, and those that stay."""
    output.print_facts(
        [
            ("list", planned.file or "unknown"),
            ("imported", show_utc(planned.at)),
            ("people to remove", f"{planned.removed:,}"),
            ("people to change back", f"{planned.restored:,}"),
            ("blocks to lift", f"{planned.lifted:,}" if planned.lifted else ""),
            ("blocks to restore", f"{planned.blocked:,}" if planned.blocked else ""),
            ("kept", f"{planned.kept:,}" if planned.kept else ""),
        ]
    )
    if not planned.kept:
        return
    output.note("Kept, because of what happened since the import:")
    for kept in planned.kept_changes:
        output.note(f"  {kept.email} {kept.what}: {kept.why}")
    if planned.kept > len(planned.kept_changes):
        output.note(f"  … and {planned.kept - len(planned.kept_changes):,} more")
