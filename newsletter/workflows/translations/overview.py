"""Show what is missing or stale in the translations of an issue, and accept translations that are up to date."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import CONFIG_FILE, Config
from newsletter.content.loader import load_issue
from newsletter.errors import InputError, MistakesError
from newsletter.language.words import language_name
from newsletter.model.finding import Finding, Place, Severity
from newsletter.model.issue import Issue
from newsletter.settings.mistakes import suggestion
from newsletter.translation.held import NOTHING_HELD, Held, TranslationState
from newsletter.translation.units import Unit
from newsletter.workflows.compose.compose import CONTENT_RULE
from newsletter.workflows.compose.file_writes import FileWrite, write_files
from newsletter.workflows.translations.originals import (
    TranslatedFile,
    read_originals,
    read_translation,
)
from newsletter.workflows.translations.text_reader import restored
from newsletter.workflows.translations.writing import file_write


class SentenceStatus(Struct, frozen=True, kw_only=True):
    """One sentence of an original, with its translation."""

    unit: Unit
    index: int
    place: str  # of the original
    text: str
    held: Held

    @property
    def state(self) -> TranslationState:
        """Whether it is translated."""
        return self.held.state


class LanguageStatus(Struct, frozen=True, kw_only=True):
    """The translations of an issue into one language."""

    language: str
    translations: tuple[TranslatedFile, ...]

    def sentences(self) -> Iterator[tuple[TranslatedFile, SentenceStatus]]:
        """Yield every sentence of the originals, file by file."""
        for translation in self.translations:
            yield from ((translation, each) for each in sentences_in(translation))

    def counts(self) -> Counter[TranslationState]:
        """Return the number of sentences in each state."""
        return Counter(each.state for _, each in self.sentences())

    @property
    def surplus(self) -> int:
        """The number of translated sentences that the originals no longer have."""
        return sum(translation.surplus for translation in self.translations)


def sentences_in(translation: TranslatedFile) -> Iterator[SentenceStatus]:
    """Yield the sentences of one file, without dates that stand alone, unless one of them has changed."""
    original = translation.original
    for unit in original.units:
        for index, segment in enumerate(unit.segments):
            place = f"{original.shown}:{unit.line}"
            held = translation.held.get((unit.id, index), NOTHING_HELD)
            if unit.is_automatic and held.state is not TranslationState.STALE:
                continue
            yield SentenceStatus(unit=unit, index=index, place=place, text=segment.text, held=held)


def offered_languages(config: Config, issue: Issue, language: str | None) -> tuple[str, ...]:
    """Return the languages to translate an issue into: the one that is named, or all that are offered.

    Raise InputError if there is none, or if the one that is named is not offered.
    """
    offered = tuple(code for code in config.settings.languages.offered if code != issue.language)
    if not offered:
        add = 'add a line such as `offered = ["es"]` under [languages]'
        raise InputError(f"{CONFIG_FILE} offers no other languages; {add}")
    if language is not None and language not in offered:
        hint = suggestion(language, offered, otherwise=f"offered are {', '.join(offered)}")
        raise InputError(f"the language {language!r} is not offered in {CONFIG_FILE}; {hint}")
    return offered if language is None else (language,)


def translations_of(config: Config, folder: Path, *, language: str | None = None) -> tuple[LanguageStatus, ...]:
    """Return the translations of an issue into one language, or into each that is offered.

    Raise MistakesError if the issue has mistakes, and InputError as `offered_languages` does.
    """
    issue = load_issue(config, folder)
    codes = offered_languages(config, issue, language)
    return tuple(translations_into(code, config, folder, issue) for code in codes)


def translations_into(language: str, config: Config, folder: Path, issue: Issue) -> LanguageStatus:
    """Return the translations of an issue into a language."""
    originals = read_originals(config, folder, issue, language)
    found = tuple(read_translation(config, folder, original, language) for original in originals)
    return LanguageStatus(language=language, translations=found)


def findings_on_translations(config: Config, folder: Path) -> tuple[Finding, ...]:
    """Return a warning for each file whose translation into an offered language is stale.

    What is not translated at all is found while the issue is loaded. If that fails, there are no warnings.
    """
    if not config.settings.languages.offered:
        return ()
    try:
        found = translations_of(config, folder)
    except (MistakesError, InputError):
        return ()
    return tuple(_finding(translation, folder.name) for status in found for translation in _stale(status))


def _stale(status: LanguageStatus) -> Iterator[TranslatedFile]:
    for translation in status.translations:
        is_stale = any(each.state is TranslationState.STALE for each in sentences_in(translation))
        leads_elsewhere = any(held.leads_elsewhere for held in translation.held.values())
        if translation.is_tracked and (is_stale or translation.surplus or leads_elsewhere):
            yield translation


def _finding(translation: TranslatedFile, issue: str) -> Finding:
    stale = [each for each in sentences_in(translation) if each.state is TranslationState.STALE]
    name = language_name(translation.language)
    command = f"newsletter translations {quote(issue)} --language {quote(translation.language)}"
    what, remedy = (
        f"the original has changed since this was translated into {name}",
        f"see what is stale with: {command}",
    )
    if not stale and not translation.surplus:
        what = f"links of the original have changed since this was translated into {name}"
        accept = f"newsletter translations accept {quote(issue)} --language {quote(translation.language)}"
        remedy = f"copy them with: {accept}"
    line = min((each.held.line for each in stale), default=1)
    place = Place(path=translation.shown, line=line)
    return Finding(rule=CONTENT_RULE, severity=Severity.WARNING, place=place, what=what, remedy=remedy)


class Acceptance(Struct, frozen=True, kw_only=True):
    """What it means to accept the translations of a language as they are."""

    sentences: tuple[tuple[TranslatedFile, SentenceStatus], ...]  # that become up to date
    surplus: int  # sentences that are deleted
    addresses: int  # sentences whose links become those of the original
    writes: tuple[FileWrite, ...]


def plan_acceptance(status: LanguageStatus, names: Sequence[str] = ()) -> Acceptance:
    """Return what accepting would change. `names` are the files of translations to accept, or none for all.

    Raise InputError if a file is not the translation of a part of the issue.
    """
    there = {translation.shown: translation for translation in status.translations if translation.file is not None}
    named = {Path(translation.shown).name: translation.shown for translation in there.values()}
    for name in names:
        if name not in there and name not in named:
            raise InputError(f"{name} is no translation of this issue; {suggestion(name, list(there))}")
    chosen = [there[name if name in there else named[name]] for name in names] if names else list(there.values())
    stale: list[tuple[TranslatedFile, SentenceStatus]] = []
    writes: list[FileWrite] = []
    for translation in chosen:
        held = dict(translation.held)
        for each in sentences_in(translation):
            if each.state is TranslationState.STALE:
                stale.append((translation, each))
                digest = each.unit.segments[each.index].digest
                held[each.unit.id, each.index] = replace(each.held, state=TranslationState.TRANSLATED, digest=digest)
        write = file_write(translation, held)
        if write.content != write.before:
            writes.append(write)
    return Acceptance(
        sentences=tuple(stale),
        surplus=sum(translation.surplus for translation in chosen),
        addresses=sum(each.leads_elsewhere for translation in chosen for each in translation.held.values()),
        writes=tuple(writes),
    )


def accept_translations(folder: Path, acceptance: Acceptance) -> None:
    """Write what was accepted."""
    write_files(folder, acceptance.writes)


def readable(translation: TranslatedFile, text: str) -> str:
    """Return a sentence of a translation with its merge fields as they are written."""
    return restored(text, {**translation.original.reader.fields, **translation.reader.fields})
