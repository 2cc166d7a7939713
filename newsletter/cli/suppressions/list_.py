"""`newsletter suppressions list`."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.cli.options import OnlyReason, OnlyTopic
from newsletter.cli.workspace import opened_database
from newsletter.language.clock import show_day
from newsletter.lists.exports import suppression_data
from newsletter.model.audience import Suppression
from newsletter.store.suppressions import count_suppressions
from newsletter.workflows.suppressions.suppress import suppressed

_SHOWN = 20
_LONGEST_DETAIL = 61  # columns


def list_(
    topic: OnlyTopic = None,
    reason: OnlyReason = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="The maximum number to show.")] = _SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="Print all blocked addresses as JSON.")] = False,
) -> None:
    """List blocked addresses, with the date and the reason for each."""
    with opened_database() as (config, database):
        found = suppressed(database, topic=topic, reason=reason, topics=config.settings.topics)
        if as_json:
            output.print_json_items(map(suppression_data, found))
            return
        shown = tuple(islice(found, limit))
        counts = count_suppressions(database, topic=topic, reason=reason)
    if not shown:
        output.say(
            f"No addresses are blocked{'' if topic is None and reason is None else ' for this topic or reason'}."
        )
        return
    some_left_topics = any(each.topic for each in shown)
    columns: Mapping[str, Callable[[Suppression], str]] = {
        "address": lambda each: each.email,
        "topic": lambda each: each.topic or ("all email" if some_left_topics else ""),
        "reason": lambda each: each.reason.value,
        "since": lambda each: show_day(each.created_at),
        "detail": lambda each: output.shortened(each.detail, _LONGEST_DETAIL),
    }
    output.print_columns(columns, shown)
    total = counts.total()
    by_reason = ", ".join(f"{number:,} {each}" for each, number in counts.most_common())
    if len(shown) < total:
        output.note(
            f"{len(shown):,} of {total:,} ({by_reason}). --limit {min(total, 10 * _SHOWN)} shows more; "
            "`newsletter suppressions export` prints all of them."
        )
    else:
        output.note(f"{total:,} in total: {by_reason}.")
