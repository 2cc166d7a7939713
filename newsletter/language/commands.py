"""Parts of commands that people may copy into a shell, though they contain words from other people's files."""

import re
from shlex import quote

_SPECIAL = re.compile(r'["$`\\!]')  # what a shell does not take literally between double quotes


def map_option(column: str, meaning: str) -> str:
    """Return the option that gives a column a meaning. The shell takes the column's title literally."""
    text = f"{column}={meaning}"
    return f"--map {quote(text)}" if _SPECIAL.search(text) else f'--map "{text}"'
