"""Arguments and options that several commands share.

The metavar names the kind of value. It determines how the shell completes an ISSUE, a SEGMENT, a BROADCAST, a GROUP of
reviewers, a TOPIC, a COLUMN or a TAG (`cli/completion.py`).
"""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.model.audience import SuppressionReason
from newsletter.model.finding import Means

NamedIssue = Annotated[str, typer.Argument(metavar="ISSUE", help="The issue to use, for example 2026-02.")]
NewestIssue = Annotated[
    str | None, typer.Argument(metavar="ISSUE", help="The issue to use, for example 2026-02. Default: the latest.")
]
BroadcastNumber = Annotated[
    int, typer.Argument(metavar="BROADCAST", help="The number of the broadcast, as `newsletter status` shows it.")
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address of the subscriber.")]
OutputFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The file to write. Default: print to the screen.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
_SUBJECT = "The subject of a follow-up, in place of the issue's own. For another language: `es=TEXT`. Repeatable."
OtherSubjects = Annotated[list[str], typer.Option("--subject", metavar="TEXT", help=_SUBJECT)]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, without changing anything.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")]
Without = Annotated[
    list[Means],
    typer.Option(
        metavar="TOOL",
        envvar="NEWSLETTER_WITHOUT",
        help="Skip the checks that need this tool: `browser`, `network` or `spamassassin`. Repeatable.",
    ),
]
REASONS = f"{', '.join(list(SuppressionReason)[:-1])} or {SuppressionReason.MANUAL}"
OnlyReason = Annotated[
    SuppressionReason | None,
    typer.Option("--reason", metavar="REASON", help=f"Only addresses blocked for this reason: {REASONS}."),
]
_ONLY_TOPIC = 'Only people who unsubscribed from this topic. Use "" for addresses blocked for all email.'
OnlyTopic = Annotated[str | None, typer.Option(metavar="TOPIC", help=_ONLY_TOPIC)]
