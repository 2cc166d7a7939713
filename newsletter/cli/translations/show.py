"""`newsletter translations ISSUE`: what is missing or stale in the translations of an issue."""

from collections.abc import Iterator
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import AsJson, NewestIssue
from newsletter.cli.workspace import current_config
from newsletter.language.counts import count_of
from newsletter.language.words import language_name
from newsletter.translation.held import TranslationState
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.translations.overview import LanguageStatus, sentences_in, translations_of

_STYLES = {TranslationState.STALE: "yellow", TranslationState.MISSING: "dim"}
_LONGEST = 60  # columns of a sentence


def show(
    issue: NewestIssue = None,
    language: Annotated[
        str | None, typer.Option(metavar="LANGUAGE", help="Only this language, for example es. Default: all offered.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is missing or stale in the translations of an issue.

    A sentence is stale if the original has changed since it was translated. `newsletter translations 2026-02` is short
    for this command.
    """
    config = current_config()
    folder = require_issue(config, issue)
    found = translations_of(config, folder, language=language)
    if as_json:
        output.print_json([_as_data(status) for status in found])
        return
    heads = ("language", "current", "reviewed", "stale", "missing")
    output.print_table(heads, [_counts(status) for status in found])
    for status in found:
        _print_open(status)
    needing = [status for status in found if not _is_complete(status)]
    if needing:
        command = f"newsletter translations export {quote(folder.name)} --language {quote(needing[0].language)}"
        output.print_next(command, "to write these sentences for a translator")
    else:
        output.print_next(f"newsletter preview {quote(folder.name)}", "to see the issue in each language")


def _is_complete(status: LanguageStatus) -> bool:
    return not status.surplus and all(each.state.is_current for _, each in status.sentences())


def _counts(status: LanguageStatus) -> tuple[str, ...]:
    counts = status.counts()
    reviewed = counts[TranslationState.REVIEWED]
    shown = (counts[TranslationState.TRANSLATED] + reviewed, reviewed)
    waiting = (counts[TranslationState.STALE], counts[TranslationState.MISSING])
    return (f"{language_name(status.language)} ({status.language})", *(f"{count:,}" for count in (*shown, *waiting)))


def _print_open(status: LanguageStatus) -> None:
    """Print the sentences of a language that someone must look at. A file without any translation is one line."""
    rows = [*_rows(status)]
    if not rows or all(translation.file is None or not translation.held for translation in status.translations):
        return
    output.say()
    output.say(output.styled(language_name(status.language), "bold"))
    width = max(len(place) for place, *_ in rows)
    for place, state, text in rows:
        label = output.styled(f"{state:<8}", _STYLES.get(state, "dim"))
        output.say(f"  {place:<{width}}  {label} {text}", hang=width + 13)


def _rows(status: LanguageStatus) -> Iterator[tuple[str, TranslationState, str]]:
    for translation in status.translations:
        sentences = tuple(sentences_in(translation))
        if all(each.state is TranslationState.MISSING for each in sentences):
            yield translation.original.shown, TranslationState.MISSING, count_of(len(sentences), "sentence")
            continue
        if not translation.is_tracked:
            note = "written by hand, so it is not known what it is a translation of"
            yield translation.shown, TranslationState.STALE, note
            continue
        for each in sentences:
            if not each.state.is_current:
                yield each.place, each.state, output.shortened(each.text, _LONGEST)
        if translation.surplus:
            note = f"{count_of(translation.surplus, 'translated sentence')} no longer in the original"
            yield translation.shown, TranslationState.STALE, note


def _as_data(status: LanguageStatus) -> dict[str, object]:
    """Return the status of a language as JSON has it."""
    counts = status.counts()
    return {
        "language": status.language,
        **{state.value: counts[state] for state in TranslationState},
        "surplus": status.surplus,
        "open": [
            {"place": each.place, "sentence": each.text, "state": each.state.value}
            for _, each in status.sentences()
            if not each.state.is_current
        ],
    }
