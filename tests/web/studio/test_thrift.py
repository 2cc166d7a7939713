"""The caches that the studio clears: all of the program's, found without disturbing other threads."""

import gc
from functools import _lru_cache_wrapper

import pytest

import newsletter.web.studio.server  # noqa: F401 - loads the modules of the studio
from newsletter.web.studio import thrift


def limited(caches: "list[_lru_cache_wrapper[object]]") -> "list[_lru_cache_wrapper[object]]":
    """Those of the program that have a limit."""
    ours = (each for each in caches if each.__module__.startswith("newsletter."))
    return [each for each in ours if each.cache_parameters()["maxsize"] is not None]


def test_every_cache_is_cleared_and_no_thread_is_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    caches = limited([each for each in gc.get_objects() if isinstance(each, _lru_cache_wrapper)])
    assert caches
    monkeypatch.setattr(gc, "get_objects", lambda: pytest.fail("another thread may be building a tuple"))
    assert {id(each) for each in limited(list(thrift._caches()))} == {id(each) for each in caches}
    thrift.forget_texts()
    assert [each.cache_info().currsize for each in caches] == [0] * len(caches)
