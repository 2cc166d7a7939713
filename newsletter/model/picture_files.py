"""Which files a director may use as pictures, and how large a picture may be."""

from collections.abc import Mapping

# The endings of file names, and what Pillow calls the format that each promises. A drawing is no business of Pillow's.
PHOTOGRAPHED_FORMATS: Mapping[str, str] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
DRAWN_ENDING = ".svg"
MOST_PIXELS = 100_000_000  # more than any camera's, and few enough to be held in memory
LIGHT_BYTES = 200_000  # what a picture of a mail should weigh at most (S12)
# What Pillow raises for a file that is broken, besides its own errors; which of these depends on where.
DECODING_FAULTS: tuple[type[Exception], ...] = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError),
    *(EOFError, MemoryError),
)
