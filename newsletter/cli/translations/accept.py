"""`newsletter translations accept`: declare translations up to date."""

from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import DryRun, NamedIssue, Yes
from newsletter.cli.workspace import current_config
from newsletter.language.counts import count_of
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.translations.overview import accept_translations, plan_acceptance, readable, translations_of

_MOST_SHOWN = 12


def accept(
    issue: NamedIssue,
    language: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="The language of the translations, for example es.")
    ],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="The translations, for example letter.es.md. Default: all.")
    ] = [],  # noqa: B006 - Typer copies it
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Accept the translations of an issue as they are, after you have read or written them yourself.

    Stale sentences count as current from then on. Sentences that the original no longer has are deleted, paragraphs are
    put in the order of the original, and links lead where those of the original lead.
    """
    config = current_config()
    folder = require_issue(config, issue)
    (status,) = translations_of(config, folder, language=language)
    plan = plan_acceptance(status, files)
    if not plan.writes:
        output.note("These translations are current already.")
        return
    for translation, each in plan.sentences[:_MOST_SHOWN]:
        output.say(f"{each.place}  {each.text}", hang=4)
        output.say(f"    {output.styled(readable(translation, each.held.text), 'dim')}", hang=4)
    if len(plan.sentences) > _MOST_SHOWN:
        output.say(f"… and {len(plan.sentences) - _MOST_SHOWN:,} more")
    output.print_facts(
        [
            ("accepted", count_of(len(plan.sentences), "sentence")),
            (
                "deleted",
                f"{count_of(plan.surplus, 'sentence')} no longer in the original" if plan.surplus else "",
            ),
            (
                "links",
                f"{count_of(plan.addresses, 'sentence')} with new links" if plan.addresses else "",
            ),
            ("files", ", ".join(write.shown for write in plan.writes)),
        ]
    )
    if dry_run:
        output.note_dry_run()
        return
    output.require_yes("Accept these translations?", yes=yes, otherwise="Nothing was changed.")
    accept_translations(folder, plan)
    output.say("Accepted.")
