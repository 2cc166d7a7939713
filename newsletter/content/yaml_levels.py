"""Follows the indentation of a YAML file, to find out which list or set of keys each line belongs to."""

from msgspec import Struct, field

from newsletter.content.yaml_mistakes import (
    YamlMistake,
    indented_above,
    key_between_items,
    list_without_key,
    wrong_indentation,
)


class _Level(Struct, frozen=True):
    """A list or a set of keys that has not ended: the indentation of its lines, and the line on which it begins."""

    spaces: int
    is_list: bool
    line: int


class YamlLevels(Struct):
    """The lists and sets of keys that have not ended, from the outermost to the innermost."""

    takes_more: bool = True  # the last line ends with a key or a dash, so the next one may be deeper
    _open: list[_Level] = field(default_factory=list)
    _shifted: dict[int, int] = field(default_factory=dict)  # each wrong indentation that was reported → the right one

    @property
    def innermost(self) -> int | None:
        """The indentation of the innermost level, or None if nothing has begun yet."""
        return self._open[-1].spaces if self._open else None

    @property
    def expected(self) -> int:
        """The number of spaces that the next line most likely needs."""
        return self._open[-1].spaces + 2 * self.takes_more if self._open else 0

    def place(self, number: int, spaces: int, *, is_list: bool, content: str) -> YamlMistake | None:
        """Find the level to which a key or an item belongs. Return a mistake if the indentation fits no level."""
        if self._shifted and spaces < min(self._shifted):
            self._shifted.clear()
        spaces = self._shifted.get(spaces, spaces)
        removed: _Level | None = None
        while self._open and self._open[-1].spaces > spaces:
            removed = self._open.pop()
        if self._open and self._open[-1].spaces == spaces:
            return self._beside(number, is_list=is_list, content=content)
        level = _Level(spaces=spaces, is_list=is_list, line=number)
        fits = self._open[-1] if self._open else None
        if removed is None and (self.takes_more or fits is None):
            self._open.append(level)
            return None
        if fits is None and removed is not None:  # all lines so far are deeper than this one
            self._open.append(level)
            return indented_above(removed.line, removed.spaces, number, spaces)
        beside = fits or level
        if removed is not None and removed.is_list == is_list:
            beside = removed
            self._open.append(removed)
        self._shifted[spaces] = beside.spaces
        return wrong_indentation(number, spaces, beside.spaces, beside.line, content)

    def _beside(self, number: int, *, is_list: bool, content: str) -> YamlMistake | None:
        """Check a line with the same indentation as the innermost level."""
        level = self._open[-1]
        if level.is_list == is_list:
            return None
        if is_list:
            if not self.takes_more:
                return list_without_key(number, content)
            self._open.append(_Level(spaces=level.spaces, is_list=True, line=number))
            return None
        self._open.pop()
        if self._open and self._open[-1].spaces == level.spaces:
            return None
        self._open.append(_Level(spaces=level.spaces, is_list=True, line=number))
        return key_between_items(number, content)
