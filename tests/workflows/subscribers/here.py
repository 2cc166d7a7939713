"""A database, and the lists that a test imports into it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from newsletter.lists.suppression_rows import SuppressionTerms
from newsletter.model.imports import ImportReport
from newsletter.model.segment import All
from newsletter.store.database import Database
from newsletter.store.segments import list_members
from newsletter.store.suppressions import add_suppressions, list_suppressions
from newsletter.workflows.subscribers.export import export_to_file
from newsletter.workflows.subscribers.import_ import ImportRequest, import_list
from newsletter.workflows.suppressions.suppress import export_to_file as export_suppressions
from newsletter.workflows.suppressions.suppress import listed_suppressions

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
WAYS: dict[str, tuple[str, str]] = {
    "commas": (",", "utf-8"),
    "Excel in German": (";", "utf-8-sig"),
    "tabs in UTF-16": ("\t", "utf-16"),
}


class Here:
    """A database, and the folder for the lists that are imported into it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self._folder = database, folder

    def write(self, content: str | bytes, name: str = "list.csv") -> Path:
        path = self._folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def bring_in(self, content: str | bytes, *, now: datetime = NOW, **options: object) -> ImportReport:
        request = ImportRequest(**{"path": self.write(content), "mapping": {}, **options})  # type: ignore[arg-type]
        return import_list(self.database, request, now=now)

    def suppress(self, content: str | bytes, *, now: datetime = NOW) -> set[str]:
        """Add the people whom a file says to have left, and return their names."""
        path = self.write(content, "left.csv")
        terms = SuppressionTerms()
        named = list(listed_suppressions(path, terms, topics={}, now=now, on_row=lambda _: None))
        add_suppressions(self.database, named)
        return {each.email.partition("@")[0] for each in named}

    def emailed(self) -> set[str]:
        """Return the names of the people who may be emailed."""
        members = list_members(self.database, All())
        return {member.subscriber.record.email.partition("@")[0] for member in members if member.is_mailed}

    def carry_to(self, there: "Here") -> None:
        """Export everything from here, and bring it in there: first the blocked addresses, then the list."""
        left, people = self._folder / "carried-left.csv", self._folder / "carried.csv"
        export_suppressions(list_suppressions(self.database), left, form="csv", overwrite=True)
        export_to_file(self.database, people, overwrite=True)
        there.suppress(left.read_bytes())
        there.bring_in(people.read_bytes())


def written(rows: Sequence[Sequence[str]], way: str = "commas") -> bytes:
    """Return a list as one of the programs in WAYS writes it."""
    mark, encoding = WAYS[way]
    quoted = (mark.join(f'"{cell}"' if mark in cell else cell for cell in row) for row in rows)
    return ("\n".join(quoted) + "\n").encode(encoding)
