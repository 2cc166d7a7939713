"""Reads the parts of an issue: the file of a section or an item, its keys, its Markdown, and the images in it."""

from functools import lru_cache
from os import sep
from pathlib import Path
from typing import TypeVar, cast

from msgspec import Struct, field

from newsletter.config import Config
from newsletter.content.markdown import parse_markdown
from newsletter.content.pictures import find_picture, location_of, require_title
from newsletter.content.records import Read, known_record, record_of
from newsletter.content.source import Document, Reading, read_front_matter
from newsletter.errors import FaultError
from newsletter.model.finding import Place
from newsletter.model.issue import PictureFile
from newsletter.model.values import Fields

_FieldsT = TypeVar("_FieldsT", bound=Fields)


@lru_cache(maxsize=1024)
def _plain(document: Document, model: type[Fields]) -> Read[Fields] | None:
    """Return a file as it was read before. Return None if it has mistakes or images, which are looked at each time."""
    fields, pictures = known_record(document.keys, model)
    parsed = parse_markdown(document.body, path=document.path, lines=document.body_lines)
    if fields is None or pictures or parsed.losses or parsed.prose.pictures:
        return None
    return Read(document, fields, parsed.prose)


class PartReader(Struct):
    """Reads the parts of one issue, and collects their mistakes, merge fields and images.

    Each file is named as text, relative to the issue's folder, because pathlib would take a tenth of each rebuild.
    """

    config: Config
    folder: Path
    reading: Reading = field(default_factory=Reading)
    pictures: dict[str, PictureFile] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # the Markdown files that were read
    _top: str = ""
    _shown_top: str = ""

    def __post_init__(self) -> None:
        self._top, self._shown_top = f"{self.folder}{sep}", f"{self.config.shown(self.folder)}{sep}"

    def shown(self, file: str) -> str:
        """Return the path of a file as the user would type it."""
        return self._shown_top + file

    def document(self, file: str) -> Document | None:
        """Return the contents of a file, or None if it cannot be read."""
        self.used.add(file)
        return read_front_matter(self._top + file, self.shown(file), self.reading)

    def read(self, document: Document, model: type[_FieldsT]) -> Read[_FieldsT] | None:
        """Return the keys and the Markdown of a file, or None if its keys are wrong."""
        if (plain := _plain(document, model)) is not None:
            return cast("Read[_FieldsT]", plain)

        def require_picture(name: str) -> None:
            self._require_picture(name, document.source.at(*location_of(name, document.data)))

        fields = record_of(document, model, self.reading, require_picture)
        parsed = parse_markdown(document.body, path=document.path, lines=document.body_lines)
        for loss in parsed.losses:
            self.reading.add(document.path, loss.line, loss.what, loss.remedy, fix=loss.fix)
        for picture in parsed.prose.pictures:
            try:
                require_title(picture)
                self._require_picture(picture.path, picture.place)
            except FaultError as err:
                self.reading.add(picture.place.path, picture.place.line, err.what, err.remedy, fix=err.fix)
        return None if fields is None else Read(document, fields, parsed.prose)

    def _require_picture(self, name: str, place: Place) -> None:
        if name not in self.pictures:
            path = find_picture(self.folder, name, shown=self.config.shown)
            self.pictures[name] = PictureFile(path=path, place=place)
