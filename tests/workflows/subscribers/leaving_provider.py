"""The suppression lists of a provider, in memory: what `providers/base.py` asks of them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from newsletter.model.event import ListedAddress, ProviderList
from tests.store.builders import NOW


class Lists:
    """The lists, and which of their entries we added."""

    def __init__(self) -> None:
        self.entries: list[ListedAddress] = []
        self.ours: list[ListedAddress] = []
        self.now = NOW

    def put(self, listed: ProviderList, email: str, at: datetime) -> None:
        """Add an entry, unless the address is on the list."""
        if not any(entry.on is listed and entry.email.lower() == email.lower() for entry in self.entries):
            self.entries.append(ListedAddress(on=listed, email=email, created_at=at))

    def pull(
        self, listed: ProviderList, *, since: datetime | None, until: datetime
    ) -> Iterator[tuple[ListedAddress, ...]]:
        yield tuple(
            entry
            for entry in self.entries
            if entry.on is listed and (since is None or entry.created_at >= since) and entry.created_at <= until
        )

    def add(self, emails: Sequence[str]) -> tuple[str, ...]:
        for email in emails:
            self.put(ProviderList.UNSUBSCRIBES, email, self.now)
            self.ours += [entry for entry in self.entries[-1:] if entry.email == email and entry not in self.ours]
        return ()

    def remove(self, listed: ProviderList, email: str) -> None:
        self.entries = [
            entry for entry in self.entries if not (entry.on is listed and entry.email.lower() == email.lower())
        ]
