"""Draws the pictures of this workspace, so that nothing in it has to be licensed: `python docs/artwork/draw.py`.

The logo goes to `brand/`, the February issue's portrait and video still to its `images/`. Everything is drawn at a
multiple of its size and scaled down, which makes the edges smooth. The same run draws the same pictures.
"""

import math
import random
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

ROOT = Path(__file__).resolve().parents[2]
OVERSAMPLING = 4
Color = tuple[int, int, int]

ROSE, ROSE_PALE = (156, 51, 83), (242, 167, 186)
WASH, PAPER = (246, 236, 230), (251, 247, 241)


def draw_logo(outer: Color, inner: Color, size: int = 144) -> Image.Image:
    """Three petals that lean on each other: one alone is a leaf, together they are a flower and nearly a heart."""
    big = size * OVERSAMPLING
    logo = Image.new("RGBA", (big, big))
    for angle, length, width, color, strength in (
        (52, 0.60, 0.25, outer, 0.82),
        (-52, 0.60, 0.25, outer, 0.82),
        (0, 0.80, 0.31, inner, 0.88),
    ):
        mask = _petal(big, length=length, width=width, angle=angle).point(lambda value, s=strength: int(value * s))
        layer = Image.new("RGBA", (big, big), (*color, 0))
        layer.putalpha(mask)
        logo = Image.alpha_composite(logo, layer)
    return logo.resize((size, size), Image.Resampling.LANCZOS)


def draw_portrait(size: int = 144) -> Image.Image:
    """A figure without a face, in the colors of the letter: the place of a photograph."""
    big = size * OVERSAMPLING
    portrait = _vertical_gradient((big, big), (236, 205, 196), (250, 234, 220))
    _disc(portrait, center=(0.74, 0.24), radius=0.30, color=(255, 244, 226), blur=0.10)
    _disc(portrait, center=(0.50, 1.08), radius=0.41, color=(126, 52, 78), blur=0.003)
    _disc(portrait, center=(0.50, 0.60), radius=0.085, color=(176, 106, 98), blur=0.012)
    _disc(portrait, center=(0.50, 0.43), radius=0.178, color=(205, 138, 124), blur=0.003)
    _disc(portrait, center=(0.50, 0.345), radius=0.175, color=(92, 44, 58), blur=0.003)
    _disc(portrait, center=(0.515, 0.455), radius=0.150, color=(212, 148, 132), blur=0.006)
    return portrait.resize((size, size), Image.Resampling.LANCZOS)


def draw_hills(size: tuple[int, int] = (1200, 675)) -> Image.Image:
    """Hills behind hills in the mist of a morning, the sun just above them."""
    width, height = size[0] * 2, size[1] * 2
    picture = _vertical_gradient((width, height), (222, 168, 170), (253, 233, 208))
    _disc(picture, center=(0.66, 0.43), radius=0.42, color=(255, 226, 190), blur=0.15)
    _disc(picture, center=(0.66, 0.43), radius=0.085, color=(255, 250, 236), blur=0.006)
    layers = 7
    for number in range(layers):
        depth = number / (layers - 1)
        _hill(
            picture,
            base=0.50 + 0.40 * depth**1.15,
            rise=0.035 + 0.055 * depth,
            ridge=_blend((232, 178, 172), (74, 30, 52), depth**1.2),
            mist=_blend((252, 226, 205), (122, 58, 78), depth**1.5),
            seed=number * 7 + 3,
        )
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    return _grain(picture, strength=5)


def _petal(size: int, *, length: float, width: float, angle: float) -> Image.Image:
    """The overlap of two circles, standing on a common foot and turned by an angle."""
    half_length, half_width = length / 2, width / 2
    radius = (half_length**2 + half_width**2) / (2 * half_width)
    foot = 0.90
    center_y = foot - half_length
    discs = []
    for side in (-1, 1):
        disc = Image.new("L", (size, size))
        x = 0.5 + side * (radius - half_width)
        box = [(value * size) for value in (x - radius, center_y - radius, x + radius, center_y + radius)]
        ImageDraw.Draw(disc).ellipse(box, fill=255)
        discs.append(disc)
    petal = ImageChops.multiply(*discs)
    return petal.rotate(angle, Image.Resampling.BICUBIC, center=(0.5 * size, foot * size))


def _hill(picture: Image.Image, *, base: float, rise: float, ridge: Color, mist: Color, seed: int) -> None:
    """One range of hills, dark along its ridge and pale where the mist lies below."""
    width, height = picture.size
    line = list(_ridge(width, base=base * height, rise=rise * height, seed=seed))
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).polygon([(0, height), *line, (width, height)], fill=255)
    top = int(min(y for _, y in line))
    fade = _vertical_gradient((width, max(height - top, 1)), ridge, mist)
    hill = Image.new("RGB", picture.size, ridge)
    hill.paste(fade.resize((width, int(height * 0.24))), (0, top))
    hill.paste(mist, (0, top + int(height * 0.24), width, height))
    picture.paste(hill, (0, 0), mask.filter(ImageFilter.GaussianBlur(1.5)))


def _ridge(width: int, *, base: float, rise: float, seed: int) -> Iterable[tuple[int, float]]:
    """Points along a ridge: a few slow waves, each half as high and about twice as quick as the one before."""
    chance = random.Random(seed)  # noqa: S311 - a landscape, not a secret
    waves = [
        (rise / 1.9**order, (0.9 + chance.random() * 0.5) * 2.1**order, chance.random() * math.tau)
        for order in range(6)
    ]
    for x in range(0, width + 4, 4):
        share = x / width
        yield x, base - sum(high * math.sin(math.tau * quick * share + phase) for high, quick, phase in waves)


def _disc(picture: Image.Image, *, center: tuple[float, float], radius: float, color: Color, blur: float) -> None:
    """A disc with a soft edge; all lengths are shares of the picture's height."""
    width, height = picture.size
    x, y, r = center[0] * width, center[1] * height, radius * height
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse((x - r, y - r, x + r, y + r), fill=255)
    picture.paste(color, (0, 0, width, height), mask.filter(ImageFilter.GaussianBlur(blur * height)))


def _grain(picture: Image.Image, strength: float) -> Image.Image:
    """The faint grain of paper, which also keeps the sky from showing bands."""
    chance = random.Random(2026)  # noqa: S311 - a texture, not a secret
    width, height = picture.size
    noise = Image.frombytes("L", (width // 2, height // 2), chance.randbytes((width // 2) * (height // 2)))
    noise = noise.resize(picture.size, Image.Resampling.BICUBIC)
    grey = noise.point(lambda value: int(128 + (value - 128) * strength / 128))
    return ImageChops.overlay(picture, Image.merge("RGB", (grey, grey, grey)))


def _vertical_gradient(size: tuple[int, int], top: Color, bottom: Color) -> Image.Image:
    column = Image.new("RGB", (1, 256))
    for step in range(256):
        column.putpixel((0, step), _blend(top, bottom, step / 255))
    return column.resize(size, Image.Resampling.BICUBIC)


def _blend(first: Color, second: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def main() -> None:
    """Draws all pictures to where the workspace uses them."""
    brand, images = ROOT / "brand", ROOT / "issues" / "2026-02" / "images"
    brand.mkdir(exist_ok=True)
    images.mkdir(exist_ok=True)
    draw_logo(ROSE, (199, 104, 126)).save(brand / "logo.png", optimize=True)
    draw_logo(ROSE_PALE, (255, 214, 222)).save(brand / "logo-dark.png", optimize=True)
    draw_portrait().save(images / "elijah-zimmerman.png", optimize=True)
    draw_hills().save(images / "misty-hills.jpg", quality=82, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
