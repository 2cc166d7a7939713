"""Keep the studio's memory small. It stays open for days, while files are saved a thousand times.

At first, a thousand saves of one file took 265 MiB without this module, and 114 MiB with it. The difference
was caches with texts that no longer exist, and parts of the heap that nothing used. Now that the issue has four
languages, the first page takes 119 MiB, and 200 saves 131 MiB.
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import _lru_cache_wrapper

from newsletter.checks.registry import forget_translations
from newsletter.web.studio.proofs import Proofs

_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # from malloc.h
_LARGE_BYTES = 16 * 1024
_SAVES = 20


def begin_small() -> None:
    """Prepare the process, before it starts threads.

    Garbage is collected more often than in short commands. With glibc, the threads that compose issues share one heap:
    each of its own heaps would keep the largest email that its thread has composed. Large texts get pages of their own,
    which are given back at once (mallopt(3)).
    """
    gc.set_threshold(5_000, 10, 10)
    with suppress(OSError, AttributeError):
        glibc = ctypes.CDLL(None)
        glibc.mallopt(_M_ARENA_MAX, 1)
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


class Thrift:
    """Counts the saves, and forgets what was remembered about earlier texts after some of them."""

    def __init__(self, proofs: Proofs) -> None:
        self._proofs = proofs
        self._saves = 0

    def note_save(self) -> None:
        """Clear the program's caches after every 20 saves. The next save takes as long as the first one."""
        self._saves += 1
        if self._saves % _SAVES == 1:
            self._proofs.open_theme_again()
            forget_texts()


def forget_texts() -> None:
    """Clear the caches of limited size, which contain texts and what was found in them, and give memory back.

    Caches without a limit contain what never changes.
    """
    for cache in _caches():
        if cache.__module__.startswith("newsletter.") and cache.cache_parameters()["maxsize"] is not None:
            cache.cache_clear()
    forget_translations()
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc gives back what is free (malloc_trim(3))


def _caches() -> "Iterator[_lru_cache_wrapper[object]]":
    """Yield the caches of the program's functions and methods, which are in its modules and classes.

    `gc.get_objects` would find them too. But while it holds a tuple that another thread is building from a generator,
    that thread fails with a SystemError, and it may be the thread that sends a broadcast.
    """
    modules = [module for name, module in tuple(sys.modules.items()) if name.startswith("newsletter.")]
    found = [each for module in modules for each in tuple(vars(module).values())]
    inside = [each for owner in found if isinstance(owner, type) for each in tuple(vars(owner).values())]
    yield from {id(each): each for each in (*found, *inside) if isinstance(each, _lru_cache_wrapper)}.values()
