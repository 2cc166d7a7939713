"""The exceptions with which a command can end, and their exit codes."""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import ClassVar

from msgspec import Struct

Location = tuple[str | int, ...]  # the keys and list positions that lead to a key


class Fix(Struct, frozen=True, kw_only=True):
    """An exact edit of one line that puts a mistake right, for problems whose remedy needs no judgment."""

    old: str  # the text as it is written on the line
    new: str  # what to write instead; empty to delete it

    @property
    def key(self) -> str:
        """A short name, by which a page refers to it."""
        return blake2b(repr((self.old, self.new)).encode(errors="replace"), digest_size=6).hexdigest()

    def made_in(self, line: str) -> str | None:
        """Return the line with the fix, or None if the old text is not there."""
        around = self.around_in(line)
        return None if around is None else self.new.join(around)

    def around_in(self, line: str) -> tuple[str, str] | None:
        """Return what is before and after the old text, or None if it is not there, as whole words."""
        before = r"(?<!\w)" if self.old[:1].isalnum() else ""
        after = r"(?!\w)" if self.old[-1:].isalnum() else ""
        match = re.search(f"{before}{re.escape(self.old)}{after}", line) if self.old else None
        return None if match is None else (line[: match.start()], line[match.end() :])


class Mistake(Struct, frozen=True, kw_only=True):
    """One mistake in a user's file: its place, what is wrong, and what to do."""

    path: str
    line: int | None = None
    what: str
    remedy: str
    fix: Fix | None = None  # if the remedy is exactly this edit of the line

    @property
    def place(self) -> str:
        """The place as `path:line`, or only the path if no line is known."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.remedy}"


class NewsletterError(Exception):
    """The command cannot continue. The message says what is wrong and what to do."""

    exit_code: ClassVar[int] = 2


class MistakesError(NewsletterError):
    """A user's files contain mistakes, all of which are listed."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class InputError(NewsletterError):
    """An argument, a name or a file that the user gave is not valid."""


class ConflictError(InputError):
    """A file is no longer what its writer had read, so it was not replaced."""


class FaultError(ValueError):
    """A value that a user wrote is wrong.

    The problem and its remedy are kept apart, because the quoted value may contain a semicolon.
    """

    def __init__(self, what: str, remedy: str, *, fix: Fix | None = None) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy
        self.fix = fix


class FieldError(FaultError):
    """Several keys of a record contradict each other. `key` is the one whose line is reported."""

    def __init__(self, key: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.key = key


def parts_of(error: ValueError, *, otherwise: str) -> tuple[str, str]:
    """Return what is wrong and what to do. If the error does not say what to do, use `otherwise`."""
    return (error.what, error.remedy) if isinstance(error, FaultError) else (str(error), otherwise)


class FindingsError(NewsletterError):
    """A check found an error, so the email must not be sent."""

    exit_code = 1


class NotProvedError(NewsletterError):
    """A proof is not what it should be: it was altered, or it belongs to something else."""

    exit_code = 1


class CannotRunError(NewsletterError):
    """A check cannot run because a browser, the network or a spam filter is missing. It is reported as skipped."""


class StoreError(NewsletterError):
    """The database cannot be opened, belongs to another program, or is locked by one."""


class MachineError(StoreError):
    """The machine that the database runs on lacks disk space, memory or a working disk."""

    exit_code = 4


class ProviderError(NewsletterError):
    """The provider rejected a request, cannot be reached, or lacks a setting."""

    exit_code = 3


class DestinationError(NewsletterError):
    """The archive's place refuses something, cannot be reached, or is in use by another publisher."""

    exit_code = 3


class StillHeldError(ProviderError):
    """The provider certainly did not cancel a batch of email that it holds."""


class BatchLimitError(StillHeldError):
    """The provider cancels no more batches, because as many as it allows are canceled already."""
