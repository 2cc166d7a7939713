"""The program and its commands, in the order in which a director uses them each month.

A command's module is loaded only when the command runs, or when the command's help or completions are needed. So the
module can import everything it uses at the top. `newsletter --help` stays fast, because it reads only the tables below.
A command is the function named after its module: `run-due` is `run_due` in `send/run_due.py`. If the name is a
Python keyword or built-in, both names end in an underscore.
"""

import gc
import inspect
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from pkgutil import resolve_name
from typing import Annotated, Any, cast

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from newsletter import __version__
from newsletter.cli.output import say
from newsletter.cli.parameters import plain, wrong_option
from newsletter.errors import InputError

NAME = "newsletter"
# The variable through which a shell asks for completions, with a value such as `complete_bash`.
_COMPLETE = "_NEWSLETTER_COMPLETE"

Table = Mapping[str, str]  # each command's module in newsletter.cli → the command's line in the help

# The panels of the help screen. Each line repeats the first paragraph of the command's docstring.
COMMANDS: Mapping[str, Table] = {
    "Write": {
        "compose.init": "Create a newsletter folder with settings, a first issue and a sample list.",
        "setup": "Set up your newsletter step by step, up to a first test email to yourself.",
        "compose.new": "Start a new issue from a copy of the latest one.",
        "compose.fetch": "Take items from feeds and calendars into an issue, after showing you what changes.",
        "mcp": "Let an AI agent write, check and preview issues, and propose a broadcast. Only you can send.",
    },
    "Preview and check": {
        "compose.preview": "Preview an issue in the browser, on desktop and phone, in light and dark mode.",
        "compose.check": "Check an issue for mistakes in its files and problems in the finished email.",
        "compose.clients": "Show which email apps your readers use and what each one cannot display.",
        "compose.build": "Save an issue in build/ as HTML, images, plain text and an email file, with a report.",
    },
    "Test and approve": {
        "send.test": "Send a test email to your reviewers.",
        "send.review": "Write an issue as one file for reviewers, or send them a link to comment on it and approve it.",
        "send.approve": "Approve an issue as it is now. Any later edit voids the approval.",
    },
    "Send": {
        "send.rehearse": "Rehearse a broadcast: who would get it when, when it would be over, and what could go wrong.",
        "send.send": "Send an issue to a segment after you review and confirm the plan.",
        "send.proposals": "List the broadcasts that AI agents proposed, for you to send or decline.",
        "send.cancel": "Cancel a broadcast and recall the emails that the provider is holding.",
        "send.run_due": "Send all scheduled broadcasts that are due. Run this from a timer every few minutes.",
        "send.worker": "Keep sending broadcasts as they become due. Run as many workers as you like.",
    },
    "After sending": {
        "send.status": "Show the status of your broadcasts, with the number of emails in each state.",
        "report": "Show how an issue did: what arrived, what bounced, who left, and what was opened and clicked.",
        "send.winner": "Choose which version of an issue all others get, or show how the versions compare.",
        "send.resume": "Continue a broadcast that was interrupted or paused.",
        "send.resolve": "Decide what to do about emails that may or may not have been sent.",
        "send.correct": "Send a correction to everyone who was told another time or place of an event.",
        "send.audit": "Show the full record of a broadcast and the people behind each number.",
        "publish": "Publish the archive: your issues as web pages, with feeds, a search and the images of your emails.",
    },
    "Your list": {
        "segments": "List your segments, with the size of each and how many people in it can be emailed.",
    },
    "For your subscribers": {
        "serve": "Serve the pages on which subscribers join and unsubscribe, and send scheduled broadcasts.",
    },
    "Maintenance": {
        "doctor": "Check what your newsletter depends on: machine, database, provider, DNS and web pages.",
        "purge": "Delete data that is older than your settings allow. The service does this every day.",
        "backup": "Save a copy of all data, even while a broadcast is being sent.",
        "restore": "Replace all data with a backup. Emails that were already sent are not sent again.",
    },
}
SUBSCRIBERS: Table = {
    "subscribers.import_": "Add and update subscribers from a CSV file, and report the result for each row.",
    "subscribers.undo_import": "Undo the last import: remove the people it added, and restore what it changed.",
    "subscribers.export": "Export the list as CSV, or everything about one person as JSON.",
    "subscribers.list_": "List your subscribers, or those in a segment, and whether each can be emailed.",
    "subscribers.show": "Show everything that is recorded about one person.",
    "subscribers.add": "Add one subscriber and record their consent.",
    "subscribers.edit": "Correct what is recorded about a subscriber, or about many: values, tags and the address.",
    "subscribers.forget": "Erase a person permanently. A later import does not bring them back.",
    "subscribers.ask_again": "Ask people without a recorded consent, once, whether they want your newsletter.",
    "subscribers.let_go": "Block people who did not answer when you asked for their consent.",
    "subscribers.stats": (
        "Show how your list has grown, where subscribers come from and who no longer reads your newsletter."
    ),
}
SUPPRESSIONS: Table = {
    "suppressions.list_": "List blocked addresses, with the date and the reason for each.",
    "suppressions.add": "Stop emailing these addresses, entirely or about one topic.",
    "suppressions.remove": "Allow an address to be emailed again, at the person's request.",
    "suppressions.export": "Export blocked addresses as CSV or JSON.",
    "suppressions.sync": "Sync blocked addresses with the provider, in both directions.",
}
EVENTS: Table = {
    "events.import_": (
        "Read bounces, complaints and a provider's events from files, and block addresses that do not work."
    ),
    "events.pull": (
        "Read bounces, complaints and requests to unsubscribe from your mailbox, and block addresses that do not work."
    ),
}
TRANSLATIONS: Table = {
    "translations.show": "Show what is missing or stale in the translations of an issue.",
    "translations.export": "Write the sentences of an issue for a translator, as XLIFF 2.0 or PO.",
    "translations.import_": "Check files from a translator, show the changes, and write them into the issue.",
    "translations.accept": (
        "Accept the translations of an issue as they are, after you have read or written them yourself."
    ),
}
ISSUES: Table = {
    "issues.import_": "Import past issues from another tool into the archive, after showing you what they lose.",
}
PROOF: Table = {
    "proof.bundle": (
        "Write a signed proof of a broadcast: the email, its approvals and checks, and a seal over all recipients."
    ),
    "proof.line": "Open the line of one person in the proof of a broadcast, and write what proves it to a file.",
    "proof.verify": "Verify a proof, and one person's line in it, on any computer. This needs no newsletter folder.",
}
# The groups of commands, by the word with which their commands begin.
GROUPS: Mapping[str, Table] = {
    "issues": ISSUES,
    "proof": PROOF,
    "translations": TRANSLATIONS,
    "subscribers": SUBSCRIBERS,
    "suppressions": SUPPRESSIONS,
    "events": EVENTS,
}


class Command(TyperCommand):
    """A command whose help shows no Python types, and whose errors are our own sentences."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the arguments and options. Raise InputError if one is wrong, missing or unknown."""
        ctx.allow_extra_args = True
        with _plain_errors(self, ctx):
            rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            help_ = f"`{ctx.command_path} --help` shows what it takes"
            raise InputError(f"`{ctx.command_path}` does not take the argument {rest[0]}; {help_}")
        return rest

    def get_params(self, ctx: typer.Context) -> list[TyperArgument | TyperOption]:  # type: ignore[override]
        """Return the parameters, including `--help`, as instances of our plain classes."""
        parameters = super().get_params(ctx)
        plain(parameters)
        return parameters  # type: ignore[return-value]


class LazyGroup(TyperGroup):
    """A group that lists its commands from a table, and loads a command only when it is used."""

    def get_params(self, ctx: typer.Context) -> list[TyperArgument | TyperOption]:  # type: ignore[override]
        """Return the parameters, including `--help` and those for completion, as instances of our plain classes."""
        parameters = super().get_params(ctx)
        plain(parameters)
        return parameters  # type: ignore[return-value]

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the options that come before the name of a command. Raise InputError if one is unknown."""
        with _plain_errors(self, ctx):
            return super().parse_args(ctx, [] if args == ["--"] else args)

    def resolve_command(  # type: ignore[override]  # Typer has no public name for the type of the context
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Return the command's name, the loaded command, and its arguments. Raise InputError if there is none."""
        if not ctx.resilient_parsing and args[0] not in self.commands:
            from newsletter.settings.mistakes import suggestion

            help_ = f"`{ctx.command_path} --help` lists the commands"
            hint = suggestion(args[0], list(self.commands), otherwise=help_)
            raise InputError(f"`{ctx.command_path}` has no command {args[0]}; {hint}")
        name, found, rest = super().resolve_command(ctx, args)
        if isinstance(found, TyperCommand) and found.callback is not None:
            return name, found.callback(), rest  # what `_loader` returned
        return name, found if isinstance(found, TyperGroup) else None, rest


@contextmanager
def _plain_errors(command: Command | LazyGroup, ctx: typer.Context) -> Iterator[None]:
    """Replace Typer's error about an option, which it would print in a box below the usage line, with ours."""
    try:
        yield
    except typer.TyperException as err:
        option = getattr(err, "option_name", None)
        if option is None:  # not an error, but the help of a group without a command
            raise
        raise wrong_option(ctx, command.get_params(ctx), option) from err


class ShowingGroup(LazyGroup):
    """A group that takes a word which is none of its commands as the argument of its first command."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read the arguments: `translations 2026-02` means `translations show 2026-02`."""
        is_shown = bool(args) and args[0] not in self.commands and args[0] not in {"-h", "--help"}
        first = next(iter(self.commands))
        return super().parse_args(ctx, [first, *args] if is_shown and not ctx.resilient_parsing else args)


class Program(LazyGroup):
    """The program itself, which also completes command lines for the shell."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **more: Any) -> Any:  # type: ignore[override]
        """Run one command, or print the completions that the shell asks for.

        `python -m newsletter` also uses the name `newsletter`, so that the completion it installs works. A completion
        that fails prints nothing, because an error would appear in the middle of the line that someone is typing.
        """
        named = prog_name or NAME
        if not os.environ.get(_COMPLETE, "").startswith("complete_"):
            return super().main(args, prog_name=named, complete_var=_COMPLETE, **more)
        with redirect_stderr(io.StringIO()), suppress(Exception):
            super().main(args, prog_name=named, complete_var=_COMPLETE, **more)
        raise SystemExit(1)


def help_of(docstring: str | None) -> str:
    """Return a docstring with each paragraph on one line. Escape [brackets], which Rich would read as markup."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("[", r"\[")


def name_of(module: str) -> str:
    """Return the name of a module's command as it is typed."""
    return module.rpartition(".")[2].rstrip("_").replace("_", "-")


def _loader(module: str) -> Callable[[], TyperCommand]:
    """Return the function that loads a command. The group lists this function in place of the command."""

    def load() -> TyperCommand:
        function = resolve_name(f"newsletter.cli.{module}:{module.rpartition('.')[2]}")
        gc.freeze()  # the loaded modules stay until the end, so the garbage collector can ignore them
        gc.enable()
        single = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
        single.command(name_of(module), cls=Command, help=help_of(function.__doc__))(function)
        return cast("TyperCommand", typer.main.get_command(single))

    return load


def _group(about: str, panels: Mapping[str, Table], *, cls: type[LazyGroup] = LazyGroup) -> typer.Typer:
    group = typer.Typer(
        cls=cls,
        help=about,
        no_args_is_help=True,
        add_completion=cls is Program,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for panel, commands in panels.items():
        for module, line in commands.items():
            group.command(name_of(module), help=help_of(line), rich_help_panel=panel or None)(_loader(module))
    return group


app = _group(
    "Write an email newsletter in Markdown, preview it, check it, test it and send it safely.", COMMANDS, cls=Program
)
subscribers = _group("Import, export and manage your subscribers.", {"": SUBSCRIBERS})
suppressions = _group("Manage blocked addresses, which must not be emailed.", {"": SUPPRESSIONS})
translations = _group(
    "Show which sentences are not translated, and exchange them with translators.", {"": TRANSLATIONS}, cls=ShowingGroup
)
events = _group("Take in what comes back: bounces, complaints and a provider's events.", {"": EVENTS})
proof = _group(
    "Prove to others what was sent and on what basis, without naming anyone. `newsletter proof 3` writes a proof.",
    {"": PROOF},
    cls=ShowingGroup,
)
issues = _group("Import past issues from another tool.", {"": ISSUES})
app.add_typer(issues, name="issues", rich_help_panel="Write")
app.add_typer(translations, name="translations", rich_help_panel="Write")
app.add_typer(events, name="events", rich_help_panel="After sending")
app.add_typer(proof, name="proof", rich_help_panel="After sending")
app.add_typer(subscribers, name="subscribers", rich_help_panel="Your list")
app.add_typer(suppressions, name="suppressions", rich_help_panel="Your list")


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Declare the options that come before a command."""
