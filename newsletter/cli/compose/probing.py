"""The checks that take a while, with a bar that says which are running."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from newsletter.checks.probes import PROBES
from newsletter.cli import bars
from newsletter.config import Config
from newsletter.model.finding import Means
from newsletter.workflows.compose.compose import Probing


@contextmanager
def probing(config: Config, without: Sequence[Means], *, now: datetime) -> Iterator[Probing]:
    """Ask for the probes, but for what the person or the settings leave out, and show which are running."""
    left_out = frozenset((*without, *map(Means, config.settings.checks.without)))
    titles = [probe.title for probe in PROBES if probe.means not in left_out]
    with bars.steps("Checking", titles) as on_probed:
        yield Probing(now=now, without=left_out, on_probed=on_probed)
