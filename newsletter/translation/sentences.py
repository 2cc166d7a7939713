"""Splits a block of text into sentences, so that a change of one sentence affects only its own translation.

Only originals are split. A wrong cut does no harm: it makes two short texts of one.
"""

import re
from collections.abc import Mapping

from newsletter.translation.inline import Code, CodeForm, CodeKind, Piece, Pieces

_ALONE, _OPEN, _CLOSE, _BREAK, _NOTE = "\ue000\ue001\ue002\ue003\ue004"  # stand for codes
_CLOSING = rf"[\"'”’»)\]」』{_CLOSE}{_NOTE}]*"
# An ideographic stop ends a sentence by itself. Others need a space after them.
_END = re.compile(rf"[。！？]+{_CLOSING}\s*|[.!?…؟۔।]+{_CLOSING}(?:{_BREAK}\s*|\s+)")
_WORD_BEFORE = re.compile(r"[^\s(\[“«\"']*$")
_NEXT_IS_SMALL = re.compile(rf"[\"'“‘«(\[{_OPEN}]*[a-zà-öø-ÿа-я]")
_ABBREVIATIONS: Mapping[str, str] = {
    "en": "mr mrs ms dr prof st jr sr vs etc inc no vol e.g i.e approx dept est fig cf p.m a.m",
    "de": "dr prof hr fr str nr z.b u.a d.h bzw ca usw evtl ggf inkl vgl bd abs geb st",
    "es": "sr sra srta dr dra prof ud uds p.ej etc núm pág av d.ª d ee.uu",
    "fr": "m mm mme mlle dr pr me st ste av p.ex etc cf env n°",
    "pt": "sr sra dr dra prof profa p.ex etc av n.º pág",
    "it": "sig sig.ra dott dott.ssa prof prof.ssa ecc es p.es n pag art",
    "nl": "dhr mevr dr drs prof ir mr bijv bv enz o.a d.w.z ca nr blz",
    "sv": "dr prof t.ex bl.a d.v.s osv m.m ca nr kl s.k st",
    "pl": "dr prof mgr inż np m.in tj itd itp godz ul nr p.t św ok tzw",
}
_ORDINAL_DOTS = frozenset({"de", "pl", "da", "nb", "no", "fi", "cs", "hu", "tr"})  # “8. März” is one date


def sentences_of(pieces: Pieces, language: str) -> tuple[Pieces, ...]:
    """Return the sentences of a block, without the spaces between them. Codes that surround text are never cut."""
    flat = "".join(piece if isinstance(piece, str) else _sign_of(piece) for piece in pieces)
    cuts = [match.end() for match in _END.finditer(flat) if _is_end(flat, match, language.partition("-")[0])]
    found, rest = list[Pieces](), list(pieces)
    position = 0
    for cut in [*cuts, len(flat)]:
        sentence: list[Piece] = []
        while rest and position < cut:
            piece = rest.pop(0)
            length = len(piece) if isinstance(piece, str) else 1
            if isinstance(piece, str) and position + length > cut:
                rest.insert(0, piece[cut - position :])
                piece, length = piece[: cut - position], cut - position
            sentence.append(piece)
            position += length
        if stripped := _stripped(sentence):
            found.append(stripped)
    return tuple(found)


def _is_end(flat: str, match: re.Match[str], language: str) -> bool:
    before, after = flat[: match.start()], flat[match.end() :]
    if not after or before.count(_OPEN) + match[0].count(_OPEN) != before.count(_CLOSE) + match[0].count(_CLOSE):
        return False
    if match[0][0] in "。！？":
        return True
    if _NEXT_IS_SMALL.match(after):
        return False
    found = _WORD_BEFORE.search(before)
    word = found[0].lower() if found else ""
    if not match[0].startswith(".") or match[0].startswith(".."):
        return True
    if word.isdigit() and len(word) < 3 and language in _ORDINAL_DOTS:
        return False
    is_initial = len(word) == 1 and word.isalpha()  # “C. Germer”, “z. B.”
    return not is_initial and word not in _ABBREVIATIONS.get(language, "").split()


def _sign_of(code: Code) -> str:
    if code.kind in {CodeKind.BREAK, CodeKind.NOTE}:
        return _BREAK if code.kind is CodeKind.BREAK else _NOTE
    return {CodeForm.ALONE: _ALONE, CodeForm.OPEN: _OPEN, CodeForm.CLOSE: _CLOSE}[code.form]


def _stripped(pieces: list[Piece]) -> Pieces:
    if pieces and isinstance(pieces[0], str):
        pieces[0] = pieces[0].lstrip()
    if pieces and isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip()
    return tuple(piece for piece in pieces if piece != "")
