"""Which transitions of the ledger all runs together have reached, whatever process ran them."""

import fcntl
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.story import Story
from tests.faults.transitions import TRANSITIONS, Transition


class Coverage:
    """A folder that all processes of a test session share. Each group of runs leaves a file there when it has ended.

    The last group to end judges. If the session has only some of the groups, there is no verdict.
    """

    def __init__(self, folder: Path, groups: Iterable[str]) -> None:
        self._folder = folder
        self._groups = frozenset(groups)
        folder.mkdir(exist_ok=True)

    @contextmanager
    def group(self, name: str) -> Iterator[list[Story]]:
        """Collect the stories of a group. Print them; fail if the last group leaves something unreached."""
        assert name in self._groups, name
        stories: list[Story] = []
        yield stories
        for story in stories:
            print(story)  # noqa: T201 - pytest shows it with -rP, and with a failure
        reached = frozenset[Transition]().union(*(story.reached for story in stories))
        missing = self._missing_after(name, reached)
        assert not missing, "no run has reached " + "; ".join(f"{each} ({TRANSITIONS[each]})" for each in missing)

    def _missing_after(self, name: str, reached: Iterable[Transition]) -> list[Transition]:
        """Return what no group has reached, if this was the last; otherwise nothing."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            facts = [[each.table, each.before, each.after] for each in reached]
            (self._folder / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")
            ended = {path.stem: path for path in self._folder.glob("*.json")}
            if not self._groups <= ended.keys():
                return []
            found = {
                Transition(*row) for path in ended.values() for row in json.loads(path.read_text(encoding="utf-8"))
            }
        sure = set(TRANSITIONS)
        return sorted(sure - found)
