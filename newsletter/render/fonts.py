"""Font stacks as they are cheapest in a style attribute."""

import re

# CSS allows a family without quotes where each of its words is an identifier.
_IDENTIFIERS = re.compile(r"-?[A-Za-z_][\w-]*(?: [A-Za-z_][\w-]*)*", re.ASCII)


def bare_font_stack(stack: str) -> str:
    """The stack with quotes only around the families that need them.

    A quote in an attribute is written as five or six characters, and the stack stands in a mail some fifty times.
    """
    return ",".join(_bare(family.strip()) for family in stack.split(","))


def _bare(family: str) -> str:
    name = family.strip("\"'")
    return name if _IDENTIFIERS.fullmatch(name) else f"'{name}'"
