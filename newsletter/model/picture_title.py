"""What the title of a picture in Markdown says of it: `![](images/line.png "decorative, 120 px")`."""

import re
from dataclasses import dataclass

_NARROWEST, _WIDEST = 8, 536  # pixels; the text of a mail is no wider
_WIDTH = re.compile(r"(\d+) ?px")
_REMEDY = 'write "decorative", a width such as "240 px", or both with a comma between them, or leave it out'


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTitle:
    """Whether a picture says nothing that must be read out, and how wide it is shown; None for as wide as it can be."""

    is_decorative: bool = False
    width: int | None = None


def read_picture_title(title: str) -> PictureTitle:
    """Reads the title of a picture.

    Raises ValueError, as `what; what to do`, where it says anything else.
    """
    is_decorative, width = False, None
    for word in title.split(",") if title.strip() else ():
        if word.strip() == "decorative":
            is_decorative = True
        elif match := _WIDTH.fullmatch(word.strip()):
            width = int(match[1])
            if not _NARROWEST <= width <= _WIDEST:
                raise ValueError(
                    f"a picture cannot be shown {width} px wide; choose a width from {_NARROWEST} to {_WIDEST} px"
                )
        else:
            raise ValueError(f"the title “{title}” of a picture is shown nowhere; {_REMEDY}")
    return PictureTitle(is_decorative=is_decorative, width=width)
