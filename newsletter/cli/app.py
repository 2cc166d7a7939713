"""The program: its commands, in the order in which a director meets them."""

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from newsletter.cli import (
    audience,
    backup,
    clients,
    compose,
    doctor,
    ledger,
    scheduling,
    segments,
    sending,
    suppressions,
    worker,
    workspace,
)

_COMPOSE, _SEND, _AUDIENCE, _KEEP = "Compose", "Send", "Audience", "Keep"

app = typer.Typer(
    name="newsletter",
    help="Compose an e-mail newsletter from Markdown files, see it, check it, test it and send it safely.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("init", rich_help_panel=_COMPOSE)(workspace.init)
app.command("new", rich_help_panel=_COMPOSE)(workspace.new)
app.command("check", rich_help_panel=_COMPOSE)(compose.check)
app.command("build", rich_help_panel=_COMPOSE)(compose.build)
app.command("preview", rich_help_panel=_COMPOSE)(compose.preview)
app.command("clients", rich_help_panel=_COMPOSE)(clients.clients)
app.command("test", rich_help_panel=_SEND)(sending.test)
app.command("approve", rich_help_panel=_SEND)(ledger.approve)
app.command("send", rich_help_panel=_SEND)(sending.send)
app.command("status", rich_help_panel=_SEND)(sending.status)
app.command("run-due", rich_help_panel=_SEND)(scheduling.run_due)
app.command("worker", rich_help_panel=_SEND)(worker.worker)
app.command("resume", rich_help_panel=_SEND)(sending.resume)
app.command("cancel", rich_help_panel=_SEND)(scheduling.cancel)
app.command("resolve", rich_help_panel=_SEND)(ledger.resolve)
app.command("audit", rich_help_panel=_SEND)(ledger.audit)
app.command("doctor", rich_help_panel=_SEND)(doctor.doctor)
app.add_typer(audience.subscribers, name="subscribers", rich_help_panel=_AUDIENCE)
app.add_typer(suppressions.suppressions, name="suppressions", rich_help_panel=_AUDIENCE)
app.command("segments", rich_help_panel=_AUDIENCE)(segments.segments)
app.command("backup", rich_help_panel=_KEEP)(backup.backup)
app.command("restore", rich_help_panel=_KEEP)(backup.restore)


def _help_of(command: Callable[..., object]) -> str:
    """A docstring with each paragraph on a line of its own, and with [brackets] that stay."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("[", r"\[")


for _group in (app, audience.subscribers, suppressions.suppressions):
    for _registered in _group.registered_commands:
        if _registered.callback is not None:
            _registered.help = _help_of(_registered.callback)


def _show_version(wanted: bool) -> None:
    if wanted:
        from newsletter import __version__
        from newsletter.cli.output import say

        say(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Compose an e-mail newsletter from Markdown files, see it, check it, test it and send it safely."""
