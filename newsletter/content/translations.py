"""Read translations: a file such as `letter.es.md` beside `letter.md`, and keys such as `subject.es` in `issue.yaml`.

A translation contains only words, and perhaps other links and images. All other keys are facts, such as the time of an
event. They are the same in every language, so they are written once, in the original file.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, lru_cache
from hashlib import blake2b
from shlex import quote
from typing import Annotated, get_args, get_origin

from msgspec import Struct
from msgspec.structs import replace

from newsletter.content.source import Document, WrittenKeys
from newsletter.content.yaml_reader import Tree
from newsletter.errors import InputError, Location, Mistake
from newsletter.model.issue_fields import PicturePath, PlainText, ProseText
from newsletter.model.values import Fields, Link, is_language

_WORDS = frozenset(get_args(annotation)[-1] for annotation in (PlainText, ProseText))  # what tells them from others
_FREE = frozenset(get_args(annotation)[-1] for annotation in (Link, PicturePath))
MARKS = "of"  # the key in which a translation lists the sentences that it was made from
OPEN_MARK = "open"  # in place of a sentence that is not translated yet
HEADING_KEYS = ("subject", "preheader", "title")  # the keys of issue.yaml that are written in every language


class _Kind(Enum):
    """What a key contains."""

    WORDS = "words"  # which every language needs
    FREE = "free"  # an address or an image, which a translation may replace
    RECORD = "record"
    RECORDS = "records"  # a list of them
    FACT = "fact"


class Translated(Struct, frozen=True):
    """A translation with the facts of its original."""

    document: Document
    missing: tuple[Location, ...]  # the keys whose words are not translated
    mistakes: tuple[Mistake, ...]


@lru_cache(maxsize=1024)
def translated(
    document: Document, original: WrittenKeys, model: type[Fields], path: str, same_in: str = "language"
) -> Translated:
    """Return a translation as a document with the facts of its original, whose file is at `path`.

    A version of a section takes what it does not say from its original in the same way. `same_in` says which it is.
    """
    missing: list[Location] = []
    mistakes: list[Mistake] = []

    def merged(before: Tree, after: Tree, model: type[Fields], at: Location) -> Tree:
        whole, kinds = dict(before), _kinds(model)
        for key, value in after.items():
            kind, fields = kinds.get(str(key), (_Kind.FREE, None))
            fact = before.get(key)
            if kind is _Kind.FACT:
                if value != fact:
                    mistakes.append(_contradiction(document, (*at, key), fact, path, same_in))
            elif kind is _Kind.RECORD and fields and isinstance(value, dict) and isinstance(fact, dict):
                whole[key] = merged(fact, value, fields, (*at, key))
            else:
                whole[key] = value
        missing.extend(
            (*at, key) for key in before if key not in after and _has_words(before[key], *kinds.get(key, _NONE))
        )
        return whole

    data = merged(original.data, document.data, model, ())
    digest = blake2b(repr((document.digest, data)).encode(), digest_size=16).hexdigest()
    whole = replace(document, keys=WrittenKeys(data, document.lines), digest=digest)
    return Translated(whole, tuple(missing), tuple(mistakes))


@lru_cache(maxsize=1024)
def without_marks(document: Document) -> tuple[Document, int]:
    """Return a translation without its list of sentences, and the number of sentences that are not translated yet."""
    if MARKS not in document.data:
        return document, 0
    written = document.data[MARKS]
    listed = written if isinstance(written, list) else []
    marks = [mark for each in listed if isinstance(each, str) for mark in each.rpartition("=")[2].split()]
    data = {key: value for key, value in document.data.items() if key != MARKS}
    return replace(document, keys=WrittenKeys(data, document.lines)), marks.count(OPEN_MARK)


@lru_cache(maxsize=1024)
def has_words(keys: WrittenKeys, model: type[Fields]) -> bool:
    """Return whether readers see words of a file's settings."""
    kinds = _kinds(model)
    return any(_has_words(value, *kinds.get(key, _NONE)) for key, value in keys.data.items())


def heading_in(document: Document, code: str, version: str = "") -> Document:
    """Return `issue.yaml` as it is in one language and version: with `subject.b.es` or `subject.es` for `subject`.

    Its lines are those of the language's own keys. An empty code means the issue's own language. An empty version, or
    the letter of one for which a key is not written, means version A.
    """
    keys = _heading_in(document.keys, code, version)
    return document if keys is document.keys else replace(document, keys=keys)


def with_subjects(document: Document, texts: Sequence[str]) -> Document:
    """Return `issue.yaml` with other subjects: `Last days`, and `es=Últimos días` for one in another language.

    All versions then have the same subject. Raise InputError if a language that has a subject gets no other one.
    """
    own, *others = dict.fromkeys(["", *(parts_of_key(key)[2] for key in document.data if _is_subject(key))])
    found: dict[str, str] = {}
    for text in texts:
        code, equals, rest = text.partition("=")
        language = code if equals and code in others else own
        if language in found:
            what = f"the subject {text!r} is the second one in the same language"
            raise InputError(f"--subject: {what}; give one for each language, such as --subject es=TEXT")
        found[language] = rest if language else text
    if missing := [language for language in (own, *others) if language not in found]:
        wanted = " ".join(f"--subject {quote(f'{language}=TEXT' if language else 'TEXT')}" for language in missing)
        raise InputError(f"--subject: the issue has a subject in every one of its languages; add {wanted}")
    data = {key: value for key, value in document.data.items() if not _is_subject(key)}
    data |= {f"subject.{language}" if language else "subject": text.strip() for language, text in found.items()}
    digest = blake2b(f"{document.digest}{sorted(found.items())}".encode()).hexdigest()
    return replace(document, keys=WrittenKeys(data, document.lines), digest=digest)


def _is_subject(key: object) -> bool:
    return parts_of_key(key)[0] == "subject"


def languages_of_heading(document: Document) -> Mapping[str, str]:
    """Return the keys of `issue.yaml` that name a language, such as `subject.es`, each with the language."""
    found = {}
    for written in document.data:
        key, _, language = parts_of_key(written)
        if key in HEADING_KEYS and language:
            found[written] = language
    return found


def parts_of_key(written: object) -> tuple[str, str, str]:
    """Return the name, the letter and the language of a key such as `subject.b.es`; both may be empty.

    The letter is that of a version, or a mistake.
    """
    name, *rest = str(written).split(".")
    version = rest.pop(0) if rest and len(rest[0]) == 1 and rest[0].isalpha() else ""
    language = rest.pop() if len(rest) == 1 and is_language(rest[0]) else ""
    return (str(written), "", "") if rest else (name, version, language)


@lru_cache(maxsize=64)
def _heading_in(keys: WrittenKeys, code: str, version: str) -> WrittenKeys:
    data, lines = dict(keys.data), dict(keys.lines)
    # What is more special comes later: `subject.b` replaces `subject`, and `subject.b.es` replaces `subject.es`.
    for written in sorted(data, key=lambda each: len(str(each).split("."))):
        key, letter, language = parts_of_key(written)
        if key not in (*HEADING_KEYS, MARKS) or not (letter or language):
            continue
        value, line = data.pop(written), lines.get((written,))
        if language == code and letter in {"", version} and key != MARKS:
            data[key] = value
            lines |= {(key,): line} if line else {}
    return WrittenKeys(data, lines) if len(data) < len(keys.data) else keys


def _contradiction(document: Document, at: Location, fact: object, path: str, same_in: str) -> Mistake:
    key, line = at[-1], document.lines.get(at)
    if fact is None:
        one = "a translation" if same_in == "language" else f"one {same_in}"
        what = f"`{key}` is the same in every {same_in}, so it must not be only in {one}"
        return Mistake(path=document.path, line=line, what=what, remedy=f"move the line to {path}")
    what = f"`{key}` is the same in every {same_in}, and differs from the one in {path}"
    return Mistake(path=document.path, line=line, what=what, remedy=f"delete the line, or correct the one in {path}")


_NONE = (_Kind.FACT, None)


def _has_words(value: object, kind: _Kind, fields: type[Fields] | None) -> bool:
    """Return whether a value contains words that need a translation. Words with a language of their own need none."""
    if kind is _Kind.WORDS:
        return value is not None
    if fields is None or "language" in fields.model_fields:
        return False
    records = value if isinstance(value, list) else [value]
    kinds = _kinds(fields)
    return any(
        _has_words(inner, *kinds.get(key, _NONE))
        for record in records
        if isinstance(record, dict)
        for key, inner in record.items()
    )


@cache
def _kinds(model: type[Fields]) -> Mapping[str, tuple[_Kind, type[Fields] | None]]:
    """Return what each key of a record contains, and the class of the records in it."""
    found = {}
    for name, field in model.model_fields.items():
        parts = [*_parts(field.annotation), *field.metadata]
        fields = next((part for part in parts if isinstance(part, type) and issubclass(part, Fields)), None)
        is_list = any(part is tuple for part in parts)
        kind = _Kind.FACT  # also a record of facts alone
        if fields is not None and any(kind is not _Kind.FACT for kind, _ in _kinds(fields).values()):
            kind = _Kind.RECORDS if is_list else _Kind.RECORD
        elif any(part in _WORDS for part in parts if part.__hash__):
            kind = _Kind.WORDS
        elif any(part in _FREE for part in parts if part.__hash__):
            kind = _Kind.FREE
        found[field.alias or name] = (kind, fields)
    return found


def _parts(annotation: object) -> Iterator[object]:
    """Yield the types in an annotation, and what is said about them."""
    origin = get_origin(annotation)
    if origin is None:
        yield annotation
        return
    if origin is tuple:
        yield tuple
    if origin is Annotated:
        first, *stated = get_args(annotation)
        yield from _parts(first)
        yield from stated
        return
    for inner in get_args(annotation):
        yield from _parts(inner)
