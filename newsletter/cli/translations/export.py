"""`newsletter translations export`: write the sentences of an issue for a translator."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import Force, NamedIssue
from newsletter.cli.workspace import current_config
from newsletter.content.loader import load_issue
from newsletter.errors import InputError
from newsletter.language.words import language_name
from newsletter.system.files import write_whole
from newsletter.translation.held import TranslationState
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.translations.export import ENDINGS, TranslationForm, exported_translations
from newsletter.workflows.translations.overview import translations_of

_FORMS = f"The format of the file: {' or '.join(TranslationForm)}."


def export(
    issue: NamedIssue,
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="The language to translate into, for example es.")],
    form: Annotated[TranslationForm, typer.Option("--format", metavar="FORMAT", help=_FORMS)] = TranslationForm.XLIFF,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write. Default: ISSUE.LANGUAGE.xlf or .po here.")
    ] = None,
    force: Force = False,
) -> None:
    """Write the sentences of an issue for a translator, as XLIFF 2.0 or PO.

    Existing translations are included. Merge fields, links, dates and prices are codes that a translator can
    move but not change. See docs/translations.md for the programs that open these files.
    """
    config = current_config()
    folder = require_issue(config, issue)
    (status,) = translations_of(config, folder, language=language)
    source = load_issue(config, folder).language
    content = exported_translations(status, form, issue=folder.name, source=source)
    path = to or Path(f"{folder.name}.{language}.{ENDINGS[form]}")
    if path.exists() and not force:
        raise InputError(f"{path} already exists; write to another file with --to, or replace it with --force")
    write_whole(path, content)
    counts = status.counts()
    waiting = counts[TranslationState.STALE] + counts[TranslationState.MISSING]
    name = language_name(language)
    output.say(f"{path} has {counts.total():,} sentences. {waiting:,} of them need a translation into {name}.")
    output.print_next(f"newsletter translations import {quote(str(path))}", "when the translator has returned it")
