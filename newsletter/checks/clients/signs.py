"""What can be seen of a feature in HTML and CSS: the words by which a mail's use of it is recognised."""

from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    """What a sign is a word of."""

    PROPERTY = auto()  # `gap`; `--*` is any custom property
    VALUE = auto()  # `display: grid` of one property; `initial` or `!important` of any
    FUNCTION = auto()  # `calc`
    UNIT = auto()  # `vw`
    AT_RULE = auto()  # `supports`
    MEDIA_FEATURE = auto()  # `prefers-color-scheme`
    SELECTOR = auto()  # `:hover`, `::before`, `>`
    ELEMENT = auto()  # `video`; `input type=text`
    ATTRIBUTE = auto()  # `srcset`; `href=mailto:` by how its value begins
    PICTURE = auto()  # `webp`: a picture's format


class Sign(NamedTuple):
    """One such word, in lower case."""

    kind: Kind
    name: str


class Use(NamedTuple):
    """That a sign stands in a mail."""

    sign: Sign
    has_fallback: bool  # whether something stands beside it for the programs that do not know it
    address: str = ""  # of a picture
