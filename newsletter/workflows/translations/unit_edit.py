"""Change the translation of one key or block by hand, with the links, fields and dates of its original."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from newsletter.errors import InputError
from newsletter.translation.held import NOTHING_HELD, Held, TranslationState
from newsletter.translation.inline import Code, codes_in, with_codes_of
from newsletter.translation.inline_markdown import safe_markdown
from newsletter.translation.units import SourceSentence
from newsletter.workflows.compose.file_writes import FileWrite
from newsletter.workflows.translations.originals import DEFAULT, TranslatedFile
from newsletter.workflows.translations.plain_spans import stand_free, typed_address
from newsletter.workflows.translations.text_reader import TextReader
from newsletter.workflows.translations.writing import file_write


def edited_unit(translation: TranslatedFile, unit_id: str, texts: Sequence[str]) -> FileWrite:
    """Return the file with other translations of the sentences of a unit. They count as up to date from then on.

    Raise InputError if there is no such unit, or if a text lacks or changes something that the original protects.
    """
    unit = next((each for each in translation.original.units if each.id == unit_id), None)
    if unit is None or len(texts) != len(unit.segments):
        raise InputError("the original has changed in the meantime; reload the page")
    reader = TextReader(fields={**translation.original.reader.fields, **translation.reader.fields})
    held = dict(translation.held)
    for index, (sentence, typed) in enumerate(zip(unit.segments, texts, strict=True)):
        text = reader.with_tokens(" ".join(typed.split()))
        before = held.get((unit.id, index), NOTHING_HELD)
        if not text:
            held[unit.id, index] = NOTHING_HELD
            continue
        is_default = unit.location is not None and unit.location[0] == DEFAULT
        if is_default and re.search(r'["{}<>\[\]]', text):
            raise InputError("the text in place of a name contains quotes or brackets; write it without them")
        safe = text if is_default else _verified(sentence, text, reader, begins_line=unit.location is None)
        is_reviewed = before.state is TranslationState.REVIEWED and before.text == safe
        state = TranslationState.REVIEWED if is_reviewed else TranslationState.TRANSLATED
        held[unit.id, index] = Held(state=state, text=safe, digest=sentence.digest)
    own = replace(translation, reader=reader)
    return file_write(own, held)


def _verified(sentence: SourceSentence, text: str, reader: TextReader, *, begins_line: bool) -> str:
    """Return a text as Markdown that is read back as it is. Raise InputError if its codes differ from the original."""
    pieces = reader.pieces(text)
    coded = with_codes_of(pieces, sentence.pieces)
    if coded is None:
        wanted = [piece for piece in sentence.pieces if isinstance(piece, Code)]
        there = codes_in(pieces)
        told = ", ".join(dict.fromkeys(code.name or code.data or code.kind.value for code in wanted))
        hint = f"it has {told}" if told else "it has no links, fields or images"
        verb = "lacks" if sum(there.values()) < len(wanted) else "differs in"
        raise InputError(f"this translation {verb} something that the original protects; keep what is there: {hint}")
    if typed_address(coded) or not stand_free(coded):
        raise InputError("this translation adds an address, or a number that touches a date or price; delete it")
    safe = safe_markdown(coded, reader.parse, reader.fields, begins_line=begins_line)
    if safe is None:
        raise InputError("this translation has signs that are not words; write links and fields as the original does")
    return safe
