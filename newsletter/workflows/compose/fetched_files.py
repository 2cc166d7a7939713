"""Write what feeds and calendars contain as files that can certainly be read as items of an issue, and their images."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from newsletter.config import Config
from newsletter.content.keys import as_plain
from newsletter.content.parts import PartReader
from newsletter.errors import FaultError
from newsletter.incoming.download import Download
from newsletter.incoming.entries import IncomingEntry, cut
from newsletter.incoming.item_text import ItemPicture, Taken, item_text
from newsletter.language.catalogue import spoken, words_of
from newsletter.model.issue import Issue
from newsletter.model.issue_fields import EventFields
from newsletter.model.picture_files import DECODING_FAULTS, DRAWN_ENDING, PHOTOGRAPHED_FORMATS, WIDEST
from newsletter.model.slots import MERGE_TOKEN
from newsletter.system.pictures import opened_picture, read_picture
from newsletter.system.stream import TimeLimit
from newsletter.workflows.compose.new_pictures import PICTURES_FOLDER, ending_of

_PICTURE_SECONDS, _PICTURES_SECONDS = 10.0, 40.0  # for one image, and for all of a section
_NARROWEST = 200  # pixels; smaller images are icons and trackers
_LONGEST_LABEL = 60  # characters of a title in the text of its link


class FetchedFiles:
    """The files of one section's entries. `download` returns what is at an address, or raises FaultError."""

    def __init__(self, config: Config, folder: Path, issue: Issue, download: Callable[..., Download]) -> None:
        self._config, self._folder, self._issue, self._download = config, folder, issue, download
        self._pictures_limit: TimeLimit | None = None
        self.pictures: dict[str, bytes] = {}  # the images that were downloaded, by their names in the issue
        self.notes: list[str] = []  # what was left out

    def text_of(self, entry: IncomingEntry, taken: Taken, path: str, *, downloads: bool) -> str | None:
        """Return the text of an entry's file, as far as the issue can be read with it, or None if it cannot."""
        label = words_of(spoken([self._issue.language]), "fetched")["more"]
        title = cut(entry.title, _LONGEST_LABEL)
        written = replace(
            entry, title=as_plain(entry.title), location=as_plain(entry.location) if entry.location else ""
        )
        zone, picture = self._issue.zone, self._picture(entry, downloads=downloads)
        label = as_plain(label.format(title=title))
        shorter = (
            (written, picture),
            (replace(written, text=entry.bare_text), picture),
            (replace(written, text=""), None),
        )
        what = ""
        for attempt, image in shorter:
            text = item_text(attempt, zone, label, taken, image)
            mistake = self._mistake_in(text, path, image)
            if mistake is None:
                if not attempt.text and entry.text:
                    self.notes.append(f"the text of “{entry.title}” is left out, because {what}")
                return text
            what = mistake
        self.notes.append(f"“{entry.title}” is left out, because {what}")
        return None

    def _mistake_in(self, text: str, path: str, picture: ItemPicture | None) -> str | None:
        """Return what would be wrong with the file of an item, or None. It is read as in the issue, but elsewhere."""
        with TemporaryDirectory(prefix="newsletter-fetch-") as scratch:
            contents = {path: text.encode(errors="replace")}
            if picture is not None:
                contents[picture.name] = self._content_of(picture.name)
            for name, content in contents.items():
                (Path(scratch) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(scratch) / name).write_bytes(content)
            parts = PartReader(self._config, Path(scratch))
            document = parts.document(path)
            read = None if document is None else parts.read(document, EventFields)
        # Whatever way a merge field got in, it would fill in what the newsletter knows of each reader.
        if parts.reading.merge_fields or (read and MERGE_TOKEN.search(f"{read.fields!r} {read.prose!r}")):
            return "it contains a merge field"
        if read is None or parts.reading.mistakes:
            return parts.reading.mistakes[0].what if parts.reading.mistakes else "it cannot be read"
        return None

    def _picture(self, entry: IncomingEntry, *, downloads: bool) -> ItemPicture | None:
        """Return an entry's image in the issue, or None if there is none that can be used."""
        name = self._picture_name(entry, downloads=downloads)
        if not name:
            return None
        try:
            with opened_picture(self._content_of(name), PurePath(name).suffix) as picture:
                width = picture.width // 2  # screens have two pixels or more for each pixel of the email
        except DECODING_FAULTS:  # a file of the issue that was damaged meanwhile; FaultError is one of them
            return None
        return ItemPicture(name=name, width=width if width < WIDEST else None)

    def _content_of(self, name: str) -> bytes:
        return self.pictures[name] if name in self.pictures else read_picture(self._folder / name)

    def _picture_name(self, entry: IncomingEntry, *, downloads: bool) -> str:
        """Return the name of an entry's image in the issue, or an empty text. Download it if it is not there yet."""
        if entry.picture is None:
            return ""
        stem = f"fetched-{blake2b(entry.picture.url.encode(errors='replace'), digest_size=8).hexdigest()}"
        endings = [
            ending for ending in PHOTOGRAPHED_FORMATS if (self._folder / PICTURES_FOLDER / f"{stem}{ending}").is_file()
        ]
        known = [name for name in self.pictures if name.startswith(f"{PICTURES_FOLDER}/{stem}.")]
        if endings or known or not downloads:
            return known[0] if known else f"{PICTURES_FOLDER}/{stem}{endings[0]}" if endings else ""
        self._pictures_limit = self._pictures_limit or TimeLimit(_PICTURES_SECONDS)
        try:
            seconds = min(_PICTURE_SECONDS, self._pictures_limit.left())
            content = self._download(entry.picture.url, seconds=seconds).content or b""
            ending = _ending_of(content)
        except (FaultError, TimeoutError) as err:
            reason = err.what if isinstance(err, FaultError) else "the images take too long"
            self.notes.append(f"the image of “{entry.title}” is left out, because {reason}")
            return ""
        if not ending:
            return ""
        name = f"{PICTURES_FOLDER}/{stem}{ending}"
        self.pictures[name] = content
        return name


def _ending_of(content: bytes) -> str:
    """Return the ending for an image that others made, or an empty text if it is only an icon or a tracker."""
    ending = ending_of(content)
    if ending == DRAWN_ENDING:
        raise FaultError("it is a drawing (SVG), which can contain other things", "use a photo")
    with opened_picture(content, ending) as picture:
        return ending if picture.width >= _NARROWEST else ""
