"""Moments in a reader's words."""

from datetime import datetime

from newsletter.workflows.send.when import say_distance


def shown(moment: datetime) -> str:
    """A moment as `2026-02-19 08:00 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def shown_from(moment: datetime, now: datetime) -> str:
    """A moment, and how far off it is: `2026-02-19 08:00 UTC · in 3 days`."""
    return f"{shown(moment)} · {say_distance(moment - now)}"
