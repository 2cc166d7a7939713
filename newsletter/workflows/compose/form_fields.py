"""Describe the keys of a file as the fields of a form: what each is called, its value as written, and its control."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from newsletter.errors import Location
from newsletter.model.issue_fields import Day, Moment, PicturePath
from newsletter.model.mailbox import MailApp
from newsletter.model.values import Link, Slug, TimeZone

_LABELS: Mapping[str, str] = {
    "alt": "Alt text",
    "timezone": "Time zone",
    "offset": "Difference from UTC",
    "repeats": "Repeats",
    "url": "Web address",
    "apps": "Email apps",
    "translate": "Translation hint",
    "cards": "Card",
    "notes": "Note",
    "thanks": "Thanks",
}
_HINTS: Mapping[str, str] = {
    "greeting": 'For example: Dear {{ first_name | default("Friends") }},',
    "preheader": "40 to 110 characters. Inboxes show it beside the subject.",
    "subject": "10 to 78 characters.",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d)?")
_TRUE = frozenset({"true", "yes", "on", "y", "t", "1"})  # as pydantic reads them
_UNIONS = frozenset({Union, UnionType})
_LONG = frozenset({"preheader", "text", "closing", "steps"})


class Control(StrEnum):
    """The kinds of controls that a field can have."""

    LINE = "line"
    LONG = "long"  # a text that is usually longer than a line of the form
    CHOICE = "choice"
    CHOICES = "choices"  # any number of them
    YES = "yes"  # a box to tick
    DATE = "date"
    MOMENT = "moment"  # a date, and a time if it has one
    LINK = "link"
    ZONE = "zone"


class FormField(Struct, frozen=True, kw_only=True):
    """One field: the key that it is about, what it is called, and its value as it is written in the file."""

    location: Location
    label: str
    control: Control
    value: str = ""
    values: tuple[str, ...] = ()  # those chosen of several
    hint: str = ""
    choices: Mapping[str, str] = {}  # each value with the words for it
    is_required: bool = False

    @property
    def name(self) -> str:
        """The name of the field in the form."""
        return "/".join(map(str, self.location))

    @property
    def day(self) -> str:
        """The date of a moment."""
        return self.value[:10]

    @property
    def time(self) -> str:
        """The time of a moment, or an empty string."""
        return self.value[11:16]


class FormGroup(Struct, frozen=True, kw_only=True):
    """The fields of a record within a file, such as a signature."""

    title: str
    fields: tuple["FormField | FormGroup", ...]
    is_filled: bool


class FormChoices(Struct, frozen=True, kw_only=True):
    """What can be chosen in this issue: its images, and the topics of the workspace."""

    pictures: tuple[str, ...] = ()
    topics: Mapping[str, str] = {}


def form_fields(
    model: type[BaseModel], data: Mapping[str, object], choices: FormChoices, *, above: Location = ()
) -> tuple[FormField | FormGroup, ...]:
    """Return the fields for the keys of a record, in the order of the model. Keys that no control suits are left out.

    `data` contains the values as they are written. A list has one more group or field than it has entries.
    """
    hints = get_type_hints(model, include_extras=True)
    found: list[FormField | FormGroup] = []
    for name, info in model.model_fields.items():
        value = data.get(name)
        kind = _kind_for(value, hints[name])
        location, label = (*above, name), _label(name)
        if (record := _record(kind)) is not None:
            found.append(_group(record, label, value, location, choices))
        elif (record := _record_in_list(kind)) is not None:
            found += _groups(record, label, value, location, choices)
        else:
            field = FormField(
                location=location,
                label=label,
                control=Control.LONG if name in _LONG else Control.LINE,
                hint=_HINTS.get(name) or _sentence(info.description or ""),
                is_required=info.is_required() and not above,
            )
            found += _of_kind(kind, value, field, choices)
    return tuple(found)


def every_field(fields: Sequence[FormField | FormGroup]) -> Iterator[FormField]:
    """Yield the fields, also those inside groups."""
    for each in fields:
        if isinstance(each, FormGroup):
            yield from every_field(each.fields)
        else:
            yield each


def _group(record: type[BaseModel], title: str, value: object, location: Location, choices: FormChoices) -> FormGroup:
    data = value if isinstance(value, dict) else {}
    return FormGroup(title=title, fields=form_fields(record, data, choices, above=location), is_filled=bool(data))


def _groups(
    record: type[BaseModel], label: str, value: object, location: Location, choices: FormChoices
) -> Iterator[FormGroup]:
    """Yield a group for each record of a list, and an empty one for another record."""
    items = value if isinstance(value, list) else []
    if all(isinstance(item, dict) for item in items):
        for number, item in enumerate([*items, {}]):
            title = f"{label} {number + 1}" if item else f"Add: {label.lower()}"
            yield _group(record, title, item, (*location, number), choices)


def _of_kind(kind: object, value: object, field: FormField, choices: FormChoices) -> Iterator[FormField]:
    """Yield the field with the control for its kind, one field for each text of a list, or none if none suits it."""
    if get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) is tuple:  # a list of topics, or only one
        kind, value = get_args(kind)[0], [value] if isinstance(value, str) else value
    if get_origin(kind) is tuple:
        yield from _of_list(get_args(kind)[0], value, field, choices)
        return
    if value is not None and not isinstance(value, str):
        return
    written = value or ""
    if get_origin(kind) is Literal or kind == PicturePath:
        names = choices.pictures if kind == PicturePath else get_args(kind)
        words = {each: each if kind == PicturePath else _label(each) for each in ("", *names)}
        words[""] = "Not set"
        yield replace(
            field, control=Control.CHOICE, value=written, choices={**words, written: words.get(written, written)}
        )
    elif kind in (Moment, Day):
        control = Control.MOMENT if kind == Moment else Control.DATE
        is_readable = not written or _MOMENT.fullmatch(written)
        yield replace(field, control=control if is_readable else Control.LINE, value=written)
    elif kind is bool:
        yield replace(field, control=Control.YES, value=written if written.lower() in _TRUE else "")
    elif get_origin(kind) is Annotated:
        control = Control.ZONE if kind == TimeZone else Control.LINK if kind == Link else field.control
        yield replace(field, control=control, value=written)


def _of_list(kind: object, value: object, field: FormField, choices: FormChoices) -> Iterator[FormField]:
    texts = tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
    if isinstance(value, list) and len(texts) < len(value):
        return
    if kind is MailApp or kind == Slug:
        known = choices.topics if kind == Slug else {app.value: _label(app.value) for app in MailApp}
        words = {**known, **{text: text for text in texts if text not in known}}
        if words:
            yield replace(field, control=Control.CHOICES, values=texts, choices=words)
        return
    if get_origin(kind) is not Annotated or get_args(kind)[0] is not str:
        return
    for number, text in enumerate((*texts, "")):
        label = f"{field.label} {number + 1}" if text else f"Add: {field.label.lower()}"
        yield replace(field, location=(*field.location, number), label=label, value=text, is_required=False)


def _kind_for(value: object, kind: object) -> object:
    """Return a kind without `| None`. Of a record or something else, return what suits the value."""
    if get_origin(kind) in _UNIONS:
        others = [each for each in get_args(kind) if each is not NoneType]
        kind = others[0] if len(others) == 1 else kind
    inner = get_args(kind)[0] if get_origin(kind) is Annotated else None
    forms = [get_args(each)[0] for each in get_args(inner) if get_origin(each) is Annotated]
    if get_origin(inner) not in _UNIONS or not any(map(_record, forms)):
        return kind
    return next(each for each in forms if isinstance(value, dict) == (_record(each) is not None))


def _record(kind: object) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _record_in_list(kind: object) -> type[BaseModel] | None:
    return _record(get_args(kind)[0]) if get_origin(kind) is tuple else None


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("-", " ").replace("_", " ").capitalize()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
