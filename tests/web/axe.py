"""What axe finds wrong with a page, at the widths and in the colors in which people see it."""

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

WIDTHS = (1440, 768, 360)


def violations(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[tuple[str, int, str]]:
    """Return each violation: the colors and the width of the window, and the element."""
    found: list[tuple[str, int, str]] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            wrong = Axe().run(page).response["violations"]
            found += [(scheme, width, f"{each['id']}: {each['nodes'][0]['html']}") for each in wrong]
    return found
