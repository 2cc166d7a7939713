"""Style sheets and `style` attributes as small trees that can be edited and written again.

An email app filters CSS by its text, rule by rule. The trees here keep what that needs and no more. Results are cached
by their text, because twenty apps read the same email.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

import tinycss2
from msgspec import Struct
from msgspec.structs import replace
from tinycss2.ast import Node

from newsletter.checks.reading.styles import nodes_of_block, nodes_of_rules, nodes_of_sheet

_GROUPS = frozenset({"media", "supports", "layer", "container", "document", "scope", "starting-style"})


class CssDeclaration(Struct, frozen=True):
    """A property with its value, as written but for comments and outer spaces."""

    name: str  # in lower case, unless it is a custom property
    value: str
    bang: str = ""  # `!important` or ` !important`: some apps care about the space

    @property
    def is_important(self) -> bool:
        """Whether it is `!important`."""
        return bool(self.bang)

    def __str__(self) -> str:
        return f"{self.name}:{self.value}{self.bang}"


class CssRule(Struct, frozen=True):
    """Declarations for the elements that selectors match, perhaps with rules nested in them."""

    selectors: tuple[str, ...]
    declarations: tuple[CssDeclaration, ...]
    inside: "tuple[CssNode, ...]" = ()

    def __str__(self) -> str:
        body = written_declarations(self.declarations)
        nested = "".join(map(str, self.inside))
        return f"{', '.join(self.selectors)} {{ {body}{'; ' if body and nested else ''}{nested} }}\n"


class CssGroup(Struct, frozen=True):
    """Rules that apply on a condition, such as those in `@media`."""

    keyword: str  # `media`
    prelude: str
    inside: "tuple[CssNode, ...]"

    def __str__(self) -> str:
        return f"@{self.keyword} {self.prelude} {{\n{''.join(map(str, self.inside))}}}\n"


class CssStatement(Struct, frozen=True):
    """Any other at-rule, such as `@font-face` or `@import`, with its text."""

    keyword: str
    text: str

    def __str__(self) -> str:
        return f"{self.text}\n"


CssNode = CssRule | CssGroup | CssStatement
# Given a node and the groups around it, returns what takes its place. A rule nested in another has that rule around it.
NodeEdit = Callable[[CssNode, "tuple[CssRule | CssGroup, ...]"], "Iterable[CssNode]"]


@lru_cache(maxsize=256)
def read_sheet(css: str) -> tuple[CssNode, ...]:
    """Return the rules of a style sheet. What no browser can read is left out."""
    return tuple(_read(nodes_of_sheet(css)))


@lru_cache(maxsize=8192)
def read_declarations(css: str) -> tuple[CssDeclaration, ...]:
    """Return the declarations of a `style` attribute."""
    return tuple(_declarations(nodes_of_block(css)))


def written_sheet(nodes: Iterable[CssNode]) -> str:
    """Return rules as the text of a style element."""
    return "".join(map(str, nodes))


def written_declarations(declarations: Iterable[CssDeclaration]) -> str:
    """Return declarations as the text of a `style` attribute."""
    return "; ".join(map(str, declarations))


def edited(
    nodes: Iterable[CssNode], edit: NodeEdit, around: "tuple[CssRule | CssGroup, ...]" = ()
) -> Iterator[CssNode]:
    """Yield the nodes that an edit leaves of each node, and of the nodes in it. A group that becomes empty is left out.

    An edit sees a node before the nodes in it.
    """
    for node in nodes:
        for kept in edit(node, around):
            if isinstance(kept, CssStatement) or not kept.inside:
                yield kept
                continue
            inside = tuple(edited(kept.inside, edit, (*around, kept)))
            if inside or isinstance(kept, CssRule):
                yield replace(kept, inside=inside)


def rules_in(nodes: Iterable[CssNode]) -> Iterator[CssRule]:
    """Yield all rules of a sheet, those in groups and in other rules included."""
    for node in nodes:
        if isinstance(node, CssRule):
            yield node
        if not isinstance(node, CssStatement):
            yield from rules_in(node.inside)


def split_commas(text: str) -> tuple[str, ...]:
    """Split a selector list, a media query list or a value at the commas that are not inside brackets or strings."""
    pieces: list[list[Node]] = [[]]
    for node in _components(text):
        if node == ",":
            pieces.append([])
        else:
            pieces[-1].append(node)
    return tuple(written for piece in pieces if (written := tinycss2.serialize(piece).strip()))


@lru_cache(maxsize=8192)
def _components(text: str) -> Sequence[Node]:
    return tuple(tinycss2.parse_component_value_list(text, skip_comments=True))


def _read(nodes: Iterable[Node]) -> Iterator[CssNode]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield _rule(node)
        elif node.type == "at-rule":
            yield _at_rule(node)


def _rule(node: tinycss2.ast.QualifiedRule) -> CssRule:
    contents = nodes_of_block(node.content)
    selectors = split_commas(tinycss2.serialize(node.prelude))
    nested = tuple(_read(each for each in contents if each.type in {"qualified-rule", "at-rule"}))
    return CssRule(selectors, tuple(_declarations(contents)), nested)


def _at_rule(node: tinycss2.ast.AtRule) -> CssNode:
    keyword = node.lower_at_keyword
    if node.content is None or keyword not in _GROUPS:
        return CssStatement(keyword, node.serialize().strip())
    prelude = " ".join(tinycss2.serialize(node.prelude).split())
    return CssGroup(keyword, prelude, tuple(_read(nodes_of_rules(node.content))))


def _declarations(nodes: Iterable[Node]) -> Iterator[CssDeclaration]:
    for node in nodes:
        if node.type == "declaration":
            name = node.name if node.name.startswith("--") else node.lower_name
            value = tinycss2.serialize(node.value)
            space = " " if value[-1:].isspace() else ""
            yield CssDeclaration(name, value.strip(), f"{space}!important" if node.important else "")
