"""`newsletter setup`: the steps of setup as a conversation in the terminal."""

import os
from collections.abc import Iterable, Sequence
from itertools import dropwhile
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.config import find_workspace
from newsletter.errors import FaultError, InputError, NewsletterError
from newsletter.model.diagnosis import DnsRecord, Health, HealthItem
from newsletter.settings.mistakes import suggestion
from newsletter.workflows.setup.asking import NO_ANSWER, NearMissError, SetupQuestion, answer
from newsletter.workflows.setup.situation import Situation, look_at
from newsletter.workflows.setup.steps import STEPS, SetupStep, StepMark, first_unfinished

_STYLES = {StepMark.DONE: "green", StepMark.TO_DO: "yellow", StepMark.OPTIONAL: "dim"}
_HEALTH = {Health.OK: ("ok", "green"), Health.WARNING: ("warning", "yellow"), Health.ERROR: ("error", "red")}
_SKIPPED = ("skipped", "dim")
_TITLE_WIDTH = max(len(step.title) for step in STEPS)
_LONGEST_PROMPT = 60  # columns, which leaves room for an answer
_NAMES = ", ".join(step.name for step in STEPS)


class _LeavingError(Exception):
    """The person ended the input (Ctrl-D)."""


def setup(
    step: Annotated[
        str | None,
        typer.Argument(
            metavar="STEP", help=f"Only this step: {_NAMES}. Default: all that is left to do.", show_default=False
        ),
    ] = None,
) -> None:
    """Set up your newsletter step by step, up to a first test email to yourself.

    Each answer is saved in newsletter.toml at once, and the comments in it stay. Leave with Ctrl-D at any time, and run
    the command again to continue. Secrets are never saved: they come from the environment.

    Without a terminal, it only shows what is done and what is left to do.
    """
    root = find_workspace(Path.cwd())
    chosen = _steps_from(step, _look(root))
    _print_overview(_look(root))
    if not output.can_ask():
        return
    output.note("")
    output.note("Enter keeps the answer in brackets. Ctrl-D leaves; all answers are saved.")
    try:
        for each in chosen:
            _walk(each, root, is_chosen=step is not None)
    except _LeavingError:
        output.note("")
        output.print_next("newsletter setup", "to continue; your answers are saved")
        return
    except KeyboardInterrupt:
        output.note("")
        output.print_next("newsletter setup", "to continue; your answers are saved")
        raise
    _print_end(_look(root))


def _look(root: Path) -> Situation:
    return look_at(root, os.environ)


def _steps_from(name: str | None, situation: Situation) -> Sequence[SetupStep]:
    """Return the steps to walk through: the named one, or all unfinished ones from the first that is still to do."""
    if name is not None:
        found = [step for step in STEPS if step.name == name]
        if not found:
            raise InputError(f"setup has no step {name!r}; {suggestion(name, [step.name for step in STEPS])}")
        return found
    first = first_unfinished(situation)
    rest = STEPS[STEPS.index(first) :] if first else ()
    return [step for step in rest if step.state(situation).mark is not StepMark.DONE]


def _print_overview(situation: Situation) -> None:
    name = situation.own("newsletter", "name") or "your newsletter"
    output.say(output.styled(f"Setting up {name}", "bold"))
    for number, step in enumerate(STEPS, start=1):
        state = step.state(situation)
        mark = output.styled(state.mark.value.ljust(8), _STYLES[state.mark])
        output.say(f"  {number}  {step.title.ljust(_TITLE_WIDTH)}  {mark}  {state.says}", hang=_TITLE_WIDTH + 15)


def _walk(step: SetupStep, root: Path, *, is_chosen: bool) -> None:
    """Ask the questions of a step, then run its check and its action.

    An unfinished step continues at its first question without an answer, unless the person chose it by name.
    """
    output.note("")
    output.note(output.styled(f"{STEPS.index(step) + 1} of {len(STEPS)}  {step.title}", "bold"))
    output.note(step.about)
    situation = _look(root)
    questions: Iterable[SetupQuestion] = step.questions
    if not is_chosen and step.state(situation).mark is StepMark.TO_DO:
        questions = dropwhile(lambda each: not each.applies(situation) or bool(each.current(situation)), questions)
    for question in questions:
        if question.applies(_look(root)):
            _ask(question, root)
    for line in step.guide(_look(root)):
        _print_guide(line)
    if step.check is not None:
        _check(step, root)
    if step.act is not None:
        _act(step, root)


def _ask(question: SetupQuestion, root: Path) -> None:
    """Ask one question until the answer can be used."""
    output.note("")
    for option in question.options(_look(root)):
        output.note(f"  {option.value.ljust(10)} {option.label}")
    about = f"{question.about} Write {NO_ANSWER} for none." if question.is_optional else question.about
    if about:
        output.note(f"  {output.styled(about, 'dim')}")
    while True:
        situation = _look(root)
        offered = question.current(situation) or question.suggested(situation)
        typed = _read(_prompt(question.asks, offered))
        try:
            done = answer(question, situation, typed)
        except NearMissError as err:
            output.print_error(f"{err.what}.")
            if _agrees(f"  Use {err.nearest}, the closest that works?"):
                answer(question, situation, err.nearest)
                return
        except (FaultError, NewsletterError) as err:
            output.print_error(str(err))
        else:
            if done:
                output.note(f"  {done}")
            return


def _print_guide(line: str) -> None:
    """Print advice. A line to copy is in backticks, and is never broken."""
    if line.startswith("`") and line.endswith("`"):
        output.print_lines([f"    {line.strip('`')}"])
    else:
        output.note(f"  {line}")


def _prompt(asks: str, offered: str) -> str:
    """Return the prompt, with the answer that Enter gives. If it is long, print the answer on a line of its own."""
    if not offered:
        return f"  {asks}: "
    if len(asks) + len(offered) > _LONGEST_PROMPT:
        output.note(f"  {asks}: {offered}")
        return "  [Enter keeps this]: "
    return f"  {asks} [{offered}]: "


def _check(step: SetupStep, root: Path) -> None:
    """Check live, as often as the person wants."""
    while step.check is not None:
        situation = _look(root)
        output.note("")
        output.note(f"  Checking{' the provider' if step.name == 'provider' else ' the records'} …")
        items = step.check(situation)
        _print_items(items)
        if all(item.health in {Health.OK, Health.NOT_JUDGED} for item in items):
            return
        if not _agrees("  Check again?", otherwise="Continuing."):
            return


def _print_items(items: Sequence[HealthItem]) -> None:
    for item in items:
        label, style = _HEALTH.get(item.health, _SKIPPED)
        output.note(f"  {output.styled(label.ljust(8), style)} {item.what}")
        if item.remedy:
            output.note(f"           → {item.remedy}")
    records: list[DnsRecord] = list(dict.fromkeys(record for item in items for record in item.records))
    if records:
        output.note("")
        output.note("  Records to publish, exactly as written:")
    for record in records:
        output.print_lines([f"  name   {record.name}", f"  type   {record.type}", f"  value  {record.value}", ""])


def _act(step: SetupStep, root: Path) -> None:
    """Run the action of a step if the person agrees. After a failure, ask whether to try again."""
    while step.act is not None:
        output.note("")
        if not _agrees(f"  {step.act.label}?"):
            return
        try:
            output.say(f"  {step.act.run(_look(root))}")
        except NewsletterError as err:
            output.print_error(str(err))
        else:
            return


def _print_end(situation: Situation) -> None:
    left = first_unfinished(situation)
    output.note("")
    if left is None:
        output.note("Everything you need is set up.")
        output.print_next("newsletter preview", "to write your first issue")
    else:
        output.note(f"Left to do: {left.title.lower()} ({left.state(situation).says}).")
        output.print_next(f"newsletter setup {quote(left.name)}", "to continue there")


def _read(prompt: str) -> str:
    typed = output.ask(prompt)
    if typed is None:
        raise _LeavingError
    return typed


def _agrees(question: str, *, otherwise: str = "") -> bool:
    """Ask a question to which an empty answer means yes."""
    is_yes = _read(f"{question} [Y/n] ").strip().casefold() in {"", "y", "yes"}
    if not is_yes and otherwise:
        output.note(f"  {otherwise}")
    return is_yes
