"""What is drawn on images: the length of a video, and the circle of a portrait."""

from PIL import Image, ImageChops

from newsletter.render.imaging.touch import in_circle, with_play_mark

SHOWN_ON_THE_SMALLEST_PHONE = 280  # pixels: 320 less the padding on both sides


def test_the_length_is_readable_on_the_smallest_phone() -> None:
    still = Image.new("RGB", (1072, 603), "#D8A8A0")
    label = ImageChops.difference(with_play_mark(still, "12:34"), with_play_mark(still, ""))
    box = label.getbbox()
    assert box is not None
    _, top, right, bottom = box
    height = (bottom - top) * SHOWN_ON_THE_SMALLEST_PHONE / still.width
    assert 14 <= height <= 24  # the digits, with the dark box around them
    assert (right, bottom) < still.size


def test_without_a_length_nothing_is_in_the_corner() -> None:
    still = Image.new("RGB", (1072, 603), "#D8A8A0")
    corner = with_play_mark(still, "").crop((700, 450, 1072, 603))
    assert corner.getextrema() == ((216, 216), (168, 168), (160, 160))


def test_a_portrait_is_round_in_the_file() -> None:
    portrait = in_circle(Image.new("RGB", (144, 144), "#D8A8A0"))
    alpha = portrait.getchannel("A")
    assert [alpha.getpixel(place) for place in ((0, 0), (143, 143), (20, 20))] == [0, 0, 0]
    assert [alpha.getpixel(place) for place in ((72, 72), (72, 1), (1, 72))] == [255, 255, 255]


def test_what_is_transparent_in_a_portrait_stays_so() -> None:
    portrait = Image.new("RGBA", (144, 144), (216, 168, 160, 0))
    assert in_circle(portrait).getchannel("A").getextrema() == (0, 0)
