"""The questions of setup: each knows its current answer, checks a new one, and puts it into effect."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from newsletter.errors import FaultError, Location, MistakesError
from newsletter.system.environment import is_secret
from newsletter.workflows.setup.settings_file import Changes, save_settings
from newsletter.workflows.setup.situation import Situation, is_placeholder

Apply = Callable[[Situation, str], str]  # puts an answer into effect, and returns what was done, or an empty text
_SECRETS_BELONG = "set it in the environment, as the step for the provider says"
NO_ANSWER = "-"  # typed to clear an optional answer


class Option(Struct, frozen=True, kw_only=True):
    """One of several usual answers."""

    value: str
    label: str


class NearMissError(FaultError):
    """An answer that cannot be used, with the nearest one that can."""

    def __init__(self, what: str, nearest: str) -> None:
        super().__init__(what, f"the closest that works is {nearest}")
        self.nearest = nearest


class SetupQuestion(Struct, frozen=True, kw_only=True):
    """One question."""

    name: str  # unique within its step, also as the name of a form field
    asks: str
    about: str = ""
    current: Callable[[Situation], str]  # the current answer; empty if there is none, or only the starter's
    suggested: Callable[[Situation], str] = lambda _: ""
    apply: Apply  # raises FaultError or NewsletterError if the answer cannot be used
    options: Callable[[Situation], tuple[Option, ...]] = lambda _: ()
    applies: Callable[[Situation], bool] = lambda _: True
    is_optional: bool = False
    choices: Callable[[], tuple[Option, ...]] = tuple  # what a form offers to choose from; another answer can be typed
    is_long: bool = False  # whether there are too many choices to read them all


def answer(question: SetupQuestion, situation: Situation, text: str) -> str:
    """Put an answer into effect, and return what was done.

    An empty answer keeps the current one, or takes the suggested one. Raise FaultError if there is none or the answer
    cannot be used, for example because it is a password, and another NewsletterError if it cannot be saved.
    """
    text = text.strip()
    if is_secret(text, situation.environ):
        raise FaultError("this is a password or a key, and those are never saved", _SECRETS_BELONG)
    if text == NO_ANSWER and question.is_optional:
        return question.apply(situation, "")
    if not text and question.current(situation):
        return ""
    text = text or question.suggested(situation)
    if not text and question.is_optional:
        return ""
    if not text:
        raise FaultError("this question needs an answer", "write one")
    return question.apply(situation, text)


def setting(
    name: str,
    asks: str,
    *location: str,
    about: str = "",
    type_: Any = str,
    suggested: Callable[[Situation], str] = lambda _: "",
    is_optional: bool = False,
    applies: Callable[[Situation], bool] = lambda _: True,
    options: Callable[[Situation], tuple[Option, ...]] = lambda _: (),
) -> SetupQuestion:
    """Return the question for one key of `newsletter.toml`, whose values have this type."""
    return SetupQuestion(
        name=name,
        asks=asks,
        about=about,
        current=lambda situation: situation.own(*location),
        suggested=suggested,
        apply=saving(lambda _, text: {location: checked(type_, text, location) if text else None}),
        is_optional=is_optional,
        applies=applies,
        options=options,
    )


def saving(changes_of: Callable[[Situation, str], Changes]) -> Apply:
    """Return a function that saves the changes that follow from an answer."""

    def apply(situation: Situation, text: str) -> str:
        try:
            save_settings(situation.config.root, changes_of(situation, text))
        except MistakesError as err:  # the keys contradict each other
            mistake = err.mistakes[0]
            raise FaultError(mistake.what, mistake.remedy) from err
        return ""

    return apply


def checked(type_: Any, text: str, location: Location = ()) -> Any:
    """Return an answer as its type. Raise FaultError if it is not one, or is a placeholder of the starter."""
    try:
        value = TypeAdapter(type_).validate_python(text)
    except ValidationError as err:
        raise _fault(err, text) from err
    if is_placeholder(location, str(value)):
        raise FaultError(f"“{text}” comes with every new workspace", "write your own")
    return value


def _fault(err: ValidationError, text: str) -> FaultError:
    details = err.errors()[0]
    context: Mapping[str, Any] = details.get("ctx", {})
    if isinstance(fault := context.get("error"), FaultError):
        return fault
    return FaultError(f"{text!r} is not valid ({details['msg']})", "write another answer")
