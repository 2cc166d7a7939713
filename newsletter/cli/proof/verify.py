"""`newsletter proof verify`: verify a proof, and perhaps one line of it, from the files alone."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.proof.bundle import print_bundle
from newsletter.cli.proof.line import print_line
from newsletter.workflows.proof.verify import verify_proof

_FINGERPRINT = "The fingerprint of the sender's key, as the sender publishes it. Without it, compare it yourself."
_ZONE = "UTC"  # those who verify a proof need not know the newsletter's own time zone


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The proof, as `newsletter proof` wrote it.")],
    line: Annotated[
        Path | None, typer.Argument(metavar="LINE", help="One person's line, as `newsletter proof line` wrote it.")
    ] = None,
    fingerprint: Annotated[str, typer.Option(metavar="TEXT", help=_FINGERPRINT)] = "",
) -> None:
    """Verify a proof, and one person's line in it, on any computer. This needs no newsletter folder.

    Exits with status 1 if a file was altered, or if the line does not belong to the proof.
    """
    found = verify_proof(bundle, line, fingerprint=fingerprint)
    output.say("The proof is exactly as it was signed.")
    print_bundle(found.bundle, _ZONE)
    if found.line is not None:
        output.say()
        output.say("The line belongs to this proof, and is exactly as it was sealed.")
        print_line(found.line, found.bundle.lines, _ZONE)
    output.say()
    if fingerprint:
        output.note("It was signed with the key that you named.")
    else:
        output.note(
            "Anyone can sign a proof with a key of their own. So compare the fingerprint with the one that the sender "
            "publishes."
        )
