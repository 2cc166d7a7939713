"""What happened in a run, in order, written by all of its processes into one file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """One line of the log."""

    at: float  # seconds since the epoch
    pid: int
    what: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.at % 1000:8.3f} [{self.pid}] {self.what} {facts}"


class EventLog:
    """A file that a process may append to at any moment, even the one before it is killed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, what: str, **facts: object) -> None:
        """Appends a line; in one write, so that lines of several processes do not mix."""
        line = json.dumps({"at": time(), "pid": os.getpid(), "what": what, **facts}) + "\n"
        descriptor = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def events(self, *what: str) -> list[LoggedEvent]:
        """The lines so far, or those of some kinds."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            facts = json.loads(line)
            event = LoggedEvent(at=facts.pop("at"), pid=facts.pop("pid"), what=facts.pop("what"), facts=facts)
            if not what or event.what in what:
                found.append(event)
        return found

    def __str__(self) -> str:
        return "\n".join(map(str, self.events()))
