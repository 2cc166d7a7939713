"""Tags that are written to a cell are read from it as the same tags."""

import time

from hypothesis import given
from hypothesis import strategies as st

from newsletter.lists.tags import cell_with_tags, tags_in_cell
from newsletter.model.audience import normal_tag

TAGS = st.text(alphabet="ab;,\"' [{}]:", min_size=1, max_size=8).map(normal_tag).filter(bool)


@given(st.sets(TAGS, max_size=4))
def test_tags_that_are_exported_are_imported_as_they_were(tags: set[str]) -> None:
    assert tags_in_cell(cell_with_tags(sorted(tags))) == tuple(sorted(tags))


@given(st.text(alphabet="ab;,|\"' [{}]:", max_size=30))
def test_every_cell_is_read_or_refused(cell: str) -> None:
    try:
        found = tags_in_cell(cell)
    except ValueError:
        return
    assert all("|" not in tag and tag == normal_tag(tag) for tag in found)


def test_time_grows_no_faster_than_the_cell() -> None:
    start = time.perf_counter()

    for piece in ('"', "'", '""', '"a', ' "', '"a" ', '"",', "'a,"):
        tags_in_cell(piece * 5000)

    assert time.perf_counter() - start < 2
