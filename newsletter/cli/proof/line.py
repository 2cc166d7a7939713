"""`newsletter proof line`: open the line of one person in the proof of a broadcast."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import BroadcastNumber, Email, Force
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_consent_time, show_zoned
from newsletter.model.broadcast import label_of
from newsletter.model.proof import ProofLine
from newsletter.system.environment import forget_key
from newsletter.system.files import private_file
from newsletter.system.moments import moment_of
from newsletter.workflows.compose.compose import BUILD_FOLDER
from newsletter.workflows.proof.line import open_line

_FILE = "The file to write. Default: build/proof-BROADCAST-line-NUMBER.json."


def line(
    broadcast: BroadcastNumber,
    email: Email,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help=_FILE)] = None,
    force: Force = False,
) -> None:
    """Open the line of one person in the proof of a broadcast, and write what proves it to a file.

    The file contains the person's address, their consent, and whether the email was sent. Together with the proof, it
    shows that this was on record when the proof was made. It opens no other line.
    """
    with opened_database() as (config, database):
        opened = open_line(database, broadcast, email, key=forget_key())
    path = file or config.root / BUILD_FOLDER / f"proof-{broadcast}-line-{opened.line.number + 1}.json"
    path.parent.mkdir(exist_ok=True)
    with private_file(path, overwrite=force or file is None) as written:
        written.write(opened.content.decode())
    shown = config.shown(path)
    output.say(f"{shown}  {output.styled(f'{len(opened.content):,} bytes', 'dim')}")
    print_line(opened.line, opened.bundle.lines, config.settings.newsletter.timezone)
    output.note("Only you can read this file. It names the person, so give it only to those who may know.")
    bundle = quote(config.shown(config.root / BUILD_FOLDER / f"proof-{broadcast}.json"))
    output.print_next(f"newsletter proof verify {bundle} {quote(shown)}", "to verify both")


def print_line(line: ProofLine, lines: int, zone: str) -> None:
    """Print what a line says about a person."""
    said = line.fields
    result = " on ".join(filter(None, (label_of(said.outcome), _moment(said.at, zone))))
    given = show_consent_time(moment_of(said.consented_at), zone) if said.consented_at else ""
    consent = " · ".join(filter(None, (given, said.source, said.wording)))
    output.print_facts(
        [
            ("line", f"{line.number + 1:,} of {lines:,}"),
            ("address", said.address or "not known, because the person was erased before the proof was made"),
            ("email", f"{result}: {said.reason}" if said.reason else result),
            ("consent", consent or "none on record"),
            ("confirmed", _moment(said.confirmed_at, zone)),
            ("basis", said.basis),
        ]
    )


def _moment(text: str, zone: str) -> str:
    return show_zoned(moment_of(text), zone) if text else ""
