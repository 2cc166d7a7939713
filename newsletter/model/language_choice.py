"""Which of the offered languages suit a reader. The rule is CLDR's language matching, within a limit."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

# CLDR's distance between what someone wants and gets: 5 for another country, up to 10 for a dialect that its readers
# do not mind. It is 20 from Catalan and Galician to Spanish, which no one should get without being asked.
_FARTHEST = 10


def suitable_languages(wanted: str, offered: Sequence[str], instead: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the offered languages that suit a reader's recorded language, the best one first.

    `instead` has more languages for readers of some language, which come after those that match by themselves.
    """
    return _suitable(wanted, tuple(offered), instead.get(wanted) or instead.get(wanted.partition("-")[0]) or ())


@lru_cache(maxsize=4096)
def _suitable(wanted: str, offered: tuple[str, ...], instead: tuple[str, ...]) -> tuple[str, ...]:
    if not wanted or len(offered) < 2:
        return ()
    from langcodes import tag_distance  # loaded here because issues in one language need no table of distances

    try:
        distances = {code: tag_distance(wanted, code) for code in offered}
    except ValueError:  # text that is not the code of a language
        return ()
    near = sorted((code for code in offered if distances[code] <= _FARTHEST), key=lambda code: distances[code])
    return tuple(dict.fromkeys([*near, *(code for code in instead if code in offered)]))
