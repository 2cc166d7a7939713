"""Find the single topics that people left, according to a list.

Our own export has a column with the topics that each person left. Other tools have one column per topic. Such a topic
may be another newsletter of the same sender. If no topic here has its name, it is unclear whether this newsletter is
meant.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from newsletter.language.commands import map_option
from newsletter.lists.cells import TidyColumn, shortened
from newsletter.lists.export_formats import letters_of
from newsletter.lists.leavers import LeavingJudgment
from newsletter.lists.leaving import LeavingColumn, LeavingKind, LeavingOutcome, LeavingVerdict
from newsletter.lists.list_columns import LEFT, ListColumn, ListHeader
from newsletter.model.audience import SuppressionReason

_CELLS = LeavingColumn(name="", kind=LeavingKind.LEFT)


class LeftTopics(Struct, frozen=True, kw_only=True):
    """The topics that the people of some rows left, by the places of the rows."""

    topics: defaultdict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))  # name → time, if given
    doubts: dict[int, str] = field(default_factory=dict)  # of rows that are imported
    unclear: dict[int, LeavingJudgment] = field(default_factory=dict)  # of rows that are not


def find_left_topics(
    header: ListHeader, tidy: Callable[[ListColumn], TidyColumn], topics: Mapping[str, str]
) -> LeftTopics:
    """Return the topics that people left. `tidy` returns the cells of a column, and `topics` gives titles by name.

    A topic of our own export that does not exist is a doubt. A row that leaves it open whether this newsletter is
    meant, or whether the person left, is unclear.
    """
    found, is_day_first = LeftTopics(), header.form.is_day_first
    for column in header.columns:
        if column.has_left_topics:
            _read_names(tidy(column).cells, topics, found)
        elif column.left_topic:
            _read_answers(
                column, tidy(column), topics_called(column.left_topic, topics), found, is_day_first=is_day_first
            )
    return found


def topics_called(name: str, topics: Mapping[str, str]) -> Sequence[str]:
    """Return the topics whose name or title has the same letters as this name of another tool."""
    letters = letters_of(name)
    return [topic for topic, title in topics.items() if letters and letters in {letters_of(topic), letters_of(title)}]


def says_that_they_left(cell: str, *, is_day_first: bool | None) -> LeavingVerdict:
    """Return what a cell of a column with a `left_topic` says."""
    return _CELLS.verdict(cell, is_day_first=is_day_first)


def _read_names(cells: Sequence[str], topics: Mapping[str, str], found: LeftTopics) -> None:
    for place, cell in enumerate(cells):
        if not cell:
            continue
        named = list(dict.fromkeys(name for part in cell.split(";") if (name := part.strip())))
        found.topics[place].update({name: "" for name in named if name in topics})
        if unknown := [repr(shortened(name)) for name in named if name not in topics]:
            remedy = "define it in newsletter.toml under [topics], and import the file again"
            found.doubts[place] = f"they left {', '.join(unknown)}, which is not a topic here; {remedy}"


def _read_answers(
    column: ListColumn, cells: TidyColumn, topics: Sequence[str], found: LeftTopics, *, is_day_first: bool | None
) -> None:
    verdicts = {cell: says_that_they_left(cell, is_day_first=is_day_first) for cell in cells.different}
    against = {cell: verdict for cell, verdict in verdicts.items() if verdict.outcome is not LeavingOutcome.STAYS}
    for place in (place for place, cell in enumerate(cells.cells) if cell in against) if against else ():
        cell = cells.cells[place]
        verdict = against[cell]
        if topics and verdict.outcome is LeavingOutcome.LEFT:
            found.topics[place].update(dict.fromkeys(topics, verdict.at.first if verdict.at else ""))
        else:
            told = _question(column, cell, is_about_leaving=verdict.outcome is LeavingOutcome.LEFT)
            found.unclear.setdefault(place, LeavingJudgment(reason=SuppressionReason.IN_DOUBT, told=told))


def _question(column: ListColumn, cell: str, *, is_about_leaving: bool) -> str:
    """Return why it is unclear whether someone left, and what to do about it."""
    what = f"cannot tell whether this person left: {column.name} is {shortened(cell)!r}"
    skip = f"add {map_option(column.name, '')}"
    if not is_about_leaving:
        return f"{what}; correct the cell, or {skip} if the column is not about leaving"
    return (
        f"{what}, and no topic is called {shortened(column.left_topic)!r}; define it in newsletter.toml under [topics]"
        f", or add {map_option(column.name, LEFT)} if it means your newsletter, or {skip} if it does not"
    )
