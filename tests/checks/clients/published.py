"""An answer as caniemail publishes it, with as many features as one must have at least."""

from copy import deepcopy
from typing import Any

import orjson

_FEATURE = {
    "slug": "css-gap",
    "title": "gap, column-gap, row-gap",
    "description": "Not kept.",
    "url": "https://www.caniemail.com/features/css-gap/",
    "category": "css",
    "last_test_date": "2026-01-02",
    "stats": {
        "gmail": {"ios": {"2020-01": "n", "2024-05": "a #1"}, "desktop-webmail": {"2024-05": "y"}},
        "outlook": {"windows": {"2019": "n #2"}, "macos": {"2011": "n", "2016": "n", "16.80": "y"}},
    },
    "notes_by_num": {"1": "Partial. Only column-gap.", "2": "Never."},
}
NICE_NAMES = {
    "family": {"gmail": "Gmail", "outlook": "Outlook"},
    "platform": {"desktop-webmail": "Desktop Webmail", "ios": "iOS", "windows": "Windows", "macos": "macOS"},
}


def answer(*, date: str = "2099-01-02 03:04:05 +0000", **changes: object) -> bytes:
    """The answer, with keys of its first feature changed."""
    features: list[Any] = [deepcopy(_FEATURE) for _ in range(100)]
    for number, feature in enumerate(features[1:], start=1):
        feature["slug"] = f"css-other-{number}"
    features[0].update(changes)
    nice = {"api_version": "1.0.4", "last_update_date": date, "nicenames": NICE_NAMES, "data": features}
    return orjson.dumps(nice)
