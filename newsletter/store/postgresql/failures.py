"""Turns what PostgreSQL and its driver report into a StoreError that says what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from newsletter.errors import StoreError

_LOST = ("the connection was lost", "check the server and the network, and try again; nothing of this step was kept")
_FORBIDDEN = (
    "you may not use it",
    "let its owner GRANT you CREATE on the database, or make you the owner of its schema newsletter",
)

# By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), the whole or its class. Others are
# faults of ours and stay what they are.
_MEANING = {
    "55P03": ("another program is writing to it", "wait until that has finished, and try again"),
    "40P01": ("another program was in the way", "try again; nothing of this step was kept"),
    "40001": ("another program was in the way", "try again; nothing of this step was kept"),
    "53100": ("the server's disk is full", "make room and try again; nothing of this step was kept"),
    "53200": ("the server has not enough memory", "try again later; nothing of this step was kept"),
    "53300": ("the server has no connection left", "close other programs, or raise its max_connections"),
    "42501": _FORBIDDEN,
    "25006": ("it can only be read", "name the primary server in [database] url, not one that follows it"),
    "57014": ("the server's administrator ended the step", "try again; nothing of this step was kept"),
    "22021": ("a text holds a character that PostgreSQL cannot keep", "take it out of the text"),
    "22P05": ("a text holds a character that PostgreSQL cannot keep", "take it out of the text"),
    "XX001": ("it is damaged", "move it away, and bring in a backup with `newsletter restore`"),
    "XX002": ("it is damaged", "move it away, and bring in a backup with `newsletter restore`"),
    "08": _LOST,
    "57P": _LOST,
    "58": ("the server's disk cannot be read or written", "check the disk; nothing of this step was kept"),
}

# Of a connection that fails libpq tells the words alone. Those of a server that speaks another language are shown.
_REFUSALS = (
    (
        r"password|authentication failed",
        "the server does not take the password, or there is none",
        "set PGPASSWORD in the environment, or correct it",
    ),
    (r'database ".*" does not exist', "there is no such database", "make it with createdb, or correct [database] url"),
    (r'role ".*" does not exist', "there is no such user", "correct the user in [database] url"),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "the server does not let you in from here",
        "let its administrator add a line to pg_hba.conf",
    ),
    (r"permission denied", *_FORBIDDEN),
    (r"too many (clients|connections)|connection slots", *_MEANING["53300"]),
    (r"starting up|shutting down|recovery", "the server is starting or stopping", "try again in a moment"),
    (r"translate host name", "there is no such host", "correct [database] url"),
    (
        r"refused|No such file|Is the server running|timeout|timed out|unreachable|no route",
        "no server answers",
        "start PostgreSQL, or correct the host and the port in [database] url",
    ),
)


def cannot_use(shown: str, what: str, remedy: str) -> StoreError:
    """Return a StoreError about the database."""
    return StoreError(f"{shown}: {what}; {remedy}")


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Raise StoreError where the server, or the way to it, fails a step."""
    try:
        yield
    except psycopg.Error as err:
        found = _meaning_of(err)
        if found is None:
            raise
        raise cannot_use(shown, *found) from err


@contextmanager
def cannot_connect(shown: str) -> Iterator[None]:
    """Raise StoreError where the server cannot be reached, or refuses."""
    try:
        yield
    except psycopg.Error as err:
        words = str(err)
        for pattern, what, remedy in _REFUSALS:
            if re.search(pattern, words, re.IGNORECASE):
                raise cannot_use(shown, what, remedy) from err
        first_line = words.strip().partition("\n")[0]
        raise cannot_use(shown, f"it cannot be reached ({first_line})", "check [database] url") from err


def _meaning_of(err: psycopg.Error) -> tuple[str, str] | None:
    state = err.sqlstate
    if state is None:
        # The driver's own: it lost the connection, or met text with a NUL character.
        if isinstance(err, psycopg.DataError):
            return _MEANING["22021"]
        return _LOST if isinstance(err, psycopg.OperationalError) else None
    return next((_MEANING[key] for key in (state, state[:3], state[:2]) if key in _MEANING), None)
