"""What is known about an email app: its rules in order, and how it is drawn."""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from newsletter.checks.clients.simulation.app_mail import AppMail
from newsletter.checks.clients.simulation.inbox_rows import Device
from newsletter.checks.clients.simulation.losses import Basis, LossTally

PHONE_WIDTH, DESKTOP_WIDTH = 390, 700  # CSS pixels
SANS = "Arial, Helvetica, sans-serif"


class Dark(StrEnum):
    """What an app does to the colors of an email in dark mode."""

    STAYS = "stays as it is"
    AUTHOR = "author"  # the email's own query for dark mode applies, and nothing else
    APPLE = "apple"  # the author's query where the email opts in; a plain email without images is inverted
    OUTLOOK_COM = "outlook.com"  # the author's query, then a walk that repairs the contrast
    WORD = "word"  # every color is changed by one curve
    GMAIL_IOS = "gmail ios"  # every color is inverted
    CHROMIUM = "chromium"  # Chromium's own darkening
    THUNDERBIRD = "thunderbird"  # light backgrounds and dark text are stripped
    UNKNOWN = "unknown"


class Fit(StrEnum):
    """What an app does with an email that is wider than its window."""

    REFLOW = "reflow"  # the window decides
    SHRINK = "shrink"  # the email is laid out at the width that it needs, and shrunk
    AUTO_FIT = "auto-fit"  # the same, for the largest width that any element has or asks for


class ShownPart(StrEnum):
    """The part of an email that an app shows."""

    HTML = "html"
    TEXT = "text"


class AppFrame(Struct, frozen=True, kw_only=True):
    """The page that an app shows an email on."""

    font: str = f"14px {SANS}"
    margin: str = "8px"  # around the body, if the email does not say otherwise
    link: str = "#0000ee"
    ground: str = "#ffffff"
    dark_ground: str = "#121212"
    dark_text: str = "#e6e6e6"
    dark_link: str = ""  # if the app's dark mode leaves the links without a color of their own


Step = Callable[[AppMail], None]


class EmailApp(Struct, frozen=True, kw_only=True):
    """One email app, or several that do the same."""

    key: str
    name: str
    clients: tuple[str, ...]  # in caniemail's table; the first one's tests are applied
    shares: tuple[str, ...] = ()  # the apps whose readers see this; the same as `clients` if it is empty
    device: Device = Device.DESKTOP
    form: ShownPart = ShownPart.HTML
    read: Callable[[str, LossTally], str] = lambda html, _: html  # what the app does to the text of the HTML
    before: tuple[Step, ...] = ()  # what it does before the table applies
    after: tuple[Step, ...] = ()  # what it does with what the table leaves
    handled: frozenset[str] = frozenset()  # features supported in part, as `before` and `after` describe
    is_native: bool = False  # whether it loads external style sheets
    fit: Fit = Fit.REFLOW
    frame: AppFrame = AppFrame()
    narrow_width: int = 0  # for a device that is smaller than a phone
    dark: Dark = Dark.UNKNOWN
    dark_basis: Basis = Basis.REPORTED
    dark_note: str = ""
    note: str = ""  # what the picture cannot show

    @property
    def width(self) -> int:
        """The width of its window in CSS pixels."""
        return self.narrow_width or PHONE_WIDTH if self.device is Device.PHONE else DESKTOP_WIDTH
