"""Arguments and options: how the help shows them, how the shell completes them, and the errors for wrong values.

Typer creates the parameters of a command itself and cannot be told to use other classes. So `plain` changes the class
of each finished parameter. `Command` and `LazyGroup` in `cli/app.py` call it for all of their parameters.
"""

from collections.abc import Iterable
from typing import Any, Protocol

import typer
from typer.core import TyperArgument, TyperOption

from newsletter.errors import InputError


class _Ranged(Protocol):
    """A parameter whose value may have a minimum and a maximum."""

    min: int | float | None
    max: int | float | None


class PlainArgument(TyperArgument):
    """An argument that shows no Python type. In the usage line it is `ISSUE`, or `[ISSUE]` if it is optional."""

    def display_type(self, ctx: typer.Context) -> str:  # type: ignore[override]  # Typer's context type is private
        """Return an empty string, because the metavar or the help says what to write."""
        return ""

    def get_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the argument as the usage line shows it."""
        name = f"{self.metavar or self.name}{'' if self.nargs == 1 else '...'}"
        return [name if self.required else f"[{name}]"]

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> list[Any]:  # type: ignore[override]
        """Return the values that begin with what the user has typed so far."""
        return _known_values(self.metavar, incomplete) or super().shell_complete(ctx, incomplete)

    def process_value(self, ctx: typer.Context, value: Any) -> Any:  # type: ignore[override]
        """Return the value converted to its type. Raise InputError if it is missing or cannot be converted."""
        try:
            return super().process_value(ctx, value)
        except typer.BadParameter as err:
            raise _refusal(self, str(self.metavar), ctx, value, err) from err

    def _get_number_range_help_str(self) -> str | None:
        return range_of(self)


class PlainOption(TyperOption):
    """An option that shows no Python type."""

    def display_type(self, ctx: typer.Context) -> str:  # type: ignore[override]
        """Return an empty string, because the metavar or the help says what to write."""
        return ""

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> list[Any]:  # type: ignore[override]
        """Return the values that begin with what the user has typed so far."""
        return _known_values(self.metavar, incomplete) or super().shell_complete(ctx, incomplete)

    def process_value(self, ctx: typer.Context, value: Any) -> Any:  # type: ignore[override]
        """Return the value converted to its type. Raise InputError if it is missing or cannot be converted."""
        try:
            return super().process_value(ctx, value)
        except typer.BadParameter as err:
            source = ctx.get_parameter_source(str(self.name))
            from_variable = source is not None and source.name == "ENVIRONMENT"
            name = str(self.envvar) if from_variable else max(self.opts, key=len)
            raise _refusal(self, name, ctx, value, err) from err

    def _get_number_range_help_str(self) -> str | None:
        return None if self.count else range_of(self)


def plain(parameters: Iterable[object]) -> None:
    """Change the class of each parameter to ours, unless it is already ours.

    The parameters are changed in place, because Typer compares them by identity when it orders their callbacks.
    """
    for parameter in parameters:
        if type(parameter) is TyperArgument:
            parameter.__class__ = PlainArgument
        elif type(parameter) is TyperOption:
            parameter.__class__ = PlainOption


def wrong_option(ctx: typer.Context, parameters: Iterable[object], option: str) -> InputError:
    """Return the error to raise for an unknown option, an option without its value, or a flag with a value."""
    from newsletter.settings.mistakes import suggestion

    options = [parameter for parameter in parameters if isinstance(parameter, TyperOption)]
    known = {name: parameter for parameter in options for name in (*parameter.opts, *parameter.secondary_opts)}
    if option not in known:
        hint = suggestion(option, list(known), otherwise=f"`{ctx.command_path} --help` lists its options")
        return InputError(f"`{ctx.command_path}` has no option {option!r}; {hint}")
    if known[option].is_flag:
        return InputError(f"{option} takes no value; write only {option}")
    return InputError(f"{option} has no value; write {option} {known[option].metavar}")


def _refusal(
    parameter: TyperArgument | TyperOption, name: str, ctx: typer.Context, value: object, err: typer.BadParameter
) -> InputError:
    """Return the error to raise for a value that is missing or of the wrong type."""
    from pydantic import ValidationError

    from newsletter.model.typography import shortened
    from newsletter.settings.mistakes import suggestion

    if parameter.value_is_missing(value):
        return InputError(f"{name} is missing; `{ctx.command_path} --help` shows what to write")
    # For a list, pydantic's error contains the wrong item.
    typed = str(err.__cause__.errors()[0]["input"] if isinstance(err.__cause__, ValidationError) else value)
    if choices := parameter.type_descriptor.choices:
        remedy = suggestion(typed, [str(choice) for choice in choices])
    else:
        limits = range_of(parameter)
        remedy = f"write a whole number, {limits}" if limits else "write a whole number"
    return InputError(f"{name}: {shortened(typed)!r} is not valid; {remedy}")


def range_of(parameter: _Ranged) -> str | None:
    """Return a range such as `1 to 16` or `1 or more`, or None if every number is allowed."""
    if parameter.min is None:
        return None if parameter.max is None else f"up to {parameter.max}"
    return f"{parameter.min} or more" if parameter.max is None else f"{parameter.min} to {parameter.max}"


def _known_values(metavar: str | None, incomplete: str) -> list[Any]:
    """Return the completions for a parameter. Its metavar says which kind of value it takes."""
    from typer.core import CompletionItem  # type: ignore[attr-defined]  # Typer has no public name for it

    from newsletter.cli.completion import values_of

    return [
        CompletionItem(value, help=about or None)
        for value, about in values_of(metavar or "")
        if value.startswith(incomplete)
    ]
