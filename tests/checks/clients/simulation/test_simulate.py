"""The simulation of an email in an app: the table's layer, what is counted, and what any HTML may do."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.checks.clients.simulation.losses import Basis
from newsletter.checks.clients.simulation.programs import APPS, VIEWS
from newsletter.checks.clients.simulation.simulate import Simulated, simulate
from newsletter.checks.clients.table import load_carried

BY_KEY = {view.key: view for view in VIEWS}


def shown(app: str, body: str, css: str = "") -> Simulated:
    html = f"<!DOCTYPE html><html><head><style>{css}</style></head><body>{body}</body></html>"
    return simulate(BY_KEY[app], html, load_carried())


def lost(simulated: Simulated) -> dict[str, int]:
    return {loss.what: loss.count for loss in simulated.losses if not loss.is_partial}


def test_what_the_table_says_an_app_lacks_is_removed_and_counted_with_its_source() -> None:
    found = shown("gmail-web", '<p style="color:red;box-shadow:0 0 1px red">A</p>' * 3)
    assert lost(found)["box-shadow"] == 3
    assert "box-shadow" not in found.html
    assert 'style="color:red"' in found.html
    (loss,) = (loss for loss in found.losses if loss.what == "box-shadow")
    assert (loss.rule.title, loss.rule.basis) == ("caniemail: box-shadow", Basis.REPORTED)
    assert loss.rule.url.startswith("https://www.caniemail.com/features/css-box-shadow")
    assert loss.rule.dated


def test_what_an_app_supports_in_part_stays_and_is_noted_after_what_is_lost() -> None:
    found = shown("gmail-web", '<p style="overflow:auto;box-shadow:0 0 1px">A</p>')
    assert "overflow:auto" in found.html
    assert [(loss.what, loss.is_partial) for loss in found.losses] == [("box-shadow", False), ("overflow", True)]


def test_a_selector_that_matches_nothing_in_this_email_is_no_loss() -> None:
    css = '[data-ogsc] .a { color: red } p[class="a"] { color: red }'
    found = shown("gmail-web", '<div><p class="a">A</p></div>', css)
    assert "color: red" not in found.html
    assert set(lost(found)) == {'p[class="a"]'}


def test_an_app_without_style_elements_loses_every_rule_whatever_older_cells_say() -> None:
    for key in ("gmx", "laposte", "gmail-other-account"):
        found = shown(key, '<p class="a">A</p>', ".a { color: red }")
        assert "color: red" not in found.html
        assert lost(found)["<style>"] == 1


def test_proton_mail_keeps_selectors_although_the_older_test_denies_it() -> None:
    assert ".a" in shown("proton", '<p class="a">A</p>', ".a { color: red }").html


def test_an_earlier_declaration_is_left_where_a_later_one_is_lost() -> None:
    found = shown("outlook-windows", '<td style="width:90px;width:calc(100px - 10px)">A</td>').html
    assert "calc" not in found
    assert "width:90px" in shown("gmx", '<p style="width:90px;width:calc(100px - 10px)">A</p>').html


def test_vendor_prefixes_and_parts_of_an_animation_share_the_fate_of_the_whole() -> None:
    found = shown("gmail-web", '<p style="-webkit-user-select:none;animation-duration:1s;color:red">A</p>')
    assert 'style="color:red"' in found.html


def test_of_a_query_list_only_the_queries_that_an_app_lacks_are_removed() -> None:
    css = "@media (prefers-color-scheme: dark), (max-width: 480px) { p { color: red } }"
    html = shown("samsung", "<p>A</p>", css).html
    assert "prefers-color-scheme" in html
    assert "@media (max-width: 480px)" in shown("gmail-web", "<p>A</p>", css).html


def test_scripts_frames_and_handlers_are_removed_by_every_app() -> None:
    body = '<script>a()</script><iframe src="a"></iframe><p onclick="a()">A</p><a href=" JavaScript:a()">B</a>'
    for app in APPS:
        html = shown(app.key, body).html
        assert "a()" not in html
        assert "iframe" not in html
        assert ">A</p>" in html


def test_words_and_their_order_are_never_lost() -> None:
    body = "<h1>One</h1><table><tr><td>Two <b>three</b></td></tr></table><section>four</section><p>five</p>"
    for app in APPS:
        simulated = shown(app.key, body, "p { color: red }")
        text = simulated.html.partition("<body")[2]
        places = [text.find(word) for word in ("One", "Two", "three", "four", "five")]
        assert places == sorted(places), app.key
        assert -1 not in places, app.key


def test_apple_mail_links_dates_and_numbers_but_not_inside_links() -> None:
    html = shown("apple-mail-ios", "<p>On March 3, 2026 or +1 555 123 4567</p><p><a href='#'>May 4</a></p>").html
    assert html.count("x-apple-data-detectors") == 2
    assert ">March 3, 2026</a> or <a" in html


def test_gmails_apps_warn_of_text_over_an_image_because_only_the_text_changes_in_the_dark() -> None:
    body = "<td style=\"background:url('a.png')\">Words</td><td background='a.png'> </td>"
    for key in ("gmail-android", "gmail-ios"):
        assert lost(shown(key, f"<table><tr>{body}</tr></table>"))["text over an image"] == 1
    assert "text over an image" not in lost(shown("gmail-web", f"<table><tr>{body}</tr></table>"))


def test_an_app_that_shows_text_keeps_no_html() -> None:
    assert shown("text-only", "<p>A</p>").html == ""


@settings(max_examples=30, deadline=None)
@example("<a/{ {b}=1>", "\x1f")
@given(st.text(alphabet="<>/=\"' :;{}()[]!-@#.,abptdsrycleimgv0123%\n", max_size=120), st.text(max_size=40))
def test_no_html_is_too_odd_for_any_app(body: str, css: str) -> None:
    for app in APPS:
        shown(app.key, f"<p>A</p>{body}", css.replace("<", ""))
