"""The program: its commands, in the order in which a director meets them.

A command's module is loaded only when the command runs, or when its own help or options are asked for. So a command
imports at the top whatever it needs, and `newsletter --help`, which lists the commands from the tables below, stays
quick. A command is the function that is named like its module: `run-due` is `run_due` in `send/run_due.py`, and where
its name is a word of Python, both end in an underscore.
"""

import gc
import inspect
from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Annotated, cast

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from newsletter import __version__
from newsletter.cli.output import say

Table = Mapping[str, str]  # the module of each command, below newsletter.cli → the help in its group's list

# The panels of the help screen; each module with the first paragraph of its command's docstring.
COMMANDS: Mapping[str, Table] = {
    "Compose": {
        "compose.init": "Make a workspace: settings, a first issue, a list to try it on.",
        "compose.new": "Make a new issue from the last one, to be edited from there.",
        "compose.check": "Check an issue for mistakes in its files and problems in the finished email.",
        "compose.build": "Write the issue to build/: HTML with its images, text, an email file, and a report.",
        "compose.preview": "Preview the issue in a browser as desktops and phones show it, light and dark.",
        "compose.clients": "Show which email apps your readers use, and what each one cannot display.",
    },
    "Send": {
        "send.test": "Send a test copy to reviewers, made and sent exactly as the broadcast will be.",
        "send.approve": "Approve an issue as it is now. Any later edit voids the approval.",
        "send.send": "Send an issue to a segment, after you have seen the plan and said yes.",
        "send.status": "Show how broadcasts stand, and that their numbers add up.",
        "send.run_due": "Carry out what is scheduled and due, once; for a timer that runs it every few minutes.",
        "send.worker": "Hand over whatever is due until it is stopped; any number of workers share the work.",
        "send.resume": "Continue a broadcast that was interrupted or paused.",
        "send.cancel": "End a broadcast, and take back what the provider still holds.",
        "send.resolve": "Find out what became of email that may or may not have been sent.",
        "send.audit": "Account for a broadcast: its sums, each request, and who is behind each number.",
        "doctor": "Check what the newsletter depends on: machine, database, provider, DNS, and pages.",
    },
    "Audience": {
        "segments": "Show every segment: how many people it has, and how many of them may be mailed.",
    },
    "Keep": {
        "backup": "Save a copy of all data, even while a broadcast is being sent.",
        "restore": "Replace all data with a backup, without mailing anyone twice.",
    },
}
SUBSCRIBERS: Table = {
    "subscribers.import_": "Add and update subscribers from a CSV file. Every row is accounted for.",
    "subscribers.export": "Write the list as CSV, which `import` reads, or one person's data as JSON.",
    "subscribers.list_": "Show who is on the list, or in a part of it, and whether mail reaches them.",
    "subscribers.show": "Show everything that is known about a person.",
    "subscribers.add": "Add one person, with the record of their consent.",
    "subscribers.forget": "Erase a person for good, and remember only that they must never be mailed.",
    "subscribers.stats": "Show how the audience grows, where it comes from, and who no longer reads.",
}
SUPPRESSIONS: Table = {
    "suppressions.list_": "Show who is not mailed, since when, and why.",
    "suppressions.add": "Block addresses from all mail, or from one topic, whatever is imported later.",
    "suppressions.remove": "Let a person be mailed again who asked for it.",
    "suppressions.export": "Write who is not mailed as CSV, which `add --file` reads, or as JSON.",
    "suppressions.sync": "Bring the suppressions here and the provider's own lists in line, both ways.",
}


def _no_type(_parameter: object, _context: object) -> str:
    """Return nothing, in the place of a Python type such as `<bool>`, which help would show beside each name."""
    return ""


# Typer has no setting for this. What has values to choose from names them by its metavar, or in its help.
TyperArgument.display_type = TyperOption.display_type = _no_type  # type: ignore[assignment, method-assign]


class LazyGroup(TyperGroup):
    """A group that lists its commands from a table, and loads a command once it is meant."""

    def resolve_command(  # type: ignore[override]  # Typer has no public name for the type of the context
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Return the command's name, the loaded command, and its arguments."""
        name, found, rest = super().resolve_command(ctx, args)
        if isinstance(found, TyperCommand) and found.callback is not None:
            return name, found.callback(), rest  # what `_loader` returned
        return name, found if isinstance(found, TyperGroup) else None, rest


def help_of(docstring: str | None) -> str:
    """Return a docstring with each paragraph on a line of its own, and with [brackets] that stay."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("[", r"\[")


def name_of(module: str) -> str:
    """Return the name by which a person calls the command of a module."""
    return module.rpartition(".")[2].rstrip("_").replace("_", "-")


def _loader(module: str) -> Callable[[], TyperCommand]:
    """Return the function that loads a command, which stands for it in the list of its group."""

    def load() -> TyperCommand:
        function = resolve_name(f"newsletter.cli.{module}:{module.rpartition('.')[2]}")
        gc.freeze()  # what is loaded stays to the end
        gc.enable()
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
        alone.command(name_of(module), help=help_of(function.__doc__))(function)
        return cast("TyperCommand", typer.main.get_command(alone))

    return load


def _group(about: str, panels: Mapping[str, Table]) -> typer.Typer:
    group = typer.Typer(
        cls=LazyGroup,
        help=about,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for panel, commands in panels.items():
        for module, line in commands.items():
            group.command(name_of(module), help=help_of(line), rich_help_panel=panel or None)(_loader(module))
    return group


app = _group(
    "Compose an e-mail newsletter from Markdown files, see it, check it, test it and send it safely.", COMMANDS
)
subscribers = _group("Bring a list in, take it out again, look somebody up.", {"": SUBSCRIBERS})
suppressions = _group("Who is never mailed: those who left, and addresses that failed.", {"": SUPPRESSIONS})
app.add_typer(subscribers, name="subscribers", rich_help_panel="Audience")
app.add_typer(suppressions, name="suppressions", rich_help_panel="Audience")


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""
