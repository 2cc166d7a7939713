"""The email apps that are simulated."""

from newsletter.checks.clients.simulation import gmail, other_apps, outlook_web, word, yahoo
from newsletter.checks.clients.simulation.conditionals import resolved
from newsletter.checks.clients.simulation.email_app import SANS, AppFrame, Dark, EmailApp, Fit, ShownPart
from newsletter.checks.clients.simulation.inbox_rows import Device
from newsletter.checks.clients.simulation.losses import Basis, LossTally
from newsletter.checks.clients.simulation.vml import draw_shapes
from newsletter.checks.clients.simulation.word_tables import even_paddings, reset_nested_tables


def _read_by_word(html: str, _: LossTally) -> str:
    return resolved(html)


_GMAIL_HANDLED = frozenset(
    {"css-at-media", "css-important", "css-list-style", "css-margin", "css-rgb", "css-rgba", "css-selector-attribute"}
    | {"css-text-indent", "html-semantics", "html-style"}
)
_OTHER_HANDLED = frozenset({"css-position", "css-background", "css-display", "html-dir", "html-align", "css-important"})
# caniemail's tests of 2020 say that no selector works in Proton Mail; that of 2023 says that style elements do.
_PROTON_SELECTORS = frozenset(
    f"css-selector-{name}"
    for name in ("adjacent-sibling", "attribute", "chaining", "child", "class", "descendant", "general-sibling")
) | {"css-selector-grouping", "css-selector-id", "css-selector-type", "css-selector-universal"}
_GMAIL_FRAME = AppFrame(font=f"small/1.5 {SANS}", margin="0", link="#1155cc")
_OUTLOOK_FRAME = AppFrame(margin="0", link="#0563c1", dark_ground="#292929", dark_text="#ffffff")
_APPLE_FRAME = AppFrame(font="16px -apple-system, Helvetica, sans-serif", margin="8px", link="#0a84ff")
_PHONE = Device.PHONE
_EXACT_WIDTHS = "Line breaks differ, because this machine does not have the app's own fonts."

APPS = (
    EmailApp(
        key="gmail-web",
        name="Gmail in a browser",
        clients=("gmail.desktop-webmail",),
        read=gmail.clipped,
        before=(gmail.drop_unread_sheets,),
        after=(gmail.sanitize, gmail.link_numbers, gmail.wrap),
        handled=_GMAIL_HANDLED,
        frame=_GMAIL_FRAME,
        dark=Dark.STAYS,
    ),
    EmailApp(
        key="gmail-android",
        name="Gmail on Android",
        clients=("gmail.android",),
        device=_PHONE,
        read=gmail.clipped,
        before=(gmail.drop_unread_sheets, gmail.drop_inline_gradients),
        after=(gmail.sanitize, gmail.flag_text_over_images, gmail.link_numbers, gmail.wrap),
        handled=_GMAIL_HANDLED,
        frame=_GMAIL_FRAME,
        dark=Dark.CHROMIUM,
        dark_basis=Basis.GUESSED,
        dark_note="Chromium's darkening fits the known reports. Small images may be inverted too.",
    ),
    EmailApp(
        key="gmail-ios",
        name="Gmail on iOS",
        clients=("gmail.ios",),
        device=_PHONE,
        read=gmail.clipped,
        before=(gmail.drop_unread_sheets,),
        after=(gmail.sanitize, gmail.flag_text_over_images, gmail.link_numbers, gmail.wrap),
        handled=_GMAIL_HANDLED,
        frame=_GMAIL_FRAME,
        dark=Dark.GMAIL_IOS,
        dark_basis=Basis.GUESSED,
        dark_note="Only two color pairs are published. The other colors are about right at best.",
    ),
    EmailApp(
        key="gmail-other-account",
        name="Gmail app, account of another provider",
        clients=("gmail.mobile-webmail", "gmail.android", "gmail.ios"),
        shares=("gmail.mobile-webmail",),
        device=_PHONE,
        before=(gmail.drop_unread_sheets, gmail.drop_inline_gradients),
        after=(gmail.sanitize, gmail.flag_text_over_images, gmail.link_numbers, gmail.wrap),
        handled=(_GMAIL_HANDLED - {"html-style"}) | {"css-box-shadow", "css-display-none", "css-display"},
        frame=_GMAIL_FRAME,
        dark=Dark.CHROMIUM,
        dark_basis=Basis.GUESSED,
        dark_note="The same as in Gmail on Android.",
        note="It is not known where the app clips an email.",
    ),
    EmailApp(
        key="apple-mail-ios",
        name="Apple Mail on iOS",
        clients=("apple-mail.ios",),
        device=_PHONE,
        after=(other_apps.keep_flowing, other_apps.drop_white_in_the_dark, other_apps.detect_data),
        handled=frozenset({"css-position"}),
        is_native=True,
        fit=Fit.SHRINK,
        frame=_APPLE_FRAME,
        dark=Dark.APPLE,
        note=_EXACT_WIDTHS,
    ),
    EmailApp(
        key="apple-mail-macos",
        name="Apple Mail on macOS",
        clients=("apple-mail.macos",),
        after=(other_apps.drop_white_in_the_dark, other_apps.detect_data),
        is_native=True,
        frame=_APPLE_FRAME,
        dark=Dark.APPLE,
        note=_EXACT_WIDTHS,
    ),
    EmailApp(
        key="outlook-windows",
        name="Outlook for Windows, classic",
        clients=("outlook.windows",),
        read=_read_by_word,
        before=(word.keep_first_class,),
        after=(word.inline_sheets, word.filter_styles, even_paddings, reset_nested_tables, draw_shapes),
        handled=word.HANDLED,
        is_native=True,
        frame=AppFrame(font='15px Calibri, Carlito, "Times New Roman", serif', link="#0563c1", dark_ground="#262626"),
        dark=Dark.WORD,
        dark_note="A curve through the 13 known color pairs. Images stay as they are.",
        note="What is ignored is reliable. Heights, one-pixel lines and page gaps are not.",
    ),
    EmailApp(
        key="outlook-com",
        name="Outlook.com and new Outlook for Windows",
        clients=("outlook.outlook-com",),
        before=(),
        after=(outlook_web.sanitize,),
        handled=outlook_web.HANDLED,
        frame=_OUTLOOK_FRAME,
        dark=Dark.OUTLOOK_COM,
        dark_basis=Basis.DOCUMENTED,
        dark_note="Outlook.com's own formula, which fits colors measured in October 2025.",
    ),
    EmailApp(
        key="outlook-phone",
        name="Outlook on iOS and Android",
        clients=("outlook.ios", "outlook.android"),
        device=_PHONE,
        after=(outlook_web.sanitize,),
        handled=outlook_web.HANDLED,
        frame=_OUTLOOK_FRAME,
        dark=Dark.OUTLOOK_COM,
        dark_note="The same as in Outlook.com, because it adds the same attributes.",
    ),
    EmailApp(
        key="outlook-macos",
        name="Outlook for Mac",
        clients=("outlook.macos",),
        after=(outlook_web.sanitize,),
        handled=outlook_web.HANDLED,
        frame=_OUTLOOK_FRAME,
        dark=Dark.OUTLOOK_COM,
        dark_note="The same as in Outlook.com, because it adds the same attributes.",
    ),
    EmailApp(
        key="yahoo-web",
        name="Yahoo and AOL in a browser",
        clients=("yahoo.desktop-webmail", "aol.desktop-webmail"),
        before=(yahoo.cut_sheets,),
        after=(yahoo.sanitize, yahoo.flag_near_whites),
        handled=yahoo.HANDLED,
        frame=AppFrame(font=f"13px {SANS}", margin="0", link="#0f69ff"),
        dark_note="The new Yahoo Mail recolors by rules that are not published.",
    ),
    EmailApp(
        key="yahoo-phone",
        name="Yahoo and AOL on phones",
        clients=("yahoo.android", "yahoo.ios", "aol.android", "aol.ios"),
        device=_PHONE,
        before=(yahoo.cut_sheets,),
        after=(yahoo.sanitize, yahoo.flag_near_whites),
        handled=yahoo.HANDLED,
        frame=AppFrame(font=f"13px {SANS}", margin="0", link="#0f69ff"),
        dark_note="Yahoo's apps recolor by rules that are not published.",
    ),
    EmailApp(
        key="samsung",
        name="Samsung Email",
        clients=("samsung-email.android",),
        device=_PHONE,
        after=(other_apps.keep_flowing, other_apps.drop_relative_heights),
        handled=frozenset({"css-position"}),
        fit=Fit.AUTO_FIT,
        frame=AppFrame(font=f"16px Roboto, {SANS}"),
        dark=Dark.AUTHOR,
        dark_note="An email without dark colors of its own is inverted, by rules that are not published.",
        note="With an Outlook account, media queries, web fonts and gradients do not work either.",
    ),
    EmailApp(
        key="thunderbird",
        name="Thunderbird",
        clients=("thunderbird.macos", "thunderbird.windows"),
        frame=AppFrame(
            font='16px "Times New Roman", Tinos, serif',
            dark_ground="#1c1b22",
            dark_text="#fbfbfe",
            dark_link="#8c8cff",  # Gecko's color for links on a dark page (browser.anchor_color.dark)
        ),
        dark=Dark.THUNDERBIRD,
        dark_basis=Basis.DOCUMENTED,
        dark_note="From Thunderbird's own source. It is not certain that the email's dark colors apply too.",
        note="Drawn without media queries, as caniemail's test of 2023 says. Newer reports cast doubt on it.",
    ),
    EmailApp(
        key="thunderbird-android",
        name="Thunderbird for Android",
        clients=(),
        device=_PHONE,
        frame=AppFrame(font=f"16px Roboto, {SANS}"),
        dark=Dark.CHROMIUM,
        dark_basis=Basis.DOCUMENTED,
        dark_note="Chromium's own darkening, which the app switches on.",
        note="caniemail has not tested it. It shows the email as Android's browser does, at first without images.",
    ),
    EmailApp(
        key="proton",
        name="Proton Mail in a browser",
        clients=("protonmail.desktop-webmail",),
        before=(other_apps.proton,),
        handled=_OTHER_HANDLED | _PROTON_SELECTORS,
        frame=AppFrame(font=f"14px {SANS}", margin="0"),
        dark=Dark.STAYS,
        dark_basis=Basis.DOCUMENTED,
        dark_note="Newsletters stay light.",
    ),
    EmailApp(
        key="fastmail",
        name="Fastmail in a browser",
        clients=("fastmail.desktop-webmail",),
        before=(other_apps.fastmail,),
        handled=_OTHER_HANDLED,
        frame=AppFrame(margin="0"),
        dark=Dark.AUTHOR,
    ),
    EmailApp(
        key="gmx",
        name="GMX and WEB.DE in a browser",
        clients=("gmx.desktop-webmail", "web-de.desktop-webmail"),
        after=(other_apps.gmx,),
        handled=_OTHER_HANDLED | {"css-background-image", "css-background-position", "css-background-repeat"},
        frame=AppFrame(font=f"13px Verdana, {SANS}"),
        dark=Dark.STAYS,
    ),
    EmailApp(
        key="orange",
        name="Orange in a browser",
        clients=("orange.desktop-webmail",),
        after=(other_apps.orange,),
        handled=_OTHER_HANDLED,
        dark=Dark.AUTHOR,
    ),
    EmailApp(
        key="laposte",
        name="La Poste in a browser",
        clients=("laposte.desktop-webmail",),
        before=(other_apps.la_poste,),
        handled=_OTHER_HANDLED,
        dark=Dark.STAYS,
    ),
    EmailApp(
        key="hey",
        name="HEY in a browser",
        clients=("hey.desktop-webmail",),
        after=(other_apps.hey,),
        handled=_OTHER_HANDLED,
        frame=AppFrame(margin="0"),
        dark_note="HEY replaces the email's query. What it does to colors is not published.",
    ),
)
# Ways to read that are no app's own, but cheap to draw.
OTHER_VIEWS = (
    EmailApp(
        key="images-off",
        name="Images blocked, in any app",
        clients=(),
        after=(other_apps.block_images,),
        frame=_APPLE_FRAME,
        dark=Dark.AUTHOR,
        note="Drawn as in Apple Mail, which shows everything else.",
    ),
    EmailApp(
        key="text-only",
        name="Text only, such as mutt",
        clients=(),
        form=ShownPart.TEXT,
        dark=Dark.STAYS,
        dark_note="The colors are the terminal's own.",
        note="Eighty columns. Longer lines continue after a +.",
    ),
    EmailApp(
        key="watch",
        name="Apple Watch",
        clients=(),
        device=_PHONE,
        form=ShownPart.TEXT,
        narrow_width=208,
        dark=Dark.STAYS,
        dark_note="Always light text on black.",
        note="The plain text, as soon as the HTML has an image that is loaded. Tested in 2015, not confirmed since.",
    ),
)
VIEWS = (*APPS, *OTHER_VIEWS)
