"""Where in the user's files a text, a link or a picture of the mail was written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from newsletter.checks.words import normalised
from newsletter.config import CONFIG_FILE
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, Item, Prose, Section, Source
from newsletter.model.issue_fields import LetterFields, LinkFields, MeditationFields, Signature, Video
from newsletter.model.mistakes import Location
from newsletter.settings.workspace import Settings

# Keys whose texts steer the program; readers never see them as words.
_UNSEEN_KEYS = frozenset({"items", "language", "layout", "portrait", "repeats", "sections", "still", "timezone", "url"})
_CONTENT_HASH = re.compile(r"-[0-9a-f]{12}(?=\.[a-z]+$)")  # what a rendered picture's name has before its suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """Words that readers see, and where they are written."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLink:
    """A link, and where its address is written."""

    text: str
    address: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePicture:
    """A picture, and where its file is named; `alt` is None where nothing asks for one."""

    path: str
    alt: str | None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All texts, links and pictures of an issue as written."""

    texts: tuple[SourceText, ...]
    links: tuple[SourceLink, ...]
    pictures: tuple[SourcePicture, ...]

    def place_of_text(self, text: str) -> Place | None:
        """Where a text is written; None where the theme or the program made it."""
        wanted = normalised(text)
        if not wanted:
            return None
        return next((source.place for source in self.texts if wanted in normalised(source.text)), None)

    def place_of_link(self, address: str, text: str) -> Place | None:
        """Where a link is written: the one with the same words, if several lead to the address."""
        same = [link for link in self.links if link.address == address]
        wanted = normalised(text)
        exact = (link.place for link in same if normalised(link.text) == wanted)
        return next(exact, same[0].place if same else None)

    def place_of_picture(self, address: str) -> Place | None:
        """Where the file of a rendered picture is named, by its name or its address in the mail."""
        name = re.split(r"[/:]", address)[-1].partition("@")[0]
        stem = Path(_CONTENT_HASH.sub("", name)).stem
        return next((picture.place for picture in self.pictures if _plain_stem(picture.path) == stem), None)


def index_sources(issue: Issue, settings: Settings) -> Sources:
    """Walks the issue's files, and what of the settings is shown in every mail."""
    texts: list[SourceText] = []
    links: list[SourceLink] = []
    pictures: list[SourcePicture] = []
    for model, source in _front_matters(issue):
        for location, value in _leaves(model, ()):
            place = source.at(*location)
            if isinstance(value, str):
                texts.append(SourceText(text=value, place=place))
            elif isinstance(value, LinkFields):
                links.append(SourceLink(text=value.label, address=value.url, place=source.at(*location, "url")))
            elif isinstance(value, Video):
                links.append(SourceLink(text=value.alt, address=value.url, place=source.at(*location, "url")))
    for part in _parts(issue):
        texts += _prose_texts(part.prose, part.source.path)
        links += [SourceLink(text=link.text, address=link.url, place=link.place) for link in part.prose.links]
        pictures += _pictures(part)
    return Sources(
        texts=(*texts, *_settings_texts(settings)),
        links=(*links, *_settings_links(settings)),
        pictures=(*pictures, *_settings_pictures(settings)),
    )


def _front_matters(issue: Issue) -> Iterator[tuple[BaseModel, Source]]:
    yield issue.fields, issue.source
    for part in _parts(issue):
        yield part.fields, part.source


def _parts(issue: Issue) -> Iterator[Section | Item]:
    for section in issue.sections:
        yield section
        yield from section.items


def _leaves(value: object, location: Location) -> Iterator[tuple[Location, object]]:
    """Every record and every text below a record of front matter, with the keys that lead to it."""
    if isinstance(value, BaseModel):
        yield location, value
        for name in type(value).model_fields:
            if name not in _UNSEEN_KEYS:
                yield from _leaves(getattr(value, name), (*location, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, (*location, index))
    elif isinstance(value, str):
        yield location, value


def _prose_texts(prose: Prose, path: str) -> Iterator[SourceText]:
    for block in prose.tokens:
        if block.type != "inline" or block.children is None:
            continue
        line = prose.first_line + (block.map[0] if block.map else 0)
        words: list[str] = []
        for token in block.children:
            if token.type in {"softbreak", "hardbreak"}:
                yield SourceText(text="".join(words), place=Place(path=path, line=line))
                words, line = [], line + 1
            else:
                words.append(token.content)
        yield SourceText(text="".join(words), place=Place(path=path, line=line))


def _pictures(part: Section | Item) -> Iterator[SourcePicture]:
    for picture in part.prose.pictures:
        yield SourcePicture(path=picture.path, alt=picture.alt, place=picture.place)
    match part.fields:
        case LetterFields(signature=Signature(portrait=str(path))):
            yield SourcePicture(path=path, alt=None, place=part.source.at("signature", "portrait"))
        case MeditationFields(video=Video(still=path)):
            yield SourcePicture(path=path, alt=None, place=part.source.at("video", "still"))


def _settings_texts(settings: Settings) -> Iterator[SourceText]:
    identity = settings.newsletter
    for text in (identity.name, identity.organisation, identity.address, identity.reason):
        yield SourceText(text=text, place=Place(path=CONFIG_FILE))


def _settings_links(settings: Settings) -> Iterator[SourceLink]:
    yield SourceLink(text=settings.newsletter.name, address=settings.newsletter.website, place=Place(path=CONFIG_FILE))
    for link in settings.brand.social:
        yield SourceLink(text=link.name, address=link.url, place=Place(path=CONFIG_FILE))


def _settings_pictures(settings: Settings) -> Iterator[SourcePicture]:
    for path in (settings.brand.logo, settings.brand.logo_dark):
        if path is not None:
            yield SourcePicture(path=path, alt=None, place=Place(path=CONFIG_FILE))


def _plain_stem(path: str) -> str:
    """A file's name as rendered pictures carry it: letters and digits, with dashes for all other signs."""
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in Path(path).stem)
