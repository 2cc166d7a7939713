"""Every exception that a command can end with, and the exit code that it ends with."""

from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct

Location = tuple[str | int, ...]  # of a key: the keys and list positions that lead to it


class Mistake(Struct, frozen=True, kw_only=True):
    """One thing wrong in what a user wrote: where, what, and what to do about it."""

    path: str
    line: int | None = None
    what: str
    remedy: str

    @property
    def place(self) -> str:
        """`path:line`, or the path alone where no line is known."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.remedy}"


class NewsletterError(Exception):
    """The command cannot go on; the message says what is wrong and what to do."""

    exit_code: ClassVar[int] = 2


class MistakesError(NewsletterError):
    """A user's files hold mistakes; all of them are listed."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class InputError(NewsletterError):
    """An argument, a name or a file of the user does not fit."""


class FieldError(ValueError):
    """Several keys of a record do not fit together; `key` is the one at which to say so."""

    def __init__(self, key: str, words: str) -> None:
        super().__init__(words)
        self.key = key


class FindingsError(NewsletterError):
    """A check found an error, so the mail must not go out."""

    exit_code = 1


class CannotRunError(NewsletterError):
    """What a check needs is not there: no browser, no network, no spam filter. It is told, and holds nothing up."""


class StoreError(NewsletterError):
    """The database cannot be opened, is not ours, or is held by another program."""


class MachineError(StoreError):
    """The machine of the database has no room, no memory or no working disk."""

    exit_code = 4


class ProviderError(NewsletterError):
    """What carries the mail refused, cannot be reached, or lacks a setting."""

    exit_code = 3
