"""Read what translators return, verify all of it, and write it into the files of the issue."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from newsletter.config import Config
from newsletter.content.loader import ISSUES_FOLDER
from newsletter.errors import FaultError, InputError, Mistake, MistakesError
from newsletter.system.file_errors import explained
from newsletter.translation.exchange import (
    MOST_BYTES,
    OtherVersionError,
    ReturnedSentence,
    segment_for,
    text_digest,
    translated_pieces,
)
from newsletter.translation.held import NOTHING_HELD, Held, TranslationState
from newsletter.translation.inline_markdown import safe_markdown
from newsletter.translation.po import read_po_file
from newsletter.translation.units import Unit
from newsletter.translation.xliff import read_xliff
from newsletter.workflows.compose.file_writes import FileWrite, write_files
from newsletter.workflows.translations.originals import DEFAULT, TranslatedFile
from newsletter.workflows.translations.overview import LanguageStatus, translations_of
from newsletter.workflows.translations.plain_spans import stand_free, typed_address
from newsletter.workflows.translations.text_reader import comparable
from newsletter.workflows.translations.writing import file_write


class SentenceChange(Struct, frozen=True, kw_only=True):
    """What an import does to the translation of one sentence."""

    place: str  # of the original
    original: str
    before: str  # the translation as it is; empty if there is none
    after: str
    state: TranslationState
    is_newer_here: bool  # whether the translation was changed here after the export


class ImportPlan(Struct, frozen=True, kw_only=True):
    """What an import would change in one issue and language."""

    folder: Path
    language: str
    changes: tuple[SentenceChange, ...]
    unchanged: int
    unmarked: int  # differ from the translation here, but are not marked as translated
    outdated: tuple[ReturnedSentence, ...]  # whose original has changed since the export
    writes: tuple[FileWrite, ...]

    @property
    def kept(self) -> int:
        """The number of sentences that were changed here after the export."""
        return sum(change.is_newer_here for change in self.changes)


class _Arrival(Struct, kw_only=True):
    """The sentences that came back for one issue and language."""

    status: LanguageStatus
    held: dict[str, dict[tuple[str, int], Held]]  # by the name of the original
    changes: list[SentenceChange]
    outdated: list[ReturnedSentence]
    unchanged: int = 0
    unmarked: int = 0


def plan_import(config: Config, paths: Sequence[Path], *, replaces_newer: bool = False) -> tuple[ImportPlan, ...]:
    """Verify returned files and return what to write, for each issue and language. Nothing is written.

    Translations that were changed here after the export are kept, unless `replaces_newer` is set. Raise MistakesError
    with all mistakes in all files, each at its line.
    """
    arrivals: dict[tuple[str, str], _Arrival] = {}
    mistakes: list[Mistake] = []
    for path in paths:
        shown = config.shown(path.resolve())
        try:
            language, sentences = read_returned(path, shown)
            for sentence in sentences:
                issue = sentence.file.partition("/")[0]
                arrival = arrivals.get((issue, language)) or _arrival(config, issue, language)
                arrivals[issue, language] = arrival
                _take(arrival, sentence, shown, mistakes, replaces_newer=replaces_newer)
        except MistakesError as err:
            mistakes += err.mistakes
    if mistakes:
        raise MistakesError(mistakes)
    return tuple(
        ImportPlan(
            folder=config.root / ISSUES_FOLDER / issue,
            language=language,
            changes=tuple(arrival.changes),
            unchanged=arrival.unchanged,
            unmarked=arrival.unmarked,
            outdated=tuple(arrival.outdated),
            writes=tuple(_writes(arrival)),
        )
        for (issue, language), arrival in arrivals.items()
    )


def write_import(plans: Iterable[ImportPlan]) -> None:
    """Write what was planned. Raise ConflictError if a file has changed since."""
    for plan in plans:
        write_files(plan.folder, plan.writes)


def read_returned(path: Path, shown: str) -> tuple[str, list[ReturnedSentence]]:
    """Return the language and the sentences of a file. Raise MistakesError or InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as err:
        raise InputError(str(explained(err, path, deed="read", elsewhere=""))) from err
    if len(content) > MOST_BYTES:
        raise InputError(f"{shown} is larger than {MOST_BYTES // 1_000_000} MB; split it into several files")
    is_xml = content.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith((b"<", b"\x00<"))
    return read_xliff(content, shown) if is_xml else read_po_file(content, shown)


def _arrival(config: Config, issue: str, language: str) -> _Arrival:
    folders = {path.name: path for path in (config.root / ISSUES_FOLDER).iterdir() if path.is_dir()}
    if issue not in folders:
        raise InputError(f"this file is a translation of the issue {issue[:60]!r}, which does not exist here")
    (status,) = translations_of(config, folders[issue], language=language)
    held = {translation.original.name: dict(translation.held) for translation in status.translations}
    return _Arrival(status=status, held=held, changes=[], outdated=[])


def _take(
    arrival: _Arrival, sentence: ReturnedSentence, shown: str, mistakes: list[Mistake], *, replaces_newer: bool
) -> None:
    """Add a sentence to what arrived, or what is wrong with it to the mistakes."""
    name = sentence.file.partition("/")[2]
    found = next((each for each in arrival.status.translations if each.original.name == name), None)
    if found is None:
        arrival.outdated.append(sentence)
        return
    try:
        unit, index = segment_for(sentence, found.original.units)
        text = _markdown(found, unit, index, sentence)
    except OtherVersionError:
        arrival.outdated.append(sentence)
        return
    except FaultError as err:
        mistakes.append(Mistake(path=shown, line=sentence.line, what=err.what, remedy=err.remedy))
        return
    held = arrival.held[name].get((unit.id, index), NOTHING_HELD)
    new = Held(state=sentence.state, text=text, digest=unit.segments[index].digest)
    written = comparable(text, found.original.reader.fields)
    before = comparable(held.text, found.reader.fields)
    is_unconfirmed = sentence.state is TranslationState.STALE
    is_promoted = new.state is TranslationState.REVIEWED and held.state is not new.state
    if is_unconfirmed and before != written:
        arrival.unmarked += 1
        return
    if is_unconfirmed or (before == written and held.state.is_current and not is_promoted):
        arrival.unchanged += 1
        return
    is_newer = bool(sentence.exported) and text_digest(before) not in {sentence.exported, text_digest(written)}
    place = f"{found.original.shown}:{unit.line}"
    arrival.changes.append(
        SentenceChange(
            place=place,
            original=unit.segments[index].text,
            before=before,
            after=written,
            state=new.state,
            is_newer_here=is_newer and not replaces_newer,
        )
    )
    if not is_newer or replaces_newer:
        arrival.held[name][unit.id, index] = new


def _markdown(translation: TranslatedFile, unit: Unit, index: int, sentence: ReturnedSentence) -> str:
    """Return a returned sentence as Markdown. Raise FaultError if it is not what its original allows."""
    pieces = translated_pieces(sentence, unit.segments[index])
    if typed_address(pieces):
        raise FaultError("the translation contains an address that its original does not have", "delete it")
    if not stand_free(pieces):
        what = "a date, price, time or address touches other numbers or letters, which change what it means"
        raise FaultError(what, "put spaces around it")
    if unit.location is not None and unit.location[0] == DEFAULT:
        return _default_text(pieces)
    reader = translation.original.reader
    text = safe_markdown(pieces, reader.parse, reader.fields, begins_line=unit.location is None)
    if text is None:
        remedy = "use the codes of the original for links and fields, and put spaces around words in emphasis"
        raise FaultError("the translation contains an address, braces or other signs that are not words", remedy)
    return text


def _default_text(pieces: Sequence[object]) -> str:
    text = "".join(str(piece) for piece in pieces).strip()
    if re.search(r'["{}<>\[\]]', text):
        raise FaultError("the text in place of a name contains quotes or brackets", "write it without them")
    return text


def _writes(arrival: _Arrival) -> Iterable[FileWrite]:
    """Yield what to write: each file of which a sentence changed."""
    held: Mapping[str, Mapping[tuple[str, int], Held]] = arrival.held
    for translation in arrival.status.translations:
        if held[translation.original.name] != translation.held:
            yield file_write(translation, held[translation.original.name])
