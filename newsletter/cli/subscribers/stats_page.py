"""The page of list statistics, laid out for a terminal of 80 columns, with bars of block characters."""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TextIO

from newsletter.cli import output
from newsletter.cli.output import aligned, shortened
from newsletter.language.clock import show_day
from newsletter.model.stats import AudienceFacts, AudienceStats, Breakdown, Candidates, Engagement, Growth, Mailboxes

Count = tuple[str, int]  # a name and a number

_FULL = "█"
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
_NEEDED = f"{_FULL}{''.join(_EIGHTHS)}…–→−·"
# Each drawing character and its ASCII replacement. Narrow bars become a dot, so that they stay visible.
_IN_ASCII = str.maketrans("█▉▊▋▌▍▎▏…–→−·", "#####....->--")
_LONGEST_NAME = 30
_LONGEST_BAR = 36
_IMPORTS = 3
_OPENS_ARE_HIGH = (
    "Opens are overcounted: Apple Mail and others load the images in emails that no one reads. So some of those "
    "counted as “opened only” did not open the issue. Clicks are more reliable."
)
_WHAT = {"re-engage": "ask them whether they still want it", "sunset": "stop emailing them"}


def page_of(stats: AudienceStats, name: str, *, width: int) -> list[str]:
    """Return the lines of the page about the newsletter `name`.

    A line is longer than `width` only if a single word is.
    """
    sections = [
        [_title(f"{shortened(name, width - 20)}, {stats.at:%B} {stats.at.day}, {stats.at.year}")],
        _people(stats.facts, width),
        _consent(stats.facts),
        _topics(stats.facts),
        _growth(stats.growth, width),
        _sources(stats.sources, stats.facts.people, width),
        _imports(stats, width),
        _breakdown("Languages", stats.languages, stats.facts.people, width, nothing="unknown"),
        _breakdown("Regions", stats.regions, stats.facts.people, width, nothing="no time zone"),
        _breakdown("Time zones", stats.zones, stats.facts.people, width, nothing="no time zone"),
        _mailboxes(stats.mailboxes, stats.facts.people, width),
        _engagement(stats.engagement, width),
        _candidates(stats.candidates, width),
    ]
    lines: list[str] = []
    for section in filter(None, sections):
        lines += [*([""] if lines else []), *section]
    return lines


def pasted(candidates: Candidates) -> list[str]:
    """Return the segment as short lines for newsletter.toml. TOML joins lines that end with a backslash."""
    words = candidates.expression.split(" and ")
    middle = (len(words) + 1) // 2
    first, second = " and ".join(words[:middle]), " and ".join(words[middle:])
    return [f'{candidates.purpose.value} = """\\', f"  {first} \\", f'  and {second}"""']


def bar(value: int, *, largest: int, columns: int) -> str:
    """Return a bar to scale. The largest value fills `columns`, and every value above zero is visible."""
    if value <= 0 or largest <= 0:
        return ""
    full, eighths = divmod(max(1, round(value * columns * 8 / largest)), 8)
    return _FULL * full + _EIGHTHS[eighths]


def can_draw(stream: TextIO) -> bool:
    """Return whether a stream can show the characters that a page is drawn with."""
    try:
        _NEEDED.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def in_ascii(line: str) -> str:
    """Return the line in ASCII, for any terminal. Other letters become question marks."""
    return line.translate(_IN_ASCII).encode("ascii", "replace").decode("ascii")


def share(part: int, whole: int) -> str:
    """Return a part of a whole as a percentage. It is never rounded to 0% or 100%: `95%`, `<1%`, `>99%`."""
    if part in {0, whole}:
        return "100%" if part else "0%"
    percent = 100 * part / whole
    return "<1%" if percent < 0.5 else ">99%" if percent > 99.5 else f"{percent:.0f}%"


def _title(text: str) -> str:
    return output.styled(text, "bold")


def _people(facts: AudienceFacts, width: int) -> list[str]:
    rows = [("can be emailed", facts.mailable), *facts.suppressed.items()]
    if facts.without_consent:
        rows.append(("no consent on record", facts.without_consent))
    if facts.paused:
        rows.append(("paused", facts.paused))
    return [_title(f"{output.people_of(facts.people)} on the list"), *_bars(rows, facts.people, width)]


def _consent(facts: AudienceFacts) -> list[str]:
    further = {
        "  without a source": facts.consents_without_source,
        "  not confirmed by email": facts.consents_without_confirmation,
        "other reason, stated at import": facts.on_stated_basis,
    }
    counts = {"on record": facts.consents, **{name: count for name, count in further.items() if count}}
    rows = [(name, f"{count:,}") for name, count in counts.items()]
    return [_title("Consent"), *_aligned(rows, right=frozenset({1}))]


def _topics(facts: AudienceFacts) -> list[str]:
    if not facts.topics:
        return []
    rows = [_counted(each.title, each.people, facts.people) for each in facts.topics]
    return [_title("Left one topic, still emailed about others"), *_aligned(rows, right=frozenset({1, 2}))]


def _growth(growth: Growth, width: int) -> list[str]:
    first, last = growth.months[0].month, growth.months[-1].month
    change = growth.after - growth.before
    percent = f", {100 * change / growth.before:+.1f}%".replace("-", "−") if growth.before > 0 else ""
    title = f"Growth since {first:%B %Y}: {growth.before:,} → {growth.after:,} ({_signed(change)}{percent})"
    numbers = [(f"{month.gained:,}", f"{month.all_left:,}", _signed(month.net)) for month in growth.months]
    most_gained = max(month.gained for month in growth.months)
    most_left = max(month.all_left for month in growth.months)
    widths = [max(map(len, column)) for column in zip(("joined", "left", "net"), *numbers, strict=True)]
    room = width - len("  Jan 2026") - 2 * 5 - sum(widths)
    # Both columns of bars have the same scale, so that they can be compared.
    columns = [max(4, room * most // max(1, most_gained + most_left)) for most in (most_gained, most_left)]
    if sum(columns) > room:
        columns[columns.index(max(columns))] = room - min(columns)
    rows = [("", "joined", " " * columns[0], "left", " " * columns[1], "net")]
    for month, (gained, left, net) in zip(growth.months, numbers, strict=True):
        gained_bar = bar(month.gained, largest=most_gained, columns=columns[0])
        left_bar = bar(month.all_left, largest=most_left, columns=columns[1])
        rows.append((f"{month.month:%b %Y}", gained, gained_bar, left, left_bar, net))
    lines = _headed(rows, right=frozenset({1, 3, 5}))
    return [_title(title), *lines, *_growth_notes(growth, f"{last:%B}", width)]


def _signed(number: int) -> str:
    return f"{number:+,}".replace("-", "−") if number else "0"


def _growth_notes(growth: Growth, this_month: str, width: int) -> list[str]:
    notes = [f"The totals do not include people who had left. {this_month} is not over yet."]
    if growth.returned:
        notes.append(f"{growth.returned:,} of those who joined had been subscribers before.")
    if growth.left:
        reasons = ", ".join(f"{people:,} {reason}" for reason, people in growth.left.items())
        notes.append(f"Why they left: {reasons}.")
    return _note(" ".join(notes), width)


def _sources(sources: Breakdown, people: int, width: int) -> list[str]:
    title = "Where they signed up"
    groups = sources.groups
    if not groups:
        return [_title(title), *_note("No source is on record for anyone.", width)] if people else []
    rest = _rest(sources, nothing="no source on record")
    gone = ["left", *(share(each.left, each.people) if each.left else "" for each in groups)]
    named = [("", "people", ""), *(_counted(each.name, each.people, people) for each in groups)]
    named += [_counted(name, count, people) for name, count in rest]
    cells = [(*row, left) for row, left in zip_longest(named, gone, fillvalue="")]
    bars = ["", *_drawn([group.people for group in groups], cells, width)]
    rows = [(*row, drawn) for row, drawn in zip_longest(cells, bars, fillvalue="")]
    return [_title(title), *_headed(rows, right=frozenset({1, 2, 3}))]


def _imports(stats: AudienceStats, width: int) -> list[str]:
    if not stats.imports:
        return []
    imports = stats.imports[:_IMPORTS]
    rows = [("", "", "added", "updated")]
    for each in imports:
        file = shortened(each.file or "one by one", _LONGEST_NAME) + (" (undone)" if each.undone_at else "")
        rows.append((show_day(each.at), file, f"{each.added:,}", f"{each.updated:,}"))
    room = width - _taken(rows) - 2
    head = "basis" if any(each.basis for each in imports) else ""
    bases = [head, *(shortened(each.basis, room) if each.basis else "" for each in imports)]
    cells = [(*row, basis) for row, basis in zip(rows, bases, strict=True)]
    return [_title("Last imports"), *_headed(cells, right=frozenset({2, 3}))]


def _breakdown(title: str, breakdown: Breakdown, people: int, width: int, *, nothing: str) -> list[str]:
    if not breakdown.groups:
        return []
    rows = [(group.title or group.name, group.people) for group in breakdown.groups]
    return [_title(title), *_bars(rows, people, width, rest=_rest(breakdown, nothing=nothing))]


def _rest(breakdown: Breakdown, *, nothing: str) -> list[Count]:
    """Return the number of people in smaller groups, and the number of those with no value on record."""
    rows = [(f"{breakdown.further:,} more", breakdown.further_people), (nothing, breakdown.unknown)]
    return [(name, people) for name, people in rows if people]


def _mailboxes(mailboxes: Mailboxes, people: int, width: int) -> list[str]:
    rows = [(group.provider.label, group.people) for group in mailboxes.providers]
    lines = [_title("Mailboxes"), *_bars(rows, people, width)]
    if mailboxes.domains.groups:
        largest = ", ".join(f"{group.name} {group.people:,}" for group in mailboxes.domains.groups)
        lines += _note(f"The largest other domains: {largest}.", width)
    return lines


def _engagement(engagement: Engagement, width: int) -> list[str]:
    title = _title(f"Readers in the last {engagement.days} days")
    if not engagement.received:
        return [title, *_note(f"No issue was sent in the last {engagement.days} days.", width)]
    if engagement.opens_known_since is None:
        words = f"{output.people_of(engagement.received)} received an issue. No opens or clicks were reported."
        return [title, *_note(words, width)]
    rows = [("clicked", engagement.clicked), ("opened only", engagement.opened), ("neither", engagement.neither)]
    lines = _bars(rows, engagement.received, width)
    return [
        title,
        *lines,
        *_note(f"Based on {output.people_of(engagement.received)} who received an issue. {_OPENS_ARE_HIGH}", width),
    ]


def _candidates(candidates: Sequence[Candidates], width: int) -> list[str]:
    lines = [_title("People who no longer read")]
    for each in candidates:
        head = f"{each.purpose.value:<9}"
        if each.count is None:
            lines += _note(f"{head}  unknown: {each.because}", width, indent=2 + len(head) + 2)
            continue
        people = f"{output.people_of(each.count.members)} ({each.count.mailable:,} can be emailed)"
        silence = f"no open or click in {each.days} days and at least {each.issues} issues"
        lines += _note(f"{head}  {people}: {silence}; {_WHAT[each.purpose]}", width, indent=2 + len(head) + 2)
    if known := [each for each in candidates if each.count is not None and each.count.members]:
        lines += ["", *_note("To send to them, paste these segments under [segments] in newsletter.toml:", width), ""]
        lines += [line for each in known for line in pasted(each)]
    return lines


def _bars(rows: Sequence[Count], whole: int, width: int, *, rest: Sequence[Count] = ()) -> list[str]:
    """Return one row per group: name, number, share and bar. The rows of `rest` have no bar."""
    cells = [_counted(name, people, whole) for name, people in (*rows, *rest)]
    bars = _drawn([people for _, people in rows], cells, width)
    return _aligned([(*row, drawn) for row, drawn in zip_longest(cells, bars, fillvalue="")], right=frozenset({1, 2}))


def _counted(name: str, people: int, whole: int) -> tuple[str, str, str]:
    return shortened(name, _LONGEST_NAME), f"{people:,}", share(people, whole)


def _headed(rows: Sequence[Sequence[str]], *, right: frozenset[int]) -> list[str]:
    head, *lines = _aligned(rows, right=right)
    return [output.styled(head, "dim"), *lines]


def _aligned(rows: Sequence[Sequence[str]], *, right: frozenset[int]) -> list[str]:
    return [f"  {line}" for line in aligned(rows, right=right)]


def _drawn(counts: Sequence[int], cells: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return a bar for each count, in the space that remains beside the columns of cells."""
    columns = min(_LONGEST_BAR, width - _taken(cells) - 2)
    return [bar(count, largest=max(counts), columns=columns) for count in counts]


def _taken(cells: Sequence[Sequence[str]]) -> int:
    """Return the total width of the columns, each with the gap before it."""
    return sum(2 + max(output.display_width(cell) for cell in column) for column in zip(*cells, strict=True))


def _note(text: str, width: int, *, indent: int = 2) -> list[str]:
    return wrap(text, width, initial_indent="  ", subsequent_indent=" " * indent, break_on_hyphens=False)
