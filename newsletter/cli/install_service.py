"""`newsletter serve --install`: write and explain the systemd unit of the service."""

import os
from pathlib import Path
from shlex import quote

from newsletter.cli import output
from newsletter.cli.workspace import current_config
from newsletter.errors import InputError
from newsletter.system.files import write_shared
from newsletter.workflows.serve.unit import SYSTEM_UNITS, UNIT_NAME, explanations, place_of, unit_text


def install_service(*, dry_run: bool, yes: bool) -> None:
    """Show the unit and what it means. Write it after the user agrees, and say what to do next."""
    config = current_config()
    place = place_of(config)
    if not place.command.is_file():
        raise InputError(f"there is no program {place.command}; run `serve --install` with the installed `newsletter`")
    text = unit_text(config, place)
    is_root = os.geteuid() == 0
    target = (SYSTEM_UNITS if is_root and SYSTEM_UNITS.is_dir() else config.root) / UNIT_NAME
    output.print_lines(text.splitlines())
    output.print_notes(explanations(place))
    if dry_run:
        output.note("Dry run: nothing was written.")
        return
    verb = "Replace" if target.exists() else "Write"
    output.require_yes(f"{verb} {target}?", yes=yes, otherwise="Nothing was written.")
    write_shared(target, text.encode())
    output.say(f"Saved to {target}")
    _print_next(target, is_installed=target.parent == SYSTEM_UNITS)


def _print_next(target: Path, *, is_installed: bool) -> None:
    sudo = "" if is_installed else "sudo "
    if not is_installed:
        output.print_next(f"sudo install -m 644 {quote(str(target))} {SYSTEM_UNITS}/", "to install the unit")
    output.print_next(f"{sudo}systemctl daemon-reload", "to make systemd read it")
    output.print_next(f"{sudo}systemctl enable --now {UNIT_NAME}", "to start it now and with the machine")
    output.print_next(f"{sudo}journalctl -u {UNIT_NAME} -f", "to see what it says")
