"""Translations as the files of an issue."""

from collections.abc import Mapping

from msgspec.structs import replace

from newsletter.content.key_edits import Value, with_keys
from newsletter.content.loader import ISSUE_FILE
from newsletter.content.translations import MARKS
from newsletter.errors import InputError, Location
from newsletter.model.slots import MergeField
from newsletter.translation.held import NOTHING_HELD, Held, TranslationState, written_marks
from newsletter.translation.inline import PLAIN_KINDS, Code, with_codes_of
from newsletter.translation.inline_markdown import markdown_of, pieces_of, safe_markdown
from newsletter.translation.units import SourceSentence, Unit, body_of
from newsletter.workflows.compose.editing import encoded
from newsletter.workflows.compose.file_writes import FileWrite
from newsletter.workflows.translations.originals import (
    DEFAULT,
    OriginalFile,
    TranslatedFile,
    written_location,
)
from newsletter.workflows.translations.plain_spans import plain_spans
from newsletter.workflows.translations.text_reader import TextReader, restored

HeldSentences = Mapping[tuple[str, int], Held]


def file_write(translation: TranslatedFile, held: HeldSentences) -> FileWrite:
    """Return a translation's file with these sentences. Those that are not translated are in the original language.

    Raise InputError if a key cannot be changed without touching others.
    """
    original, file = translation.original, translation.file
    held = {key: _leading_where_the_original_does(translation, key, each) for key, each in held.items()}
    held |= {(unit.id, 0): _automatic(unit.segments[0]) for unit in original.units if unit.is_automatic}
    fields = {**translation.reader.fields, **_fields_of(original, held)}
    keys, body = (file.keys or "", file.body) if file is not None else ("", None)
    marks = tuple(
        entry
        for unit, entry in zip(original.units, written_marks(original.units, held), strict=True)
        if unit.location is None or (unit.id, 0) in held
    )
    changes: list[tuple[Location, Value]] = []
    for unit in original.units:
        if unit.location is not None and unit.location[0] != DEFAULT:
            value = _key_value(original, unit, held)
            if value is not None:
                at = written_location(original, unit.location, translation.language)
                changes.append((at, restored(value, fields)))
    for location, value in original.copied.items():
        changes.append((written_location(original, location, translation.language), restored(value, fields)))
    changes.append((written_location(original, (MARKS,), translation.language), marks))
    keys = with_keys(keys, changes)
    if original.name == ISSUE_FILE:
        text = keys
    else:
        lines = [_lines(original, unit, held) for unit in original.units if unit.location is None]
        body = restored(body_of(original.body, original.blocks, lines), fields)
        text = f"---\n{keys}---\n{body}"
        _require_same_structure(translation, body)
    before = file.content if file is not None else None
    return FileWrite(
        name=translation.name, shown=translation.shown, content=encoded(before or b"", text), before=before
    )


def _automatic(sentence: SourceSentence) -> Held:
    """Return the translation of a date that stands alone."""
    text = markdown_of(sentence.pieces)
    return Held(state=TranslationState.TRANSLATED, text=text, digest=sentence.digest)


def _key_value(original: OriginalFile, unit: Unit, held: HeldSentences) -> str | None:
    """Return the value of a key, or None if it is not translated. In a list, the original takes its place."""
    each = held.get((unit.id, 0), NOTHING_HELD)
    if each.text:
        return each.text
    is_in_list = any(isinstance(step, int) for step in unit.location or ())
    return source_markdown(original, unit.segments[0]) if is_in_list else None


def _lines(original: OriginalFile, unit: Unit, held: HeldSentences) -> list[str]:
    found = []
    for index, segment in enumerate(unit.segments):
        each = held.get((unit.id, index), NOTHING_HELD)
        is_open = each.digest == NOTHING_HELD.digest
        found.append(source_markdown(original, segment) if is_open else each.text)
    return found


def source_markdown(original: OriginalFile, segment: SourceSentence) -> str:
    """Return a sentence of an original as Markdown, with tokens for merge fields."""
    pieces = tuple(
        each.name if isinstance(each, Code) and each.kind in PLAIN_KINDS else each for each in segment.pieces
    )
    safe = safe_markdown(pieces, original.reader.parse, original.reader.fields, begins_line=True)
    return markdown_of(pieces, escapes=True) if safe is None else safe


def _fields_of(original: OriginalFile, held: HeldSentences) -> Mapping[str, MergeField]:
    """Return the merge field of each token, with translated default texts."""
    texts = {
        each.token: held[name, 0].text
        for name, each in original.defaults.items()
        if (name, 0) in held and held[name, 0].text
    }
    return {
        token: MergeField(each.name, texts[token]) if token in texts else each
        for token, each in original.reader.fields.items()
    }


def _leading_where_the_original_does(translation: TranslatedFile, key: tuple[str, int], held: Held) -> Held:
    """Return a sentence with the addresses that its original has now, if nothing else in it changed."""
    if not held.leads_elsewhere:
        return held
    segment = next(unit for unit in translation.original.units if unit.id == key[0]).segments[key[1]]
    pieces = pieces_of(translation.reader.parse(held.text)[0], translation.reader.fields)
    coded = with_codes_of(pieces, segment.pieces)
    reader = TextReader(fields={**translation.reader.fields, **translation.original.reader.fields})
    text = safe_markdown(coded, reader.parse, reader.fields, begins_line=True) if coded else None
    if text is None:
        return held
    return replace(held, text=text, digest=segment.digest, leads_elsewhere=False)


def _require_same_structure(translation: TranslatedFile, body: str) -> None:
    """Raise InputError unless the translation has the blocks of its original. This should never happen."""
    reader = TextReader()
    written = reader.blocks(reader.with_tokens(body), plain_spans)
    original = translation.original.blocks
    if [block.role for block in written] != [block.role for block in original]:
        at = next((n for n, (a, b) in enumerate(zip(written, original, strict=False)) if a.role != b.role), 0)
        what = f"the translation of {translation.original.shown} would have other blocks than the original"
        line = original[min(at, len(original) - 1)].line + 1 if original else 1
        raise InputError(f"{what}, from line {line} of its text on; look at the beginnings of its lines")
