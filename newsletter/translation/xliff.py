"""Writes and reads XLIFF 2.0: one unit per key or block, one segment per sentence, codes as inline elements.

Source: OASIS XLIFF 2.0 with its metadata module. Programs read the header of version 2.0 more widely than later ones.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from newsletter.errors import Mistake, MistakesError
from newsletter.translation.exchange import MOST_SENTENCES, ExportedFile, NamedCode, NamedPieces, ReturnedSentence
from newsletter.translation.held import TranslationState
from newsletter.translation.inline import PLAIN_KINDS, Code, CodeForm, CodeKind, Pieces
from newsletter.translation.units import Unit

_CORE = "urn:oasis:names:tc:xliff:document:2.0"
_META = "urn:oasis:names:tc:xliff:metadata:2.0"
_SEGMENT, _UNIT, _FILE = f"{{{_CORE}}}segment", f"{{{_CORE}}}unit", f"{{{_CORE}}}file"
_STALE = "nl:stale"
_STATES = {
    TranslationState.MISSING: "initial",
    TranslationState.STALE: "initial",
    TranslationState.TRANSLATED: "translated",
    TranslationState.REVIEWED: "reviewed",
}
_RETURNED = {
    "initial": TranslationState.STALE,
    "translated": TranslationState.TRANSLATED,
    "reviewed": TranslationState.REVIEWED,
    "final": TranslationState.REVIEWED,
}
_TYPES = {CodeKind.LINK: "link", CodeKind.ADDRESS: "link", CodeKind.IMAGE: "image"}
_FORMATS = frozenset({CodeKind.EMPHASIS, CodeKind.STRONG, CodeKind.STRUCK, CodeKind.BREAK})
_HELD_BACK = {"canDelete": "no", "canCopy": "no"}

Element = Any  # lxml has no types


def write_xliff(files: Sequence[ExportedFile], *, source: str, target: str) -> bytes:
    """Return an XLIFF document with the units of these files."""
    root = etree.Element(f"{{{_CORE}}}xliff", nsmap={None: _CORE, "mda": _META})
    root.set("version", "2.0")
    root.set("srcLang", source)
    root.set("trgLang", target)
    for number, file in enumerate(files, 1):
        element = _below(root, "file", id=f"f{number}", original=file.name)
        for unit in file.units:
            _add_unit(element, file, unit)
    _indent(root, "\n")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _below(parent: Element, tag: str, text: str | None = None, /, **attributes: str) -> Element:
    element: Element = etree.SubElement(parent, f"{{{_CORE}}}{tag}", attributes)
    element.text = text
    return element


def _add_unit(parent: Element, file: ExportedFile, unit: Unit) -> None:
    element = _below(parent, "unit", id=unit.id, name=f"{file.name}:{unit.line}", canResegment="no")
    _add_digests(element, file, unit)
    notes = _below(element, "notes")
    for number, text in enumerate(file.context_of(unit), 1):
        _below(notes, "note", text, id=f"n{number}", category="context")
    codes = dict.fromkeys(piece for each in unit.segments for piece in each.pieces if isinstance(piece, Code))
    if codes:
        data = _below(element, "originalData")
        for code in codes:
            _below(data, "data", code.data or code.name or code.markup, id=_data_id(code))
    for index, segment in enumerate(unit.segments):
        if index:
            _below(_below(element, "ignorable"), "source", " ")
        sentence = file.sentences[unit.id, index]
        own = _below(element, "segment", id=f"s{index + 1}", state=_STATES[sentence.state])
        if sentence.state is TranslationState.STALE:
            own.set("subState", _STALE)
        _add_pieces(_below(own, "source"), segment.pieces)
        if sentence.target:
            _add_pieces(_below(own, "target"), sentence.target)


def _add_digests(element: Element, file: ExportedFile, unit: Unit) -> None:
    """Add what each sentence and its translation are recognized by when the file comes back."""
    group = etree.SubElement(etree.SubElement(element, f"{{{_META}}}metadata"), f"{{{_META}}}metaGroup")
    group.set("category", "newsletter")
    for index, segment in enumerate(unit.segments):
        exported = file.sentences[unit.id, index].exported
        for name, value in ((f"s{index + 1}", segment.digest), (f"s{index + 1}.target", exported)):
            meta: Element = etree.SubElement(group, f"{{{_META}}}meta", type=name)
            meta.text = value


def _data_id(code: Code) -> str:
    return f"{code.id}.end" if code.form is CodeForm.CLOSE else code.id


def _add_pieces(element: Element, pieces: Pieces) -> None:
    above = [element]
    last: Element = None  # the element after which text goes; None if it goes to the beginning of the innermost one
    for piece in pieces:
        if isinstance(piece, str):
            if last is None:
                above[-1].text = (above[-1].text or "") + piece
            else:
                last.tail = (last.tail or "") + piece
        elif piece.form is CodeForm.CLOSE:
            last = above.pop()
        elif piece.form is CodeForm.OPEN:
            ends = {"dataRefEnd": f"{piece.id}.end", "equivStart": piece.label, "equivEnd": piece.label}
            above.append(_below(above[-1], "pc", **_described(piece), dataRefStart=piece.id, **ends))
            last = None
        else:
            shown = piece.markup if piece.kind in PLAIN_KINDS else piece.name or piece.data or piece.markup
            last = _below(above[-1], "ph", **_described(piece), dataRef=piece.id, equiv=piece.label, disp=shown)


def _described(code: Code) -> dict[str, str]:
    kind = "fmt" if code.kind in _FORMATS else _TYPES.get(code.kind, "other")
    return {"id": code.id, "type": kind, "subType": f"nl:{code.kind}", **_HELD_BACK}


def _indent(element: Element, margin: str) -> None:
    """Put each element on a line of its own, except inside sentences, where spaces count."""
    if etree.QName(element).localname in {"source", "target"} or not len(element):
        return
    element.text = f"{margin} "
    for child in element:
        child.tail = f"{margin} "
        _indent(child, f"{margin} ")
    element[-1].tail = margin


def read_xliff(content: bytes, shown: str) -> tuple[str, list[ReturnedSentence]]:
    """Return the language and the translated sentences of an XLIFF document.

    Raise MistakesError with everything that cannot be read, each with its line.
    """
    root = _root(content, shown)
    mistakes: list[Mistake] = []
    found: list[ReturnedSentence] = []
    if root.tag != f"{{{_CORE}}}xliff":
        raise _wrong(shown, 1, "this is not an XLIFF document of version 2", "export the issue again")
    for segment in root.iterfind(f"{_FILE}//{_SEGMENT}"):
        try:
            if (sentence := _sentence(segment)) is not None:
                found.append(sentence)
        except ValueError as err:
            remedy = "let the program leave the codes as they are, or export the issue again"
            mistakes.append(Mistake(path=shown, line=segment.sourceline, what=str(err), remedy=remedy))
        if len(found) > MOST_SENTENCES:
            raise _wrong(shown, segment.sourceline, f"there are more than {MOST_SENTENCES:,} sentences", "split it")
    if mistakes:
        raise MistakesError(mistakes)
    return root.get("trgLang", ""), found


def _root(content: bytes, shown: str) -> Element:
    """Return the root of a document. Entities are never resolved, and nothing is loaded from anywhere."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as err:
        line = getattr(err, "lineno", None) or 1
        raise _wrong(shown, line, "the file is not sound XML", "export it from the translation program again") from err
    if root.getroottree().docinfo.doctype:
        raise _wrong(shown, 1, "the file declares a document type, which XLIFF does not have", "delete that line")
    return root


def _wrong(shown: str, line: int, what: str, remedy: str) -> MistakesError:
    return MistakesError([Mistake(path=shown, line=line, what=what, remedy=remedy)])


def _sentence(segment: Element) -> ReturnedSentence | None:
    source, target = segment.find(f"{{{_CORE}}}source"), segment.find(f"{{{_CORE}}}target")
    unit, file = segment.getparent(), next(segment.iterancestors(_FILE))
    number = segment.get("id", "").removeprefix("s")
    if source is None or unit.tag != _UNIT or not (number.isascii() and number.isdigit() and len(number) < 6):
        raise ValueError("a sentence has lost its id or its original")
    if target is None or not (len(target) or (target.text or "").strip()):
        return None
    state = _RETURNED.get(segment.get("state", "initial"))
    if state is None:
        raise ValueError(f"there is no state {segment.get('state')!r} in XLIFF")
    meta = {each.get("type"): each.text or "" for each in unit.iterfind(f"{{{_META}}}metadata//{{{_META}}}meta")}
    return ReturnedSentence(
        file=file.get("original", ""),
        unit=unit.get("id", ""),
        index=int(number) - 1,
        line=segment.sourceline,
        source=tuple(_pieces_in(source)),
        target=tuple(_pieces_in(target)),
        state=state,
        digest=meta.get(f"s{number}", ""),
        exported=meta.get(f"s{number}.target", ""),
    )


def _pieces_in(element: Element) -> Iterator[str | NamedCode]:
    """Yield what an element contains. Marks that programs add for their own use count as the text inside."""
    yield element.text or ""
    for child in element:
        if not isinstance(child.tag, str):  # an entity, which is not resolved
            raise ValueError("a sentence contains an entity that XML does not define")
        name = child.tag.removeprefix(f"{{{_CORE}}}")
        code_id = child.get("id", "")
        if name == "ph":
            yield from _nothing_in(child, NamedCode(CodeForm.ALONE, code_id))
        elif name == "pc":
            yield NamedCode(CodeForm.OPEN, code_id)
            yield from _pieces_in(child)
            yield NamedCode(CodeForm.CLOSE, code_id)
        elif name == "sc":
            yield from _nothing_in(child, NamedCode(CodeForm.OPEN, code_id))
        elif name == "ec":
            yield from _nothing_in(child, NamedCode(CodeForm.CLOSE, child.get("startRef", code_id)))
        elif name == "mrk":
            yield from _pieces_in(child)
        elif name in {"sm", "em"}:
            yield from ()
        else:
            raise ValueError(f"a sentence contains the element {name[:40]!r}, which does not belong there")
        yield child.tail or ""


def _nothing_in(element: Element, code: NamedCode) -> NamedPieces:
    if len(element) or (element.text or "").strip():
        raise ValueError(f"the code {code.name[:40]!r} contains text")
    return (code,)
