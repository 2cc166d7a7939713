"""Reads the theme's steps for moving an email to the inbox, in the language of an issue."""

from pathlib import Path

from newsletter.config import TEMPLATES_FOLDER, Config
from newsletter.content.records import record_of
from newsletter.content.source import Reading, read_yaml
from newsletter.model.finding import Place
from newsletter.model.issue import Tips

TIPS_FOLDER = "tips"
_ENDING = ".yaml"


def read_tips(config: Config, language: str, *, asked_at: Place, reading: Reading) -> Tips | None:
    """Return the theme's steps in a language. If there is no file for `pt-BR`, for example, return the steps in `pt`.

    If there is no file, or it has mistakes, note what is wrong and return None. `asked_at` is the place in the issue
    that asks for the steps.
    """
    path = _find(config, language)
    if path is None:
        what = f"the theme has no steps in the issue's language, {language}"
        known = ", ".join(_languages(config))
        file = f"{TEMPLATES_FOLDER}/{TIPS_FOLDER}/{language}{_ENDING}"
        remedy = f"create the file {file}, or write your own steps below `cards:` (the theme has steps in {known})"
        reading.add(asked_at.path, asked_at.line, what, remedy)
        return None
    found = Reading()
    document = read_yaml(path, config.shown(path), found, Tips)
    for use in found.merge_fields:
        found.add(use.place.path, use.place.line, f"the merge field {use.field} does not work in steps", "delete it")
    reading.mistakes += found.mistakes
    return None if document is None else record_of(document, Tips, reading)


def _find(config: Config, language: str) -> Path | None:
    names = dict.fromkeys([language, language.partition("-")[0]])
    paths = [folder / TIPS_FOLDER / f"{name}{_ENDING}" for name in names for folder in config.theme_folders]
    return next((path for path in paths if path.is_file()), None)


def _languages(config: Config) -> list[str]:
    return sorted({path.stem for folder in config.theme_folders for path in (folder / TIPS_FOLDER).glob(f"*{_ENDING}")})
