"""Draw the picture with which social networks show an issue: its title, and the newsletter's name above it."""

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, features

from newsletter.language.direction import Direction, direction_of_language
from newsletter.settings.workspace import Palette
from newsletter.site.fonts import FontFile, font_for

SIZE = (1200, 630)
_EDITION = 2  # increase this number if the picture is drawn differently
_MARGIN = 96
_BAR = 16  # the height of the line in the accent color
_TITLE_SIZES = (84, 74, 64, 56, 48)
_MOST_LINES = 4
_OVERLINE_SIZE = 30
_SHADES = 128  # of each color between its pure form and the background
_NOT_BEFORE = "、。，．・！？：；）」』】〉》…ー々"  # a line in Chinese or Japanese does not begin with these


def share_picture(
    title: str,
    overline: str,
    language: str,
    palette: Palette,
    recall: Callable[[str, bytes, Callable[[], bytes]], bytes],
) -> bytes:
    """Return the picture of an issue as a PNG, 1200 × 630 pixels.

    A text is left out if no installed font has its letters. `recall` caches the result.
    """
    fonts = [_font_of(text, language, is_serif=is_serif) for text, is_serif in ((title, True), (overline, False))]
    colors = (palette.outside, palette.ink, palette.accent)
    ingredients = repr((_EDITION, title, overline, language, colors, fonts)).encode()
    return recall("share", ingredients, lambda: _drawn((title, fonts[0]), (overline, fonts[1]), language, colors))


def _font_of(text: str, language: str, *, is_serif: bool) -> FontFile | None:
    is_from_right = direction_of_language(language) is Direction.RIGHT_TO_LEFT
    # Letters of these scripts are joined and ordered by Raqm. Without it they would be wrong, which is worse than none.
    if is_from_right and not features.check("raqm"):
        return None
    return font_for(text, language, is_serif=is_serif)


def _drawn(
    title: tuple[str, FontFile | None],
    overline: tuple[str, FontFile | None],
    language: str,
    colors: tuple[str, str, str],
) -> bytes:
    """Draw on a picture with two times 128 shades, which takes a quarter of the time of full colors."""
    paper, ink, accent = map(_rgb, colors)
    image = Image.new("P", SIZE, 0)
    image.putpalette(
        [part for color in (ink, accent) for shade in range(_SHADES) for part in _mixed(paper, color, shade)]
    )
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE[0], _BAR), fill=2 * _SHADES - 1)
    is_from_right = direction_of_language(language) is Direction.RIGHT_TO_LEFT
    lines: list[str] = []
    font: ImageFont.FreeTypeFont | None = None
    text, file = title
    if file is not None:
        font, lines = _fitted(text, file)
    heights = [_line_height(font)] * len(lines) if font else []
    block = sum(heights) + (2 * _OVERLINE_SIZE if overline[1] else 0)
    top = (SIZE[1] + _BAR - block) // 2
    if overline[1] is not None:
        small = _opened(overline[1], _OVERLINE_SIZE)
        _put(image, overline[0], small, top, first=_SHADES, is_from_right=is_from_right)
        top += 2 * _OVERLINE_SIZE
    for line, height in zip(lines, heights, strict=True):
        if font is not None:
            _put(image, line, font, top, first=0, is_from_right=is_from_right)
        top += height
    saved = BytesIO()
    image.save(saved, "PNG", compress_level=2)
    return saved.getvalue()


def _put(
    image: Image.Image, text: str, font: ImageFont.FreeTypeFont, top: int, *, first: int, is_from_right: bool
) -> None:
    """Write a line in the shades of the palette that begin at `first`."""
    direction = "rtl" if is_from_right else None  # also of a line that begins with a name in Latin letters
    left, upper, right, lower = (int(edge) for edge in font.getbbox(text, direction=direction))
    mask = Image.new("L", (right - left + 2, lower - upper + 2))
    ImageDraw.Draw(mask).text((1 - left, 1 - upper), text, font=font, fill=255, direction=direction)
    shades = mask.point([first + value * (_SHADES - 1) // 255 for value in range(256)])
    x = SIZE[0] - _MARGIN - mask.width if is_from_right else _MARGIN
    image.paste(shades, (x, top + upper), mask.point([0] + [255] * 255))


def _fitted(title: str, file: FontFile) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """Return the largest font in which the title fits, and its lines. A title that is too long is cut."""
    width = SIZE[0] - 2 * _MARGIN
    for size in _TITLE_SIZES:
        font = _opened(file, size)
        lines = _wrapped(title, font, width)
        if len(lines) <= _MOST_LINES:
            return font, lines
    cut = lines[:_MOST_LINES]
    while cut[-1] and font.getlength(f"{cut[-1]}…") > width:
        cut[-1] = cut[-1][:-1]
    return font, [*cut[:-1], f"{cut[-1].rstrip()}…"]


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in _words(text):
        if lines[-1] and font.getlength((lines[-1] + word).rstrip()) > width:
            lines.append("")
        lines[-1] += word
        while font.getlength(lines[-1].rstrip()) > width:  # a single word that is wider than the picture
            keep = next(n for n in range(len(lines[-1]) - 1, 0, -1) if n == 1 or font.getlength(lines[-1][:n]) <= width)
            lines[-1:] = [lines[-1][:keep], lines[-1][keep:]]
    return [line.strip() for line in lines if line.strip()]


def _words(text: str) -> list[str]:
    """Return the parts between which a line may end: words with their space, and each ideograph or kana."""
    parts: list[str] = []
    for sign in text:
        is_own = sign >= "\u2e80" and not "\uac00" <= sign <= "\ud7a3"
        if (
            not parts
            or (is_own and sign not in _NOT_BEFORE)
            or parts[-1][-1] == " "
            or _is_ideograph(parts[-1][-1], sign)
        ):
            parts.append(sign)
        else:
            parts[-1] += sign
    return parts


def _is_ideograph(before: str, sign: str) -> bool:
    return before >= "\u2e80" and not "\uac00" <= before <= "\ud7a3" and sign not in _NOT_BEFORE and sign != " "


@lru_cache(maxsize=64)
def _opened(file: FontFile, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file.path, size, index=file.index)


def _line_height(font: ImageFont.FreeTypeFont) -> int:
    return int(font.size * 1.22)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _mixed(paper: tuple[int, int, int], color: tuple[int, int, int], shade: int) -> tuple[int, ...]:
    return tuple(below + (above - below) * shade // (_SHADES - 1) for below, above in zip(paper, color, strict=True))
