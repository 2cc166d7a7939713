"""Write the sentences of an issue for a translator, as XLIFF or PO."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from newsletter.translation.exchange import ExportedFile, ExportedSentence, text_digest
from newsletter.translation.inline import with_codes_of
from newsletter.translation.po import write_po_file
from newsletter.translation.xliff import write_xliff
from newsletter.workflows.translations.originals import TranslatedFile
from newsletter.workflows.translations.overview import LanguageStatus, SentenceStatus, readable, sentences_in
from newsletter.workflows.translations.text_reader import comparable


class TranslationForm(StrEnum):
    """The forms of a file for translators."""

    XLIFF = "xliff"
    PO = "po"


ENDINGS: Mapping[TranslationForm, str] = {TranslationForm.XLIFF: "xlf", TranslationForm.PO: "po"}
_WRITERS: Mapping[TranslationForm, Callable[..., bytes]] = {
    TranslationForm.XLIFF: write_xliff,
    TranslationForm.PO: write_po_file,
}


def exported_translations(status: LanguageStatus, form: TranslationForm, *, issue: str, source: str) -> bytes:
    """Return the content of a file for translators: every sentence, with its translation if there is one."""
    files = [exported_file(translation, issue) for translation in status.translations]
    return _WRITERS[form](files, source=source, target=status.language)


def exported_file(translation: TranslatedFile, issue: str) -> ExportedFile:
    """Return a file of an issue as a translator gets it."""
    found: Sequence[SentenceStatus] = tuple(sentences_in(translation))
    return ExportedFile(
        name=f"{issue}/{translation.original.name}",
        units=tuple(unit for unit in translation.original.units if not unit.is_automatic),
        sentences={(each.unit.id, each.index): _exported(translation, each) for each in found},
    )


def _exported(translation: TranslatedFile, sentence: SentenceStatus) -> ExportedSentence:
    held, segment = sentence.held, sentence.unit.segments[sentence.index]
    if not held.text:
        return ExportedSentence(state=held.state, exported=text_digest(""))
    target = with_codes_of(translation.reader.pieces(held.text), segment.pieces)
    return ExportedSentence(
        state=held.state,
        target=target or (),
        written="" if target else readable(translation, held.text),
        exported=text_digest(comparable(held.text, translation.reader.fields)),
    )
