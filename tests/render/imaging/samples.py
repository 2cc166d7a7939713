"""Pictures to fit: made by a test, from a photograph's noise to a drawing's lines."""

from io import BytesIO

from PIL import Image, ImageDraw

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
ACCENT = (156, 51, 83)


def photograph(width: int, height: int) -> Image.Image:
    """Soft noise over soft gradients, as a camera gives them: many colors, no edges."""
    noise = Image.effect_noise((max(width // 8, 1), max(height // 8, 1)), 40)
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (noise.resize((width, height), Image.Resampling.BICUBIC), ramp, ramp.rotate(180)))


def graphic(width: int, height: int) -> Image.Image:
    """A few flat colors with hard edges."""
    image = Image.new("RGB", (width, height), "#FBF7F1")
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.1, height * 0.1, width * 0.6, height * 0.9), fill=ACCENT)
    draw.rectangle((width * 0.5, height * 0.4, width * 0.9, height * 0.6), fill="#2A2724")
    return image


def halves(width: int, height: int) -> Image.Image:
    """Red above, blue below: it shows which way up it stands."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (0, height // 2, width, height))
    return image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture in a format."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def opened(content: bytes) -> Image.Image:
    """A finished picture, read again."""
    image = Image.open(BytesIO(content))
    image.load()
    return image


def drawing(inside: str = "", attributes: str = 'viewBox="0 0 200 100"') -> bytes:
    """An SVG file."""
    return f'<svg {SVG} {attributes}><circle cx="50" cy="50" r="40" fill="#9C3353"/>{inside}</svg>'.encode()
