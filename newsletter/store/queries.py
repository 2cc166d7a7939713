"""Load the named queries of `sql/`."""

from pathlib import Path
from typing import Any

import aiosql
from aiosql.adapters.generic import GenericAdapter

from newsletter.store.columns import with_columns

_FOLDER = Path(__file__).parent / "sql"


def load_queries(name: str) -> Any:
    """Return the queries of `sql/NAME.sql`, each a function of a connection and the parameters that it declares.

    What they return is untyped: the caller turns rows into records at once.
    """
    return aiosql.from_str(with_columns((_FOLDER / f"{name}.sql").read_text(encoding="utf-8")), GenericAdapter)
