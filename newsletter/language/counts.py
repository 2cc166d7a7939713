"""Write counts with the right form of the noun, for the program's messages."""


def count_of(number: int, noun: str) -> str:
    """Return `1 subscriber`, `2 subscribers`, `2 days`, `2 entries` or `2 addresses`."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def people_of(number: int) -> str:
    """Return `1 person` or `2 people`."""
    return f"{number:,} {'person' if number == 1 else 'people'}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy", "uy")):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"
