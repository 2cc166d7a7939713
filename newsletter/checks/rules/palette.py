"""Whether the workspace's own colors can be read on one another, where the theme puts them so."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from newsletter.checks.base import Evidence, Fault, error
from newsletter.checks.reading.contrast import READABLE, SrgbColor, color_of, contrast, nearest_readable
from newsletter.settings.brand import Palette

_INKS = ("ink", "quiet", "accent", "on_accent")
_GROUNDS = ("inside", "outside", "wash", "accent")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two colors of a palette by their names: one of text, one of what it lies on."""

    ink: str
    ground: str


def check_palettes(evidence: Evidence) -> Iterable[Fault]:
    """Each pair of colors of [brand.light] and [brand.dark] that meets in the mail can be told apart."""
    brand = evidence.subject.settings.brand
    looks = {run.look for document in evidence.documents for run in document.appearance.runs}
    by_day = {(look.color, look.ground) for look in looks}
    by_night = {(look.night_color, look.night_ground) for look in looks}
    yield from _faults(evidence, "light", brand.light, by_day)
    yield from _faults(evidence, "dark", brand.dark, by_night)


def _faults(
    evidence: Evidence, table: str, palette: Palette, met: Iterable[tuple[SrgbColor | None, SrgbColor | None]]
) -> Iterator[Fault]:
    colors = {name: color_of(getattr(palette, name)) for name in (*_INKS, *_GROUNDS)}
    pairs = set(_named(colors, met))
    faint = [pair for pair in pairs if contrast(colors[pair.ink], colors[pair.ground]) < READABLE]
    told = [ink for ink in _INKS if any(pair.ink == ink for pair in faint)]
    for ink in told:
        # A ground that is too faint itself, such as a button's, is to be changed first, and then carries its text.
        grounds = sorted(pair.ground for pair in faint if pair.ink == ink and pair.ground not in told)
        if grounds:
            ratios = [f"{contrast(colors[ink], colors[ground]):.2f} : 1 on {ground}" for ground in grounds]
            what = f"{ink} {getattr(palette, ink)} has a contrast of {' and '.join(ratios)}"
            place = evidence.config_place("brand", table, ink)
            yield error(place, f"{what}, and {READABLE} : 1 can be read", _remedy(table, ink, pairs, colors))


def _named(
    colors: Mapping[str, SrgbColor], met: Iterable[tuple[SrgbColor | None, SrgbColor | None]]
) -> Iterator[_Pair]:
    """The names of the colors that meet; those that are not of the palette are another check's matter."""
    for ink, ground in met:
        inks = [name for name in _INKS if colors[name] == ink]
        grounds = [name for name in _GROUNDS if colors[name] == ground]
        if inks and grounds:
            yield _Pair(ink=inks[0], ground=grounds[0])


def _remedy(table: str, ink: str, pairs: Iterable[_Pair], colors: Mapping[str, SrgbColor]) -> str:
    """The nearest shade that can be read wherever the theme uses the color, as text or under text."""
    beside = {colors[pair.ground] for pair in pairs if pair.ink == ink}
    beside |= {colors[pair.ink] for pair in pairs if pair.ground == ink}
    shade = nearest_readable(colors[ink], beside)
    if shade is None:
        return f"make the grounds in [brand.{table}] more alike; no shade of {ink} can be read on all of them"
    return f'write {ink} = "{shade}" in [brand.{table}], its nearest shade that can be read'
