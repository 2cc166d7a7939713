"""The URL of a database: the connection string for psycopg, and the name of the database in messages."""

from collections.abc import Mapping

import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from newsletter.errors import StoreError

# Defaults for options that the URL does not set. The keepalives let this side notice a server that has vanished.
_DEFAULTS = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class Address(Struct, frozen=True, kw_only=True):
    """The address of a database."""

    shown: str  # for messages, without the user and the password
    conninfo: str  # for libpq; it may contain a password, so it is never shown

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Return what Rich should show. Otherwise, Rich prints every field."""
        return [("shown", self.shown)]


def read_address(url: str) -> Address:
    """Return the address in the URL of a database.

    Raise StoreError if the URL cannot be read. The message never contains the URL, because part of a password may be
    anywhere in it.
    """
    authority, _, path = url.partition("://")[2].partition("?")[0].partition("/")
    if authority.count("@") > 1 or "@" in path:
        raise StoreError(
            "url under [database] in newsletter.toml: it has too many @ signs; "
            "in a user name or password, write %40 for @ and %2F for /"
        )
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The cause is omitted, because its text repeats the URL.
        raise StoreError(
            "url under [database] in newsletter.toml: it is not the URL of a PostgreSQL database; write postgresql://USER@HOST/NAME"
        ) from None
    options = {**_DEFAULTS, **given, "application_name": "newsletter", "client_encoding": "UTF8"}
    return Address(shown=_shown(given), conninfo=make_conninfo("", **options))


def _shown(given: Mapping[str, str | int | None]) -> str:
    host = str(given.get("host") or "")
    place = "" if host.startswith("/") else host
    port = f":{given['port']}" if place and given.get("port") else ""
    return f"postgresql://{place}{port}/{given.get('dbname') or ''}"
