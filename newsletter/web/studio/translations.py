"""The translations of an issue beside their originals, with what is stale, each edited in its place."""

from pathlib import Path
from urllib.parse import urlencode

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.content.loader import load_issue
from newsletter.errors import ConflictError, InputError, MistakesError
from newsletter.language.direction import direction_of_language
from newsletter.language.words import language_name
from newsletter.translation.held import TranslationState
from newsletter.web.studio.road import Fields, with_form
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.workflows.compose.editing import save_file
from newsletter.workflows.compose.file_writes import write_files
from newsletter.workflows.translations.originals import TranslatedFile
from newsletter.workflows.translations.overview import (
    LanguageStatus,
    SentenceStatus,
    offered_languages,
    readable,
    sentences_in,
    translations_into,
)
from newsletter.workflows.translations.text_reader import restored
from newsletter.workflows.translations.unit_edit import edited_unit
from newsletter.workflows.translations.writing import source_markdown

_REFUSED, _CONFLICT = 422, 409


class SideBySide(Struct, frozen=True, kw_only=True):
    """A sentence and its translation, as they are written in their files."""

    original: str
    translation: str
    state: TranslationState


class ShownUnit(Struct, frozen=True, kw_only=True):
    """A key or a block, sentence by sentence."""

    id: str
    role: str
    place: str
    sentences: tuple[SideBySide, ...]

    @property
    def state(self) -> TranslationState:
        """The state of the sentence that needs the most attention."""
        states = {each.state for each in self.sentences}
        return next(state for state in TranslationState if state in states)


class ShownFile(Struct, frozen=True, kw_only=True):
    """A file with its units, and the place to edit its translation as a whole."""

    name: str
    shown: str
    fingerprint: str  # of the translation; empty if it does not exist
    units: tuple[ShownUnit, ...]
    is_tracked: bool
    surplus: int


class Typed(Struct, frozen=True, kw_only=True):
    """What was typed for a unit, and why it was not saved."""

    file: str
    unit: str
    texts: tuple[str, ...]
    problem: str


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the page and of its forms."""
    pages = _TranslationPages(studio)
    return [
        Route("/{issue}/translations", pages.show),
        Route("/{issue}/translations", with_form(pages.save), methods=["POST"]),
    ]


class _TranslationPages:
    """The request handlers. They run in threads, because they read files."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self, request: Request) -> Response:
        """Return the page of one language."""
        return self._page(request, language=request.query_params.get("language", ""))

    def save(self, request: Request, fields: Fields) -> Response:
        """Write the translation of one unit, and redirect to its place on the page."""
        given = {name: values[0] for name, values in fields.items() if values}
        language, name, unit = (given.get(key, "") for key in ("language", "file", "unit"))
        texts = tuple(given[f"sentence-{number}"] for number in range(len(fields)) if f"sentence-{number}" in given)
        status = self._status(request, language)
        translation = next((each for each in status.translations if each.original.name == name), None)
        if translation is None:
            raise HTTPException(404, "There is no such file in this issue. Reload the page.\n")
        typed = Typed(file=name, unit=unit, texts=texts, problem="")
        try:
            self._write(request, translation, unit, texts, was=given.get("was", ""))
        except ConflictError:
            problem = f"{translation.shown} was changed elsewhere in the meantime. Save again to put your text into it."
            return self._page(request, language=language, typed=typed, problem=problem, status=_CONFLICT)
        except InputError as err:
            return self._page(request, language=language, typed=typed, problem=str(err), status=_REFUSED)
        query = urlencode({"language": language, **({"show": "open"} if given.get("show") == "open" else {})})
        return RedirectResponse(f"translations?{query}#{anchor(name, unit)}", status_code=303)

    def _write(
        self, request: Request, translation: TranslatedFile, unit: str, texts: tuple[str, ...], *, was: str
    ) -> None:
        write = edited_unit(translation, unit, texts)
        config, folder = self._studio.config, self._folder(request)
        if translation.file is None:
            if was:
                raise ConflictError(f"{translation.shown} no longer exists")
            write_files(folder, [write])
            return
        save_file(config, folder, translation.file, write.content.decode("utf-8-sig"), replaces=was)

    def _folder(self, request: Request) -> Path:
        folder = self._studio.proofs.issues().get(request.path_params["issue"])
        if folder is None:
            raise HTTPException(404, "There is no such issue.\n")
        return folder

    def _status(self, request: Request, language: str) -> LanguageStatus:
        """Return the translations into a language. Raise HTTPException if it is not offered."""
        config, folder = self._studio.config, self._folder(request)
        try:
            issue = load_issue(config, folder)
            (code,) = offered_languages(config, issue, language)
        except MistakesError as err:
            raise HTTPException(409, f"Correct the mistakes in the issue first:\n{err}\n") from err
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err
        return translations_into(code, config, folder, issue)

    def _page(
        self, request: Request, *, language: str, typed: Typed | None = None, problem: str = "", status: int = 200
    ) -> Response:
        config, name = self._studio.config, request.path_params["issue"]
        own = config.settings.languages.offered
        self._folder(request)
        if not own:
            return page(self._studio, "translations.html.j2", issue=name, found=None, languages={})
        found = self._status(request, language or own[0])
        only_open = request.query_params.get("show") == "open"
        return page(
            self._studio,
            "translations.html.j2",
            status=status,
            issue=name,
            found=found,
            counts={state.value: count for state, count in found.counts().items()},
            languages={code: language_name(code) for code in own},
            source=load_issue(config, self._folder(request)).language,
            direction_of=direction_of_language,
            files=[each for each in map(_shown, found.translations) if each.units],
            only_open=only_open,
            typed=typed,
            problem=problem,
            anchor=anchor,
        )


def anchor(file: str, unit: str) -> str:
    """Return the id of a unit on the page."""
    return f"{file}-{unit}".replace("/", "-").replace(".", "-")


def _shown(translation: TranslatedFile) -> ShownFile:
    units: dict[str, list[SentenceStatus]] = {}
    for each in sentences_in(translation):
        units.setdefault(each.unit.id, []).append(each)
    return ShownFile(
        name=translation.original.name,
        shown=translation.shown,
        fingerprint="" if translation.file is None else translation.file.fingerprint,
        units=tuple(_shown_unit(translation, sentences) for sentences in units.values()),
        is_tracked=translation.is_tracked,
        surplus=translation.surplus,
    )


def _shown_unit(translation: TranslatedFile, sentences: list[SentenceStatus]) -> ShownUnit:
    unit = sentences[0].unit
    original = translation.original
    return ShownUnit(
        id=unit.id,
        role=f"{unit.role[:1].upper()}{unit.role[1:]}",
        place=sentences[0].place,
        sentences=tuple(
            SideBySide(
                original=restored(source_markdown(original, unit.segments[each.index]), original.reader.fields),
                translation=readable(translation, each.held.text),
                state=each.state,
            )
            for each in sentences
        ),
    )
