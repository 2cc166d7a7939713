"""Makes records of what a user's file says, or tells each mistake with its line."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from newsletter.config import TEMPLATES_FOLDER, Config
from newsletter.content.source import Document, Reading, read_yaml
from newsletter.model.finding import Place
from newsletter.model.issue import Source
from newsletter.model.issue_fields import Fields
from newsletter.model.tips import Tips
from newsletter.settings.mistakes import mistakes_of

_FieldsT = TypeVar("_FieldsT", bound=Fields)


def record_of(
    document: Document, model: type[_FieldsT], reading: Reading, context: Mapping[str, object] | None = None
) -> _FieldsT | None:
    """The keys of a document as a record; None, with its mistakes noted, where they are wrong."""
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as err:
        line_of = Source(path=document.path, lines=document.lines).at
        reading.mistakes += mistakes_of(
            err, model=model, path=document.path, line_of=lambda location: line_of(*location).line
        )
        return None


TIPS_FOLDER = "tips"
_ENDING = ".yaml"


def read_tips(config: Config, language: str, *, asked_at: Place, reading: Reading) -> Tips | None:
    """The steps in a language; without its region or script where there is no file for these, `pt` for `pt-BR`.

    None, with the mistakes noted, where there is no file or it is wrong. `asked_at` is where an issue asks for them.
    """
    path = _find(config, language)
    if path is None:
        what = f"there are no steps in the issue's language, {language}"
        known = ", ".join(_languages(config))
        remedy = f"write {TEMPLATES_FOLDER}/{TIPS_FOLDER}/{language}{_ENDING}, or `cards`; there are {known}"
        reading.add(asked_at.path, asked_at.line, what, remedy)
        return None
    found = Reading()
    document = read_yaml(path, config.shown(path), found)
    for use in found.merge_fields:
        found.add(use.place.path, use.place.line, f"{use.field} is a merge field", "write plain words")
    reading.mistakes += found.mistakes
    return None if document is None else record_of(document, Tips, reading)


def _find(config: Config, language: str) -> Path | None:
    names = dict.fromkeys([language, language.partition("-")[0]])
    paths = [folder / TIPS_FOLDER / f"{name}{_ENDING}" for name in names for folder in config.theme_folders]
    return next((path for path in paths if path.is_file()), None)


def _languages(config: Config) -> list[str]:
    return sorted({path.stem for folder in config.theme_folders for path in (folder / TIPS_FOLDER).glob(f"*{_ENDING}")})
