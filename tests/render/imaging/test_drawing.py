"""A drawing may come from anywhere: it is drawn, or told, and reaches nothing outside itself."""

from pathlib import Path

import pytest
from PIL import Image

from newsletter.render.imaging.drawing import Drawing, draw, read_drawing
from tests.render.imaging.samples import ACCENT, SVG, drawing, opened

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # red
COPIES = "".join(f'<g id="g{level}">' + f'<use xlink:href="#g{level - 1}"/>' * 10 + "</g>" for level in range(1, 11))


def pixel(content: bytes, spot: tuple[int, int]) -> object:
    return opened(draw(read_drawing(content), 200)).convert("RGBA").getpixel(spot)


def test_a_drawing_is_drawn_on_nothing() -> None:
    assert pixel(drawing(), (50, 50)) == (*ACCENT, 255)
    assert pixel(drawing(), (150, 50)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("attributes", "width", "aspect"),
    [
        ('viewBox="0 0 200 100"', None, 2),
        ('viewBox="0,0,200,100" width="100%" height="100%"', None, 2),
        ('viewBox="0 0 200 100" width="50"', 50, 2),
        ('viewBox="0 0 9 9" width="60px" height="20px"', 60, 3),
        ('width="1in" height="0.5in"', 96, 2),
        ('width="3pt" height="1pt"', 4, 3),
        ('viewBox="0 0 x 100" width="50" height="50"', 50, 1),
    ],
)
def test_its_size_is_what_it_states(attributes: str, width: float | None, aspect: float) -> None:
    read = read_drawing(drawing(attributes=attributes))

    assert (read.width, read.aspect) == (pytest.approx(width), pytest.approx(aspect))


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        'width="50"',
        'viewBox="0 0 0 0"',
        'viewBox="0 0 -5 5"',
        'width="0" height="0"',
        'width="1e999" height="1"',
        'viewBox="0"',
    ],
)
def test_a_drawing_without_a_size_is_told(attributes: str) -> None:
    with pytest.raises(ValueError, match="states no size; add width and height"):
        read_drawing(drawing(attributes=attributes))


@pytest.mark.parametrize("attributes", ['viewBox="0 0 1 1e9"', 'viewBox="0 0 1e9 1"', 'viewBox="0 0 10 90"'])
def test_a_drawing_of_an_endless_shape_is_told(attributes: str) -> None:
    with pytest.raises(ValueError, match="times as wide as it is high; crop it"):
        draw(read_drawing(drawing(attributes=attributes)), 1072)


@pytest.mark.parametrize(
    "inside",
    [
        '<image xlink:href="{path}" width="200" height="100"/>',
        '<image href="file://{path}" width="200" height="100"/>',
        '<image href="https://example.com/a.png" width="200" height="100"/>',
        '<image href="//example.com/a.png" width="200" height="100"/>',
        '<use href="other.svg#a"/>',
        '<filter id="f"><feImage href="{path}"/></filter><rect width="9" height="9" filter="url(#f)"/>',
        '<image href="data:image/svg+xml;base64,AAAA" width="200" height="100"/>',
        '<linearGradient xlink:href="https://example.com/g.svg#g"/>',
    ],
)
def test_what_lies_outside_a_drawing_is_told(tmp_path: Path, inside: str) -> None:
    path = tmp_path / "secret.png"
    Image.new("RGB", (200, 100), "lime").save(path)

    with pytest.raises(ValueError, match=r"refers to something outside the file, .*; embed it"):
        read_drawing(drawing(inside.format(path=path)))


def test_styles_reach_nothing_outside_either(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    Image.new("RGB", (200, 100), "lime").save(path)
    style = f'<style>@import url("file://{path}"); rect {{ fill: url("{path}"); mask: url("file://{path}#m") }}</style>'

    assert pixel(drawing(f'{style}<rect x="100" width="100" height="100"/>'), (150, 50)) != (0, 255, 0, 255)


def test_a_file_is_out_of_reach_of_the_process_that_draws(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    Image.new("RGB", (200, 100), "lime").save(path)
    read = read_drawing(drawing("<desc/>"))
    markup = read.markup.replace(b"<desc/>", f'<image xlink:href="{path}" width="200" height="100"/>'.encode())

    drawn = draw(Drawing(markup=markup, aspect=2, width=None), 200)

    assert opened(drawn).convert("RGBA").getpixel((150, 50)) == (0, 0, 0, 0)


def test_a_picture_inside_a_drawing_and_parts_of_itself_are_drawn() -> None:
    image = f'<image href="data:image/png;base64,{PIXEL}" x="100" width="100" height="100" preserveAspectRatio="none"/>'
    part = '<defs><rect id="r" width="20" height="20" fill="lime"/></defs><use href="#r" x="180"/>'

    assert pixel(drawing(f'<a href="https://example.org">{image}</a>{part}'), (150, 50)) == (255, 0, 0, 255)
    assert pixel(drawing(f'<a href="https://example.org">{image}</a>{part}'), (190, 10)) == (0, 255, 0, 255)


def test_scripts_are_not_run_and_change_nothing() -> None:
    script = '<script>document.documentElement.remove()</script><rect x="100" width="9" height="9" onload="alert(1)"/>'

    assert pixel(drawing(script), (50, 50)) == (*ACCENT, 255)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is damaged or not an SVG"),
        (b"<svg", "is damaged or not an SVG"),
        (b"\x89PNG\r\n", "is damaged or not an SVG"),
        (b"<html/>", "is not an SVG"),
        (b"<svg viewBox='0 0 1 1'/>", "is not an SVG"),
        (
            drawing("<text>Words</text>"),
            "contains text, which looks different on every machine; convert the text to paths",
        ),
        (drawing("<text><tspan>Words</tspan></text>"), "contains text"),
        (drawing("<foreignObject><p>HTML</p></foreignObject>"), "contains HTML"),
        (
            b'<!DOCTYPE svg [<!ENTITY a "a">]>' + drawing("<desc>&a;</desc>"),
            "declares entities; export it as plain SVG",
        ),
        (
            b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + drawing("<desc>&a;</desc>"),
            "declares entities",
        ),
        (drawing("<g>" * 50_000 + "</g>" * 50_000), "is damaged or not an SVG"),
        (drawing(" " * 5_000_000), "is larger than 5 MB"),
    ],
)
def test_what_cannot_be_drawn_is_told_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said) as told:
        read_drawing(content)

    assert "; " in str(told.value)


def test_entities_within_entities_take_no_time() -> None:
    levels = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    bomb = f'<!DOCTYPE svg [<!ENTITY e0 "ha">{levels}]>'.encode()

    for use in (b"<desc>&e9;</desc>", b'<g id="&e9;"/>'):
        with pytest.raises(ValueError, match=r"declares entities|is damaged"):
            read_drawing(bomb + drawing(use.decode()))


def test_a_drawing_of_endless_copies_is_told() -> None:
    copies = f'<defs><g id="g0"><rect width="9" height="9"/></g>{COPIES}</defs><use xlink:href="#g10"/>'

    with pytest.raises(ValueError, match="cannot be drawn; simplify it, or export it as PNG"):
        draw(read_drawing(drawing(copies)), 1072)


def test_a_drawing_for_which_there_is_not_enough_memory_is_told() -> None:
    huge = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="99999"/>'

    with pytest.raises(ValueError, match="cannot be drawn"):
        draw(Drawing(markup=huge, aspect=1, width=None), 1072)


def test_the_markup_may_be_written_in_any_encoding() -> None:
    text = f'<?xml version="1.0" encoding="utf-16"?><svg {SVG} viewBox="0 0 2 1"><title>Größe</title></svg>'

    assert opened(draw(read_drawing(text.encode("utf-16")), 20)).size == (20, 10)
