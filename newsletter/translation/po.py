"""Writes and reads PO files, which every volunteer's program opens: one message per sentence.

PO has no inline codes. A merge field is written as `{first_name}`, other codes as `{date-1}` or `<link-1>…</link-1>`.
It has no states either, except that a stale translation is fuzzy.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po, write_po

from newsletter.errors import Mistake, MistakesError
from newsletter.translation.exchange import MOST_SENTENCES, ExportedFile, NamedCode, ReturnedSentence
from newsletter.translation.held import TranslationState
from newsletter.translation.inline import CodeForm, Pieces

_ID = "sentence: "  # before the digests in the comment that programs leave as it is
_CONTEXT = re.compile(r"(?P<file>.+) (?P<unit>[^ ]+) s(?P<number>\d{1,5})")
_CODE = re.compile(r"\{(?P<alone>[A-Za-z_][\w-]*)\}|<(?P<end>/?)(?P<name>[a-z]+-\d+)>")
_SIGNS: Mapping[CodeForm, str] = {CodeForm.ALONE: "{%s}", CodeForm.OPEN: "<%s>", CodeForm.CLOSE: "</%s>"}


def write_po_file(files: Sequence[ExportedFile], *, source: str, target: str) -> bytes:
    """Return a PO file with the sentences of these files."""
    header = f"Translations from {source} into {target}. Keep {{…}} and <…> as they are."
    catalog = Catalog(header_comment=f"# {header}", fuzzy=False, charset="utf-8")
    catalog.mime_headers = [
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
        ("Language", target.replace("-", "_")),
    ]
    for file in files:
        for unit in file.units:
            for index, segment in enumerate(unit.segments):
                sentence = file.sentences[unit.id, index]
                catalog.add(
                    po_text(segment.pieces),
                    po_text(sentence.target) if sentence.target else "",
                    locations=[(file.name, unit.line)],
                    flags={"fuzzy"} if sentence.state is TranslationState.STALE and sentence.target else set(),
                    auto_comments=[*file.context_of(unit), f"{_ID}{segment.digest} {sentence.exported}".strip()],
                    context=f"{file.name} {unit.id} s{index + 1}",
                )
    written = BytesIO()
    write_po(written, catalog, width=0, omit_header=False)
    return written.getvalue()


def po_text(pieces: Pieces) -> str:
    """Return a sentence with its codes in the form of PO."""
    return "".join(piece if isinstance(piece, str) else _SIGNS[piece.form] % piece.label for piece in pieces)


def read_po_file(content: bytes, shown: str) -> tuple[str, list[ReturnedSentence]]:
    """Return the language and the translated sentences of a PO file.

    Raise MistakesError with everything that cannot be read, each with its line.
    """
    try:
        catalog = read_po(BytesIO(content), abort_invalid=True, charset="utf-8")
    except (PoFileError, ValueError, LookupError, IndexError, TypeError, AttributeError) as err:
        line = getattr(err, "lineno", None)
        what, remedy = "the file is not a sound PO file in UTF-8", "export it from the translation program again"
        raise MistakesError([Mistake(path=shown, line=(line or 0) + 1, what=what, remedy=remedy)]) from err
    found: list[ReturnedSentence] = []
    mistakes: list[Mistake] = []
    if not any(message.id for message in catalog):
        remedy = "choose the file that came from the translator"
        mistakes.append(Mistake(path=shown, what="the file has no sentences", remedy=remedy))
    for message in catalog:
        if not message.id or not isinstance(message.string, str) or not message.string.strip():
            continue
        match = _CONTEXT.fullmatch(message.context or "")
        if match is None or not isinstance(message.id, str):
            what, remedy = "a sentence has lost its `msgctxt`", "export the issue again, and let the program keep it"
            mistakes.append(Mistake(path=shown, line=message.lineno, what=what, remedy=remedy))
            continue
        noted = next((each for each in message.auto_comments if each.startswith(_ID)), "").removeprefix(_ID)
        digest, _, exported = noted.partition(" ")
        found.append(
            ReturnedSentence(
                file=match["file"],
                unit=match["unit"],
                index=int(match["number"]) - 1,
                line=message.lineno or 1,
                source=tuple(_pieces_in(message.id)),
                target=tuple(_pieces_in(message.string)),
                state=TranslationState.STALE if message.fuzzy else TranslationState.TRANSLATED,
                digest=digest,
                exported=exported,
            )
        )
    if len(found) > MOST_SENTENCES:
        what = f"there are more than {MOST_SENTENCES:,} sentences"
        mistakes.append(Mistake(path=shown, what=what, remedy="split the file"))
    if mistakes:
        raise MistakesError(mistakes)
    return _language_in(catalog), found


def _language_in(catalog: Catalog) -> str:
    """Return the language of the header. A catalog knows only those that Babel knows."""
    return str(catalog.locale_identifier or "").replace("_", "-")


def _pieces_in(text: str) -> Iterator[str | NamedCode]:
    position = 0
    for match in _CODE.finditer(text):
        yield text[position : match.start()]
        position = match.end()
        if match["alone"]:
            yield NamedCode(CodeForm.ALONE, match["alone"])
        else:
            yield NamedCode(CodeForm.CLOSE if match["end"] else CodeForm.OPEN, match["name"])
    yield text[position:]
