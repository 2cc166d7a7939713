"""What goes to a translator: the units of several files, each sentence with what there is of its translation."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from newsletter.translation.held import TranslationState
from newsletter.translation.inline import Pieces
from newsletter.translation.units import Unit


class ExportedSentence(Struct, frozen=True, kw_only=True):
    """The translation of one sentence as it is now."""

    state: TranslationState
    target: Pieces = ()  # with the codes of the original; empty if there is none, or if they differ
    written: str = ""  # a translation whose codes differ, as it is written
    exported: str = ""  # the digest of the translation


class ExportedFile(Struct, frozen=True, kw_only=True):
    """A file of an issue. `name` has the issue and the file, with `/` between them."""

    name: str
    units: Sequence[Unit]
    sentences: Mapping[tuple[str, int], ExportedSentence]

    def context_of(self, unit: Unit) -> tuple[str, ...]:
        """Return the notes for the translator of a unit: what it is, and what its codes stand for."""
        own = [self.sentences[unit.id, index] for index in range(len(unit.segments))]
        stale = any(each.state is TranslationState.STALE for each in own)
        hint = ("The original has changed since it was translated.",) if stale else ()
        written = tuple(f"translated by hand: {each.written}" for each in own if each.written)
        return (f"{unit.role[:1].upper()}{unit.role[1:]}", *hint, *unit.notes, *written)
