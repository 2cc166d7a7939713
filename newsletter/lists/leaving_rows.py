"""Collect what the rows of a list say about leaving: all email, or single topics."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from newsletter.lists.cells import Cells, TidyColumn
from newsletter.lists.leavers import Judge, LeavingJudgment
from newsletter.lists.left_topics import LeftTopics
from newsletter.lists.list_columns import ListColumn
from newsletter.lists.lone_cells import judge_members, together
from newsletter.lists.tables import Rows
from newsletter.model.audience import SuppressionReason
from newsletter.model.imports import LeavingRow


def judgments_of(
    rows: Rows, judge: Judge, tidy: Callable[[ListColumn], TidyColumn], left: LeftTopics
) -> dict[int, LeavingJudgment]:
    """Return what the rows say against emailing their people, by their places. `tidy` returns the cells of a column.

    Raise UnclearColumnsError if a column has to be explained first.
    """
    judgments = left.unclear | judge.judge(rows.lines, tidy)
    for place, judgment in judge_members(rows.header, tidy).items():
        judgments[place] = together([*([judgments[place]] if place in judgments else []), judgment])
    return judgments


def leaving_rows(
    lines: Sequence[int], columns: Mapping[str, Cells], judgments: Mapping[int, LeavingJudgment]
) -> Iterator[LeavingRow]:
    """Yield a row for each judgment about someone with an address. `columns` are those of the batch."""
    consents = columns.get("consented_at")
    for place, judgment in judgments.items():
        if columns["email"][place]:
            yield LeavingRow(
                line=lines[place],
                email=columns["email"][place],
                person=columns["person"][place],
                consented_at=consents[place] if consents else "",
                reason=judgment.reason,
                left_at=judgment.left_at,
                until=judgment.until,
                told=judgment.told,
            )


def topic_rows(lines: Sequence[int], columns: Mapping[str, Cells], left: LeftTopics) -> Iterator[LeavingRow]:
    """Yield a row for each topic that someone with an address left. `columns` are those of the batch."""
    for place, topics in left.topics.items():
        for topic, left_at in topics.items() if columns["email"][place] else ():
            yield LeavingRow(
                line=lines[place],
                email=columns["email"][place],
                person=columns["person"][place],
                reason=SuppressionReason.UNSUBSCRIBED,
                left_at=left_at,
                topic=topic,
                told=f"left the topic {topic}",
            )
