"""How rates and their uncertainty are written."""

from newsletter.statistics.intervals import Interval


def say_rate(rate: float) -> str:
    """Return a rate as a percentage with as many digits as make sense, such as `42%`, `1.3%` or `0.04%`."""
    percent = 100 * rate
    digits = 0 if percent >= 99.95 or percent == 0 else 1 if percent >= 1 else 2
    return f"{f'{percent:.{digits}f}'.removesuffix('0') if digits == 2 else f'{percent:.{digits}f}'}%"


def say_axis(rate: float) -> str:
    """Return a rate for the scale of a chart: `20%`, or `0.5%`."""
    return f"{100 * rate:.3g}%"


def say_interval(interval: Interval) -> str:
    """Return where a rate is, such as `41–43%`. Both ends have the digits that tell them apart."""
    low, high = 100 * interval.low, 100 * interval.high
    width = high - low
    digits = 0 if width >= 2 else 1 if width >= 0.2 else 2 if width >= 0.02 else 3
    return f"{low:.{digits}f}–{high:.{digits}f}%"
