"""What is drawn of an email in an app: its dark modes, its width, and no picture if no rule is known."""

import io

from coloraide import Color
from PIL import Image

from newsletter.checks.clients.simulation.drawing import drawn
from newsletter.checks.clients.simulation.email_app import Dark
from newsletter.checks.clients.simulation.programs import APPS, VIEWS
from newsletter.checks.clients.simulation.simulate import Shade, Simulated, Sitter, shades_of, simulate
from newsletter.checks.clients.table import load_carried


def far(one: str, other: str) -> float:
    return Color(one).delta_e(other, method="76")


def sat(key: str, body: str, *, css: str = "") -> Simulated:
    app = next(app for app in APPS if app.key == key)
    html = f"<!DOCTYPE html><html><head><style>{css}</style></head><body style='margin:0'>{body}</body></html>"
    return simulate(app, html, load_carried())


def pixels(*sitters: tuple[Simulated, Shade]) -> list[str]:
    """The color of each picture near its upper left corner."""
    found = []
    for drawing in drawn([Sitter(simulated=simulated, shade=shade) for simulated, shade in sitters], ()):
        with Image.open(io.BytesIO(drawing.content)) as picture:
            red, green, blue = picture.convert("RGB").resize((10, 10)).getpixel((1, 1))  # type: ignore[misc]
        found.append(f"#{red:02x}{green:02x}{blue:02x}")
    return found


BOX = '<div style="height:400px;background-color:{}">&nbsp;</div>'


def test_gmail_on_android_darkens_as_chromium_does_whatever_was_drawn_before() -> None:
    opted_in = sat("apple-mail-ios", "<p>A</p>", css=":root { color-scheme: light dark }")
    grounds = [("#ffffff", "#121212"), ("#F4A100", "#F4A100"), ("#FBEED8", "#2D2615")]
    sitters = [(sat("gmail-android", BOX.format(ground)), Shade.DARK) for ground, _ in grounds]
    _, *found = pixels((opted_in, Shade.LIGHT), *sitters)
    assert max(far(color, dark) for color, (_, dark) in zip(found, grounds, strict=True)) <= 2


def test_an_authors_dark_colors_apply_where_the_app_lets_them() -> None:
    css = ":root { color-scheme: light dark } @media (prefers-color-scheme: dark) { .a { background: #203040 } }"
    box = '<div class="a" style="height:400px">A</div>'
    taken = [sat(key, box, css=css) for key in ("apple-mail-ios", "fastmail", "outlook-com", "thunderbird-android")]
    *found, only_the_app = pixels(*((each, Shade.DARK) for each in taken), (taken[2], Shade.APP_DARK))
    assert max(far(color, "#203040") for color in found) <= 2
    assert far(only_the_app, "#203040") > 5


def test_nothing_is_drawn_where_nothing_is_known() -> None:
    for key in ("yahoo-web", "yahoo-phone", "hey"):
        assert shades_of(sat(key, "<p>A</p>")) == (Shade.LIGHT,)
    assert shades_of(sat("samsung", "<p>A</p>")) == (Shade.LIGHT,)
    assert shades_of(sat("proton", "<p>A</p>")) == (Shade.LIGHT,)


def test_apple_mail_inverts_only_plain_emails_that_say_nothing_of_dark_mode() -> None:
    assert sat("apple-mail-ios", "<p>A</p>").dark is Dark.APPLE
    (ground,) = pixels((sat("apple-mail-ios", BOX.format("#ffffff")), Shade.DARK))
    assert far(ground, "#333333") <= 2
    assert sat("apple-mail-ios", '<p>A <img src="a.png"></p>').dark is Dark.STAYS
    assert sat("apple-mail-ios", "<p>A</p>", css=":root { color-scheme: light dark }").dark is Dark.STAYS


def test_samsung_lays_out_at_the_largest_width_that_an_image_asks_for() -> None:
    wide = sat("samsung", '<img src="a.png" width="600" style="width:100%">')
    (drawing,) = drawn([Sitter(simulated=wide, shade=Shade.LIGHT)], ())
    assert drawing.layout_width == 600
    (narrow,) = drawn([Sitter(simulated=sat("samsung", "<p>A</p>"), shade=Shade.LIGHT)], ())
    assert narrow.layout_width == 390


def test_text_is_folded_at_eighty_columns_and_every_view_can_be_drawn() -> None:
    table = load_carried()
    everything = [simulate(app, "<!DOCTYPE html><html><body><p>A</p></body></html>", table) for app in VIEWS]
    sitters = [Sitter(simulated=each, shade=Shade.LIGHT, text="word " * 40) for each in everything]
    drawings = list(drawn(sitters, ()))
    assert [drawing.app for drawing in drawings] == [app.key for app in VIEWS]
    for drawing in drawings:
        with Image.open(io.BytesIO(drawing.content)) as picture:
            assert picture.size[0] == drawing.layout_width
            assert picture.size[1] == int(drawing.layout_width * 1.5)


def test_a_whole_picture_is_as_long_as_the_email() -> None:
    long = sat("apple-mail-macos", '<div style="height:3000px">A</div>')
    (drawing,) = drawn([Sitter(simulated=long, shade=Shade.LIGHT, is_whole=True)], ())
    with Image.open(io.BytesIO(drawing.content)) as picture:
        assert picture.size[1] >= 3000


def test_links_without_a_color_can_be_read_on_thunderbirds_dark_page() -> None:
    frame = next(app for app in APPS if app.key == "thunderbird").frame
    assert Color(frame.dark_link).contrast(frame.dark_ground, method="wcag21") >= 4.5
    block = "<a href='https://example.org' style='color:#9C3353;font:400px/1 sans-serif'>██</a>"
    (drawing,) = pixels((sat("thunderbird", block), Shade.DARK))
    assert far(drawing, frame.dark_link) < 12
