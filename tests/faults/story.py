"""How a run ended, for people."""

from dataclasses import dataclass

from tests.faults.eventlog import EventLog
from tests.faults.plan import Plan
from tests.faults.promise import Account
from tests.faults.transitions import Transition

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How a run ended."""

    plan: Plan
    accounts: tuple[Account, ...]
    broken: tuple[str, ...]  # promises; none where all is well
    log: EventLog
    reached: frozenset[Transition]

    def __str__(self) -> str:
        """The states and transitions of the ledger that the run has reached, in one line."""
        plan = self.plan
        states = sorted({f"{each.table} {each.after}" for each in self.reached})
        return (
            f"seed {plan.seed}, {plan.provider}: {len(states)} states ({', '.join(states)}); "
            f"{len(self.reached)} transitions ({', '.join(map(str, sorted(self.reached)))})"
        )

    def told(self, path: str) -> str:
        """All that is needed to look into a run that failed, and to carry it out again."""
        return "\n".join(
            [
                f"seed {self.plan.seed}: {self.plan}",
                *map(str, self.log.events()),
                *(f"broadcast {account.id} is {account.state}: {account.tally}" for account in self.accounts),
                *self.broken[:_MOST_SHOWN],
                f"{len(self.broken)} promises were broken",
                f"once more: FAULT_SEED={self.plan.seed} FAULT_RUNS=1 pytest {path}",
            ]
        )
