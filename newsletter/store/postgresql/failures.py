"""Translate errors of PostgreSQL and its driver into a StoreError that says what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from newsletter.errors import StoreError

_LOST = ("the connection was lost", "check the server and the network, and try again; this step saved nothing")
_FORBIDDEN = (
    "you do not have permission to use it",
    "ask its owner to GRANT you CREATE on the database, or to make you the owner of its newsletter schema",
)

# By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): the whole code or its class. Other codes
# mean a bug in this program, and are not translated.
_MEANING = {
    "55P03": ("another program is writing to it", "wait until that program has finished, and try again"),
    "40P01": ("another program was changing the same data", "try again; this step saved nothing"),
    "40001": ("another program was changing the same data", "try again; this step saved nothing"),
    "53100": ("the server's disk is full", "free some space and try again; this step saved nothing"),
    "53200": ("the server is out of memory", "try again later; this step saved nothing"),
    "53300": ("the server has no free connections", "close other programs, or raise its max_connections"),
    "42501": _FORBIDDEN,
    "25006": ("it is read-only", "name the primary server, not a replica, in url under [database] in newsletter.toml"),
    "57014": ("the server's administrator canceled this step", "try again; this step saved nothing"),
    "22021": ("a value contains a character that PostgreSQL cannot store", "remove that character"),
    "22P05": ("a value contains a character that PostgreSQL cannot store", "remove that character"),
    "XX001": ("it is damaged", "move it elsewhere, and restore a backup with `newsletter restore`"),
    "XX002": ("it is damaged", "move it elsewhere, and restore a backup with `newsletter restore`"),
    "08": _LOST,
    "57P": _LOST,
    "58": ("the server's disk cannot be read or written", "check the disk; this step saved nothing"),
}

# If a connection fails, libpq returns only text and no code. Text that matches no pattern, for example because the
# server uses another language, is shown as is.
_REFUSALS = (
    (
        r"password|authentication failed",
        "the server does not accept the password, or no password is set",
        "set the PGPASSWORD environment variable to the right password",
    ),
    (
        r'database ".*" does not exist',
        "there is no such database",
        "create it with createdb, or correct url under [database] in newsletter.toml",
    ),
    (
        r'role ".*" does not exist',
        "there is no such user",
        "correct the user in url under [database] in newsletter.toml",
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "the server does not allow connections from this computer",
        "ask its administrator to add a line to pg_hba.conf",
    ),
    (r"permission denied", *_FORBIDDEN),
    (r"too many (clients|connections)|connection slots", *_MEANING["53300"]),
    (r"starting up|shutting down|recovery", "the server is starting or stopping", "try again in a moment"),
    (r"translate host name", "there is no such host", "correct url under [database] in newsletter.toml"),
    (
        r"refused|No such file|Is the server running|timeout|timed out|unreachable|no route",
        "no server answers",
        "start PostgreSQL, or correct the host and port in url under [database] in newsletter.toml",
    ),
)


def cannot_use(shown: str, what: str, remedy: str) -> StoreError:
    """Return a StoreError about the database."""
    return StoreError(f"{shown}: {what}; {remedy}")


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Raise StoreError if the server, or the connection to it, fails a step."""
    try:
        yield
    except psycopg.Error as err:
        found = _meaning_of(err)
        if found is None:
            raise
        raise cannot_use(shown, *found) from err


@contextmanager
def cannot_connect(shown: str) -> Iterator[None]:
    """Raise StoreError if the server cannot be reached or refuses the connection."""
    try:
        yield
    except psycopg.Error as err:
        words = str(err)
        for pattern, what, remedy in _REFUSALS:
            if re.search(pattern, words, re.IGNORECASE):
                raise cannot_use(shown, what, remedy) from err
        first_line = words.strip().partition("\n")[0]
        raise cannot_use(
            shown, f"it cannot be reached ({first_line})", "check url under [database] in newsletter.toml"
        ) from err


def _meaning_of(err: psycopg.Error) -> tuple[str, str] | None:
    state = err.sqlstate
    if state is None:
        # An error of the driver itself: the connection was lost, or a string contains a NUL character.
        if isinstance(err, psycopg.DataError):
            return _MEANING["22021"]
        return _LOST if isinstance(err, psycopg.OperationalError) else None
    return next((_MEANING[key] for key in (state, state[:3], state[:2]) if key in _MEANING), None)
