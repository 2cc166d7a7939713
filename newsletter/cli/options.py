"""The arguments and options that several commands take, each said once."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.model.audience import SuppressionReason
from newsletter.model.finding import Means

NamedIssue = Annotated[str, typer.Argument(metavar="ISSUE", help="The issue, such as 2026-02.")]
NewestIssue = Annotated[str | None, typer.Argument(metavar="ISSUE", help="Such as 2026-02; the newest without one.")]
BroadcastNumber = Annotated[int, typer.Argument(metavar="BROADCAST", help="The number of a broadcast.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")]
OutputFile = Annotated[Path | None, typer.Argument(metavar="FILE", help="The file to write; else the screen.")]
AsJson = Annotated[bool, typer.Option("--json", help="For a script.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Without = Annotated[
    list[Means],
    typer.Option(
        metavar="MEANS",
        envvar="NEWSLETTER_WITHOUT",
        help="Skip the checks that need browser, network or spamassassin. May be given several times.",
    ),
]
REASONS = f"{', '.join(list(SuppressionReason)[:-1])} or {SuppressionReason.MANUAL}"
OnlyReason = Annotated[SuppressionReason | None, typer.Option("--reason", metavar="REASON", help=f"Only {REASONS}.")]
OnlyTopic = Annotated[str | None, typer.Option(metavar="TOPIC", help='Only who left this topic; "" for all mail.')]
