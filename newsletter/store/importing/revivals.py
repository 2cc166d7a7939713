"""People who had left, and whose row holds a newer consent: they may be mailed again, and it is kept why.

Only a consent of their own lifts a suppression, with its source, given after they left and not in the future; never a
basis that an import states, nor anything where somebody was put on the list of suppressions by hand or as invalid.
"""

from collections.abc import Callable

from newsletter.store.database import Connection
from newsletter.store.queries import load_queries

_SQL = load_queries("import_revivals")


def revive(connection: Connection, find_revivals: Callable[[], object], *, now: str) -> int:
    """Lifts their suppressions; of how many. `find_revivals` puts them into the table `revival`."""
    _SQL.create_revival(connection)
    find_revivals()
    _SQL.keep_past_suppressions(connection, now=now)
    revived: int = _SQL.lift(connection)
    if revived:
        _SQL.remark_on_revivals(connection)
    _SQL.drop_revival(connection)
    return revived
