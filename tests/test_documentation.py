"""The pages that explain the files name every key that there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from newsletter.model.columns import COLUMNS, SubscriberColumn
from newsletter.model.issue_fields import SECTION_TYPES, EventFields, IssueFields
from newsletter.settings.workspace import Settings

DOCS = Path(__file__).parents[1] / "docs"


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a record and of the records in it."""
    for name, info in model.model_fields.items():
        yield info.alias or name
        for inner in records_in(info.annotation):
            yield from keys_of(inner)


def records_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from records_in(inner)


SECTION_FIELDS = tuple(dict.fromkeys(kind.fields for kind in SECTION_TYPES.values()))


@pytest.mark.parametrize("model", [IssueFields, EventFields, *SECTION_FIELDS])
def test_every_key_of_an_issue_is_explained(model: type[BaseModel]) -> None:
    page = (DOCS / "issue-files.md").read_text(encoding="utf-8")
    assert [key for key in keys_of(model) if f"`{key}" not in page] == []


def test_every_section_type_is_explained() -> None:
    page = (DOCS / "issue-files.md").read_text(encoding="utf-8")
    assert [name for name in SECTION_TYPES if f"`{name}`" not in page] == []


def test_every_key_of_the_settings_is_explained() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert [key for key in keys_of(Settings) if f"`{key}" not in page and f"{key}]" not in page] == []


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_column_of_a_subscriber_is_explained(column: SubscriberColumn) -> None:
    importing, privacy = ((DOCS / page).read_text(encoding="utf-8") for page in ("importing.md", "privacy.md"))
    assert f"`{column.name}`" in importing or not column.in_lists
    assert f"`{column.key}`" in privacy
