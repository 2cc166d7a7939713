"""Reads the steps for moving an email to the inbox, in the language of an issue."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from newsletter.config import TEMPLATES_FOLDER, Config
from newsletter.content.records import record_of
from newsletter.content.source import Reading, read_yaml
from newsletter.language.catalogue import spoken, spoken_languages, words_of
from newsletter.model.finding import Place
from newsletter.model.issue import AppTips, Tips
from newsletter.model.mailbox import MailApp

TIPS_FOLDER = "tips"
_ENDING = ".yaml"
# When someone last followed the steps of each app, in English.
_LOOKED_AT = {
    MailApp.GMAIL_PHONE: date(2026, 11, 23),
    MailApp.GMAIL_DESKTOP: date(2026, 11, 23),
    MailApp.APPLE_MAIL: date(2026, 11, 23),
    MailApp.OUTLOOK: date(2026, 11, 23),
    MailApp.YAHOO: date(2026, 11, 23),
    MailApp.OTHER: date(2026, 11, 23),
}


def read_tips(config: Config, language: str, *, asked_at: Place, reading: Reading) -> Tips | None:
    """Return the steps in a language: the workspace's own, or else the theme's. `pt-BR` may have the steps in `pt`.

    If there are none, or the workspace's have mistakes, note what is wrong and return None. `asked_at` is the place in
    the issue that asks for the steps.
    """
    if (path := _own_file(config, language)) is not None:
        return _read(config, path, reading)
    chosen = spoken([language])
    if chosen.partition("-")[0] == language.partition("-")[0]:
        return _theme_tips(chosen)
    what = f"the theme has no steps in the issue's language, {language}"
    known = ", ".join(spoken_languages())
    file = f"{TEMPLATES_FOLDER}/{TIPS_FOLDER}/{language}{_ENDING}"
    remedy = f"create the file {file}, or write your own steps below `cards:` (the theme has steps in {known})"
    reading.add(asked_at.path, asked_at.line, what, remedy)
    return None


def _own_file(config: Config, language: str) -> Path | None:
    folder = config.root / TEMPLATES_FOLDER / TIPS_FOLDER
    names = dict.fromkeys((language, language.partition("-")[0]))  # most languages have no region: one file, not two
    return next((path for name in names if (path := folder / f"{name}{_ENDING}").is_file()), None)


def _read(config: Config, path: Path, reading: Reading) -> Tips | None:
    found = Reading()
    document = read_yaml(path, config.shown(path), found, Tips)
    for use in found.merge_fields:
        found.add(use.place.path, use.place.line, f"the merge field {use.field} does not work in steps", "delete it")
    reading.mistakes += found.mistakes
    return None if document is None else record_of(document, Tips, reading)


@cache  # so that a rebuild is given the same object, and need not compare it with the one before
def _theme_tips(language: str) -> Tips:
    words = words_of(language, "tips")
    return Tips(**{app.value: _steps_for(app, words) for app in MailApp})


def _steps_for(app: MailApp, words: Mapping[str, str]) -> AppTips:
    steps = tuple(text for key, text in words.items() if key.startswith(f"{app.value}.") and not key.endswith(".title"))
    return AppTips(title=words[f"{app.value}.title"], steps=steps, looked_at=_LOOKED_AT[app])
