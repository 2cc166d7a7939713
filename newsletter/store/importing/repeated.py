"""People who stand in a list several times: one of their rows counts, whatever the order of the rows."""

from collections.abc import Callable

from newsletter.store.database import Connection
from newsletter.store.queries import load_queries

_SQL = load_queries("import_remarks")
MARK = "\x1f"  # between the cells of a row; the separator of ASCII for it, and no cell holds control characters


def reject_repeated(connection: Connection, find_contenders: Callable[[], object]) -> int:
    """Rejects the rows of theirs that do not count, naming the line that does; how many.

    `find_contenders` puts all rows of such people into the table `contender`.
    """
    _SQL.create_contender(connection)
    find_contenders()
    rejected: int = _SQL.reject_repeated(connection)
    _SQL.drop_contender(connection)
    return rejected
