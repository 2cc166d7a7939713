"""Gives each event of an issue an id, by which calendars and the archive know it."""

from collections import Counter
from unicodedata import normalize

from msgspec import Struct, field

from newsletter.content.issue_folder import IssueFolder, folder_of, stem_of
from newsletter.content.source import Document, Reading


class EventIds(Struct):
    """The ids of one issue's events. Two events that name the same id are a mistake."""

    folder: IssueFolder
    domain: str
    taken: dict[str, str] = field(default_factory=dict)  # the file of each id
    names: Counter[str] | None = None  # in how many sections a file has each name; None until it is first asked for

    def uid_of(self, file: str, document: Document, written: str | None, reading: Reading) -> str:
        """Return what identifies an event in every calendar (RFC 7986, 5.3): its id, and the newsletter's domain.

        Without an `id`, it is made from the names of the issue and of the file. If files in several sections have that
        name, the name of the section is in it too, so that the order of the sections does not matter.
        """
        section, name = (normalize("NFC", part) for part in (folder_of(file), stem_of(file)))
        section = f"{section}-" if written is None and self._count(name) > 1 else ""
        id_ = written or f"{self.folder.path.name}-{section}{name}"
        if (other := self.taken.setdefault(id_, document.path)) != document.path:
            what = f"the event in {other} has the id {id_!r} too"
            reading.add(document.path, document.source.at("id").line, what, "give one of the two another `id`")
        return f"{id_}@{self.domain.lower()}"

    def _count(self, name: str) -> int:
        if self.names is None:
            sections = {folder_of(file) for file in self.folder.sections().values() if stem_of(file) == "index"}
            self.names = Counter(name for section in sections for name in self.folder.items(section))
        return self.names[name]
