"""Lays out sections, in HTML and in text; what has not changed since the last time is remembered by the theme."""

from collections.abc import Mapping
from hashlib import blake2b

from markupsafe import Markup

from newsletter.config import Config
from newsletter.model.issue import Issue, Prose, Section
from newsletter.render import dates, plaintext
from newsletter.render.calendar import google_calendar_url
from newsletter.render.fonts import bare_font_stack
from newsletter.render.pictures import PictureShelf, ShownPicture
from newsletter.render.prose import prose_html
from newsletter.render.theme import LaidOutSection, Theme

CONTENT_WIDTH = 536  # 600 px less the padding on both sides
_REMEMBERED = 512  # sections, before an editing session begins anew
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def direction_of(language: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


class SectionPress:
    """Lays out the sections of one issue."""

    def __init__(self, issue: Issue, config: Config, theme: Theme) -> None:
        self._issue, self._config, self._theme = issue, config, theme
        self.look = self._look()
        self._author_css = theme.render("author.css.j2", self.look)
        self._stamp = self._ingredients()

    def new_shelf(self) -> PictureShelf:
        """An empty shelf for pictures, which are hosted where the workspace has an archive."""
        archive = self._config.settings.archive
        return PictureShelf(archive.url if archive else None, self._theme.memory)

    def html(self, section: Section, *, ruled: bool) -> LaidOutSection:
        """A section's MJML and the pictures in it; `ruled` asks for a hairline above it."""
        return self._recall(section, self._theme.section_template(section.type), ruled=ruled)

    def text(self, section: Section) -> str:
        """A section as plain text."""
        return self._recall(section, self._theme.section_text_template(section.type), ruled=False).content

    def _recall(self, section: Section, template: str, *, ruled: bool) -> LaidOutSection:
        key = (self._stamp, section.fingerprint, template, ruled)
        found = self._theme.laid_out.get(key)
        if found is None:
            if len(self._theme.laid_out) >= _REMEMBERED:
                self._theme.laid_out.clear()
            found = self._theme.laid_out[key] = self._lay_out(section, template, ruled=ruled)
        return found

    def _lay_out(self, section: Section, template: str, *, ruled: bool) -> LaidOutSection:
        shelf = self.new_shelf()
        context = {**self.look, **self.tools(shelf), "section": section, "ruled": ruled}
        content = self._theme.render(template, context)
        return LaidOutSection(content=content, pictures=shelf.pictures)

    def _look(self) -> dict[str, object]:
        """What every template of the theme is given."""
        settings, language = self._config.settings, self._issue.language
        return {
            "newsletter": settings.newsletter,
            "brand": settings.brand,
            "heading_font": bare_font_stack(settings.brand.heading_font),
            "body_font": bare_font_stack(settings.brand.body_font),
            "issue": self._issue.fields,
            "month": dates.format_month(self._issue.fields.date, language),
            "language": language,
            "direction": direction_of(language),
            "direction_of": direction_of,
            "content_width": CONTENT_WIDTH,
            "wrap": plaintext.wrap,
            "underline": plaintext.underline,
            "rule": plaintext.RULE,
        }

    def tools(self, shelf: PictureShelf) -> Mapping[str, object]:
        """What a template lays out content with; the pictures that it shows are put on the shelf."""
        language = self._issue.language

        def picture(name: str) -> ShownPicture:
            return shelf.show(self._issue.pictures[name])

        def prose(text: Prose, level: int = 3, width: int = CONTENT_WIDTH) -> Markup:
            css, memory = self._author_css, self._theme.memory
            return prose_html(text, css=css, heading_level=level, picture=picture, width=width, memory=memory)

        return {
            "prose": prose,
            "prose_text": plaintext.prose_text,
            "picture": picture,
            "video_still": lambda name, length: shelf.show_video(self._issue.pictures[name], length or ""),
            "when": lambda item: dates.format_when(item, language),
            "deadline": lambda item: dates.format_deadline(item, language),
            "tile": lambda item: dates.date_tile(item, language),
            "calendar_url": google_calendar_url,
        }

    def _ingredients(self) -> str:
        """A digest of all that a section is made from besides its own files."""
        files: list[tuple[str, int]] = [
            (name, path.stat().st_mtime_ns) for name, path in sorted(self._issue.pictures.items()) if path.is_file()
        ]
        told = repr((self._config.settings, self._issue.fields, self._issue.language, self._issue.name, files))
        return blake2b(told.encode(), digest_size=16).hexdigest()
