"""The checks that take seconds, with a bar that says which are going on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import output
from newsletter.model.finding import Means

if TYPE_CHECKING:
    from newsletter.config import Config
    from newsletter.workflows.compose.compose import Probing

Without = Annotated[
    list[Means],
    typer.Option(
        metavar="MEANS",
        envvar="NEWSLETTER_WITHOUT",
        help="Leave out the checks that need browser, network or spamassassin; they are told as not judged. May be "
        "given several times.",
    ),
]


@contextmanager
def probing(config: "Config", without: Sequence[Means], *, now: datetime) -> "Iterator[Probing]":
    """Asks for the probes, but for what the person or the settings leave out, and shows which of them are going on."""
    from newsletter.checks.probes import PROBES
    from newsletter.workflows.compose.compose import Probing

    left_out = frozenset((*without, *map(Means, config.settings.checks.without)))
    titles = [probe.title for probe in PROBES if probe.means not in left_out]
    with output.steps("Checking", titles) as on_probed:
        yield Probing(now=now, without=left_out, on_probed=on_probed)
