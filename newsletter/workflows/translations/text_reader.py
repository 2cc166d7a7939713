"""Reads the text of an issue's files: Markdown with merge fields as pieces, and the keys that have words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, get_args, get_origin, get_type_hints

from markdown_it.token import Token
from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import BaseModel

from newsletter.content.markdown import parse_line, parse_markdown
from newsletter.errors import Location
from newsletter.model.issue_fields import PlainText, ProseText
from newsletter.model.slots import MERGE_FIELD, MERGE_TOKEN, MergeField, parse_merge_field
from newsletter.translation.inline import Pieces
from newsletter.translation.inline_markdown import NOTE_SIGN, FindSpans, pieces_of
from newsletter.translation.units import SourceBlock, blocks_of

_NOTE = re.compile(r"\[\^([^\]\s]+)\](?!:)")
_ROLES: Mapping[str, str] = {
    "subject": "subject of the email",
    "preheader": "preview text beside the subject",
    "alt": "description of an image, for people who cannot see it",
    "button/label": "words on a button",
    "link/label": "words of a link",
    "length": "length of the video",
}


class TextReader(Struct):
    """Reads text with merge fields, and remembers which field each token stands for."""

    fields: dict[str, MergeField] = field(default_factory=dict)

    def with_tokens(self, text: str) -> str:
        """Return the text with a token in place of each merge field."""

        def token(match: re.Match[str]) -> str:
            found = parse_merge_field(match["inside"])
            return match[0] if found is None else self._token(found)

        return MERGE_FIELD.sub(token, text)

    def parse(self, text: str) -> tuple[Sequence[Token], bool]:
        """Return the tokens of a line of Markdown, and whether readers would see its signs."""
        parsed = parse_line(_NOTE.sub(lambda match: self._token(MergeField(f"{NOTE_SIGN}{match[1]}")), text))
        children = [child for block in parsed.prose.tokens for child in block.children or []]
        return children, bool(parsed.losses)

    def pieces(self, text: str, find: FindSpans = lambda _: ()) -> Pieces:
        """Return a line of Markdown as pieces."""
        return pieces_of(self.parse(text)[0], self.fields, find)

    def blocks(self, body: str, find: FindSpans = lambda _: ()) -> tuple[SourceBlock, ...]:
        """Return the blocks of a text with tokens."""
        parsed = parse_markdown(body, path="", lines=tuple(range(body.count("\n") + 1)))

        def read(tokens: Sequence[Token]) -> Pieces:
            for token in tokens:
                if token.type == "footnote_ref":
                    self._token(MergeField(f"{NOTE_SIGN}{token.meta['label']}"))
            return pieces_of(tokens, self.fields, find)

        return blocks_of(body, parsed.prose.tokens, read)

    def _token(self, merge_field: MergeField) -> str:
        self.fields[merge_field.token] = merge_field
        return merge_field.token


def key_texts(
    model: type[BaseModel], data: Mapping[str, object], above: Location = ()
) -> Iterator[tuple[Location, str]]:
    """Yield the place and the value of each key with words. Records with a language of their own are left out."""
    if "language" in model.model_fields and above:
        return
    for name, (kind, is_list) in _kinds(model).items():
        value = data.get(name)
        entries = value if is_list and isinstance(value, list) else [value]
        for number, entry in enumerate(entries):
            at = (*above, name, number) if is_list else (*above, name)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from key_texts(kind, entry, at) if isinstance(entry, dict) else ()
            elif kind in (PlainText, ProseText) and isinstance(entry, str) and entry.strip():
                yield at, entry


@cache
def _kinds(model: type[BaseModel]) -> Mapping[str, tuple[object, bool]]:
    """Return the type of each key, and whether it is a list of them."""
    found: dict[str, tuple[object, bool]] = {}
    for name, hint in get_type_hints(model, include_extras=True).items():
        if name not in model.model_fields:
            continue
        options = [hint, *get_args(hint)] if get_origin(hint) is not Annotated else [hint]
        kind = next((each for each in options if each in (PlainText, ProseText) or _is_record(each)), None)
        lists = [each for each in options if get_origin(each) is tuple]
        if kind is None and lists:
            kind = get_args(lists[0])[0]
        found[name] = (kind, bool(lists))
    return found


def _is_record(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def role_of(at: Location) -> str:
    names = [str(step) for step in at if isinstance(step, str)]
    return _ROLES.get("/".join(names)) or _ROLES.get(names[-1]) or ", ".join(names)


def written_field(merge_field: MergeField) -> str:
    """Return a merge field as it is written in a file."""
    if merge_field.name.startswith(NOTE_SIGN):
        return f"[{merge_field.name}]"
    if merge_field.default and '"' in merge_field.default:
        return f"{{{{ {merge_field.name} | default('{merge_field.default}') }}}}"
    return str(merge_field)


def restored(text: str, fields: Mapping[str, MergeField]) -> str:
    """Return the text with each token replaced by its merge field."""
    return MERGE_TOKEN.sub(lambda token: written_field(fields[token[0]]) if token[0] in fields else token[0], text)


def comparable(text: str, fields: Mapping[str, MergeField]) -> str:
    """Return the text with the name of each merge field, without its default text, which is translated by itself."""
    return restored(text, {token: replace(each, default=None) for token, each in fields.items()})
