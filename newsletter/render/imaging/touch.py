"""What is done to an image after it is fitted: the play button on a video's thumbnail, and the circle of a portrait."""

from PIL import Image, ImageChops, ImageDraw, ImageFont

_MARK_SHARE = 0.22  # the play button's diameter, as a share of the thumbnail's height
_INK, _PAPER = (22, 20, 19), (255, 255, 255)
_OVERSAMPLING = 4
_LENGTH_SHARE = 0.09  # the height of the length's letters; on the smallest phone, they are then 14 pixels high


def with_play_mark(image: Image.Image, length: str) -> Image.Image:
    """Return the thumbnail with a play button in the middle and, if there is a length, the length in a corner."""
    still = Image.new("RGB", image.size, _PAPER)
    still.paste(image, mask=image if image.mode == "RGBA" else None)
    _draw_mark(still)
    if length:
        _draw_length(still, length)
    return still


def _draw_mark(still: Image.Image) -> None:
    width, height = still.size
    diameter = max(1, int(height * _MARK_SHARE))
    big = diameter * _OVERSAMPLING
    mark = Image.new("RGBA", (big, big))
    draw = ImageDraw.Draw(mark)
    draw.ellipse((0, 0, big - 1, big - 1), fill=(*_INK, 190))
    # The triangle's center of mass, not the center of its box, goes in the middle of the circle.
    draw.polygon(((big * 0.40, big * 0.30), (big * 0.40, big * 0.70), (big * 0.72, big * 0.50)), fill=(*_PAPER, 255))
    mark = mark.resize((diameter, diameter), Image.Resampling.LANCZOS)
    still.paste(mark, ((width - diameter) // 2, (height - diameter) // 2), mark)


def _draw_length(still: Image.Image, length: str) -> None:
    width, height = still.size
    font = ImageFont.load_default(size=max(height * _LENGTH_SHARE, 1))
    margin, padding = int(height * 0.035), int(height * 0.022)
    left, top, right, bottom = font.getbbox(length)
    box_width, box_height = int(right - left) + 3 * padding, int(bottom - top) + 2 * padding
    layer = Image.new("RGBA", still.size)
    draw = ImageDraw.Draw(layer)
    x, y = width - margin - box_width, height - margin - box_height
    draw.rounded_rectangle((x, y, x + box_width, y + box_height), radius=padding, fill=(*_INK, 200))
    draw.text((x + 1.5 * padding - left, y + padding - top), length, font=font, fill=(*_PAPER, 255))
    still.paste(layer, (0, 0), layer)


def in_circle(image: Image.Image) -> Image.Image:
    """Return a square image cut to a circle. Everything around the circle is transparent."""
    big = (image.width * _OVERSAMPLING, image.height * _OVERSAMPLING)
    circle = Image.new("L", big)
    ImageDraw.Draw(circle).ellipse((0, 0, big[0] - 1, big[1] - 1), fill=255)
    circle = circle.resize(image.size, Image.Resampling.LANCZOS)
    if image.mode == "RGBA":
        circle = ImageChops.multiply(circle, image.getchannel("A"))
    cut = image.convert("RGB")
    cut.putalpha(circle)
    return cut
