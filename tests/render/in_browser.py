"""Emails in a real browser, and what is measured there."""

from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, Route, ViewportSize

from tests.render.conftest import Mail

# The contrast of each piece of text with the nearest background behind it (WCAG 2.2, relative luminance).
CONTRASTS = """() => {
  const parse = color => (color.match(/[\\d.]+/g) || []).map(Number);
  const luminance = color => {
    const [r, g, b] = parse(color).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      const parts = parse(color);
      if (parts.length === 3 || parts[3] > 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
    found.push([walker.currentNode.textContent.trim().slice(0, 40), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
}"""
SIZES = """() => [...document.querySelectorAll('body *:not(sup)')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length)
  .map(e => [e.textContent.trim().slice(0, 40), parseFloat(getComputedStyle(e).fontSize)])"""
# Links that stand alone: a thumb needs 44 pixels; links inside sentences are exempt (WCAG 2.2, 2.5.8).
LOW_LINKS = """() => [...document.querySelectorAll('a')]
  .filter(a => ['block', 'inline-block'].includes(getComputedStyle(a).display) && a.getClientRects().length)
  .map(a => [a.textContent.trim().slice(0, 40), a.getBoundingClientRect().height])
  .filter(([, height]) => height < 44)"""
Scheme = Literal["light", "dark"]
_SITE = "http://mail.invalid/"
SCROLL_WIDTH = "document.documentElement.scrollWidth"


class Opened:
    """An email on disk, and a browser that shows it, with a page for each color scheme."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self._browser = browser
        self._path = path
        self._pages: dict[Scheme, Page] = {}

    def show(self, page: Page) -> None:
        """Show it in a page. The files are handed over, because the browser may run as a user who cannot read them."""
        page.route(f"{_SITE}*", self._answer)
        page.goto(f"{_SITE}{self._path.name}")

    def at(self, width: int, scheme: Scheme) -> Page:
        """The page in a window of this width."""
        if scheme not in self._pages:
            self._pages[scheme] = self._browser.new_page(color_scheme=scheme)
            self.show(self._pages[scheme])
        page = self._pages[scheme]
        page.set_viewport_size(ViewportSize(width=width, height=800))
        return page

    def _answer(self, route: Route) -> None:
        route.fulfill(path=self._path.with_name(route.request.url.removeprefix(_SITE)))


def open_mail(browser: Browser, mail: Mail, folder: Path) -> Opened:
    """Open an email, with its images beside it, at a width and in a color scheme."""
    html = mail.html
    for picture in mail.rendered.pictures:
        (folder / picture.name).write_bytes(picture.content)
        html = html.replace(f"cid:{picture.content_id}", picture.name)
    path = folder / "mail.html"
    path.write_text(html, encoding="utf-8")
    return Opened(browser, path)


def double_text(page: Page) -> None:
    """Set all text at twice its size, as a reader does who enlarges text but not the page."""
    page.evaluate("""() => {
      const sizes = [...document.querySelectorAll('body *')].map(each => {
        const style = getComputedStyle(each);
        return [each, parseFloat(style.fontSize), parseFloat(style.lineHeight)];
      });
      for (const [each, size, line] of sizes) {
        each.style.setProperty('font-size', `${2 * size}px`, 'important');
        if (line) each.style.setProperty('line-height', `${2 * line}px`, 'important');
      }
    }""")


def without_pictures(page: Page) -> None:
    """Show the email as an app does that loads no images."""
    page.route("**/*", lambda route: route.abort() if route.request.resource_type == "image" else route.fallback())
    page.reload()


# The alt texts that are wider or higher than the box in which they are shown, so that a part of them is cut.
CUT_ALTS = """() => [...document.images].filter(image => image.alt && image.getClientRects().length).filter(image => {
  const words = document.createElement('span'), style = getComputedStyle(image), box = image.getBoundingClientRect();
  words.textContent = image.alt;
  for (const name of ['fontFamily', 'fontSize', 'lineHeight']) words.style[name] = style[name];
  words.style.cssText += `display:block;position:absolute;width:${box.width - 16}px`;  // the icon takes 16 px
  document.body.append(words);
  const cut = words.scrollWidth > box.width || words.offsetHeight > Math.max(box.height, parseFloat(style.lineHeight));
  words.remove();
  return cut || parseFloat(style.borderRadius) > 8;
}).map(image => image.alt)"""
