"""Lay out sections as MJML and as plain text. Sections that have not changed are cached in the theme."""

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from fractions import Fraction
from functools import cached_property, lru_cache, partial
from hashlib import blake2b

from markupsafe import Markup

from newsletter.config import Config
from newsletter.language import dates
from newsletter.language.calendar_links import google_url
from newsletter.language.catalogue import spoken, words_of
from newsletter.language.direction import Direction, direction_of_language
from newsletter.language.fonts import with_fonts_of
from newsletter.language.lengths import digits_of_length
from newsletter.language.local_times import local_times_of, told_event
from newsletter.language.words import colon_after, comma_between, status_words
from newsletter.model.issue import Issue, Item, Section, cards_of
from newsletter.model.issue_fields import Card, TipsFields, Visibility
from newsletter.model.mailbox import MailboxProvider
from newsletter.model.prose import Prose, ProseLine
from newsletter.model.site_addresses import address_of, event_path
from newsletter.model.slot_sources import LocalTime, WithoutLocalTime
from newsletter.model.slots import SlotSource
from newsletter.render import plaintext
from newsletter.render.breaks import unbroken, whole_dates
from newsletter.render.directions import directed
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.pictures import PictureShelf, ShownPicture
from newsletter.render.prose import line_html, prose_html
from newsletter.render.theme import LaidOutSection, Theme

CONTENT_WIDTH = 536  # 600 px less the padding on both sides
_REMEMBERED = 256  # the maximum number of sections in the cache, which is cleared when it is full


class SectionPress:
    """Lays out the sections of one issue, for its email or for a page of the archive, which has no inlined styles."""

    def __init__(self, issue: Issue, config: Config, theme: Theme, *, for_page: bool = False) -> None:
        self._issue, self._config, self._theme = issue, config, theme
        self._for_page = for_page
        self.stamp = self._ingredients()

    def new_shelf(self) -> PictureShelf:
        """Return an empty shelf for images. If the workspace has an archive, the images are hosted there."""
        archive = self._config.settings.archive
        return PictureShelf(archive.url if archive else None, self._theme.memory)

    def html(self, section: Section, *, ruled: bool, mailbox: MailboxProvider | None) -> LaidOutSection:
        """Return a section's MJML and images for readers at a mailbox provider. `ruled` adds a line above it."""
        return self._recall(section, self._theme.section_template(section.type), ruled=ruled, mailbox=mailbox)

    def page(self, section: Section) -> LaidOutSection:
        """Return a section's HTML and images for the archive. Tips are those for readers of any mailbox provider."""
        return self._recall(section, self._theme.section_page_template(section.type), ruled=False, mailbox=None)

    def text(self, section: Section, *, mailbox: MailboxProvider | None) -> LaidOutSection:
        """Return a section as plain text for readers at a mailbox provider."""
        template = self._theme.section_text_template(section.type)
        return self._recall(section, template, ruled=False, mailbox=mailbox)

    def _recall(
        self, section: Section, template: str, *, ruled: bool, mailbox: MailboxProvider | None
    ) -> LaidOutSection:
        # A section that is the same for everyone is laid out once.
        mailbox = mailbox if section.differs_by_mailbox else None
        key = (section.fingerprint, template, ruled, mailbox)
        return self._kept(key, lambda: self._lay_out(section, template, ruled=ruled, mailbox=mailbox))

    def _kept(self, key: Hashable, lay_out: Callable[[], LaidOutSection]) -> LaidOutSection:
        """Return what the theme has under a key for this issue and these settings, or lay it out and keep it there."""
        whole_key = (self.stamp, key)
        found = self._theme.laid_out.get(whole_key)
        if found is None:
            if len(self._theme.laid_out) >= _REMEMBERED:
                self._theme.laid_out.clear()
            found = self._theme.laid_out[whole_key] = lay_out()
        return found

    @cached_property
    def _author_css(self) -> str:
        """The styles of the author's text, or an empty string for a page."""
        template = "author.css.j2"

        def styles() -> LaidOutSection:
            return LaidOutSection(content=self._theme.render(template, self.look), pictures=())

        return "" if self._for_page else self._kept(template, styles).content

    def _lay_out(
        self, section: Section, template: str, *, ruled: bool, mailbox: MailboxProvider | None
    ) -> LaidOutSection:
        shelf, sources = self.new_shelf(), list[SlotSource]()
        cards = self._cards(section, mailbox)
        context = {**self.look, **self.tools(shelf, sources), "section": section, "ruled": ruled, "cards": cards}
        content = self._theme.render(template, context)
        facts = (told_event(item, self._issue.language) for item in section.items)
        told = tuple(event for event in facts if event is not None)
        return LaidOutSection(content=content, pictures=shelf.pictures, sources=tuple(sources), told=told)

    def _cards(self, section: Section, mailbox: MailboxProvider | None) -> tuple[Card, ...]:
        """Return the cards that a tips section shows. Any other section has none."""
        fields = section.fields
        return cards_of(fields, self._issue.tips, mailbox) if isinstance(fields, TipsFields) else ()

    @cached_property
    def look(self) -> Mapping[str, object]:
        """The context that every template of the theme gets."""
        settings, language = self._config.settings, self._issue.language
        direction = direction_of_language(language)
        return {
            "newsletter": settings.newsletter.model_copy(
                update={"name": settings.newsletter.said_in(language, "name").text}
            ),
            "words_in_catalogue": words_of(spoken([language]), "theme"),
            "said": partial(settings.newsletter.said_in, language),
            "brand": settings.brand,
            "heading_font": bare_font_stack(with_fonts_of(settings.brand.heading_font, language)),
            "body_font": bare_font_stack(with_fonts_of(settings.brand.body_font, language)),
            "issue": self._issue.fields,
            "month": dates.format_month(self._issue.fields.date, language),
            "language": language,
            "direction": direction,
            "direction_of": direction_of_language,
            "compact_css": compact_css,
            "directed": lambda text: self._directed(text, direction),
            "links_in": lambda text: text.prose.links if isinstance(text, ProseLine) else (),
            "unbroken": unbroken,
            "whole_dates": whole_dates,
            "comma": comma_between(language),
            "colon_after": lambda label: colon_after(label, language),
            "content_width": CONTENT_WIDTH,
            "wrap": plaintext.wrap,
            "wrap_phrases": plaintext.wrap_phrases,
            "link_text": partial(plaintext.link_text, language=language),
            "underline": plaintext.underline,
            "rule": plaintext.RULE,
        }

    def _directed(self, text: str, direction: Direction) -> Markup:
        """Return a line of a template, with its emphasis and links if it is Markdown."""
        if isinstance(text, ProseLine):
            return line_html(text, css=self._author_css, memory=self._theme.memory, direction=direction)
        return directed(text, direction)

    def tools(self, shelf: PictureShelf, sources: list[SlotSource]) -> Mapping[str, object]:
        """Return the functions that templates use to lay out content.

        Images that they show are added to the shelf, and the sources of slots other than merge fields to `sources`.
        """
        language = self._issue.language

        def in_space(name: str, space: PictureSpace) -> ShownPicture:
            return shelf.show(self._issue.pictures[name].path, space)

        def picture(name: str, width: int = CONTENT_WIDTH, height: int | None = None) -> ShownPicture:
            return in_space(name, PictureSpace(width=width, shape=Fraction(width, height) if height else None))

        def portrait(name: str, width: int) -> ShownPicture:
            return shelf.show_portrait(self._issue.pictures[name].path, width=width)

        def video_still(name: str, length: str | None, width: int = CONTENT_WIDTH) -> ShownPicture:
            return shelf.show_video(self._issue.pictures[name].path, digits_of_length(length or "") or "", width=width)

        def prose(text: Prose, level: int = 3, width: int = CONTENT_WIDTH) -> Markup:
            css, memory = self._author_css, self._theme.memory
            return prose_html(
                text,
                css=css,
                heading_level=level,
                picture=in_space,
                width=width,
                memory=memory,
                direction=direction_of_language(language),
            )

        return {
            "prose": prose,
            "prose_text": partial(plaintext.prose_text, language=language),
            "line_text": partial(plaintext.line_text, language=language),
            "picture": picture,
            "portrait": portrait,
            "video_still": video_still,
            "when": lambda item: dates.format_when(item, language),
            **self._clock_tools(sources),
            "deadline": lambda item: dates.format_deadline(item, language),
            "tile": lambda item: dates.date_tile(item, language),
            "starts": _starts,
            "ends": _ends,
            "status": lambda item: status_words(item.fields.status, language),
            "calendar_url": self._calendar_url,
        }

    def _event_page(self, item: Item) -> str:
        """Return the address of an event's page in the archive, or an empty string if it will have none."""
        archive, fields = self._config.settings.archive, self._issue.fields
        if archive is None or archive.to is None or fields.visibility is Visibility.NONE or item.fields.starts is None:
            return ""
        original = fields.language or self._config.settings.newsletter.language
        language = self._issue.language
        return address_of(archive.url, event_path(item.slug, "" if language == original else language))

    def _calendar_url(self, item: Item) -> str | None:
        """Return the link that adds an event to a calendar: to its page, which offers all services, or to Google's.

        An event that is canceled or postponed has none.
        """
        return None if item.fields.status else self._event_page(item) or google_url(item)

    def _clock_tools(self, sources: list[SlotSource]) -> Mapping[str, object]:
        """Return the functions that show the times of an event on the reader's clock."""
        language = self._issue.language

        def local(item: Item) -> str:
            times = local_times_of(item, language)
            if times is None:
                return ""
            sources.append(LocalTime(times))
            return sources[-1].token

        def without_local(item: Item, markup: str) -> str:
            times = local_times_of(item, language)
            if times is None:
                return ""
            sources.append(WithoutLocalTime(times, str(markup)))
            return sources[-1].token

        return {"local": local, "without_local": without_local, "event_page": self._event_page}

    def _ingredients(self) -> str:
        """Return a hash of everything that a section depends on besides its own files."""
        files: list[tuple[str, int]] = [
            (name, picture.path.stat().st_mtime_ns)
            for name, picture in sorted(self._issue.pictures.items())
            if picture.path.is_file()
        ]
        issue = self._issue
        told = repr(
            (self._theme.told(self._config.settings, issue.fields, issue.tips), issue.language, issue.name, files)
        )
        return blake2b(told.encode(), digest_size=16).hexdigest()


def _starts(item: Item) -> str:
    """Return when an event starts as HTML's `datetime` takes it: with its difference from UTC, or only the day."""
    if times := item.times():
        return times[0].starts.isoformat(timespec="minutes")
    starts = item.fields.starts
    moment = item.starts_at()
    if isinstance(starts, datetime) and moment is not None:
        return moment.isoformat(timespec="minutes")
    return str(item.fields.first_day)


def _ends(item: Item) -> str | None:
    """Return the end of an event's only time, which is empty if it has none. For whole days and series, return None."""
    times = item.times()
    if len(times) != 1:
        return None
    return times[0].ends.isoformat(timespec="minutes") if times[0].ends else ""


_REMARK = re.compile(r"/\*.*?\*/", re.DOTALL)
_AROUND_SIGN = re.compile(r"\s*([{};,>])\s*")
_AFTER_COLON = re.compile(r":\s+")  # in a declaration; a colon in a selector has no space after it


@lru_cache(maxsize=16)
def compact_css(css: str) -> Markup:
    """Return the style sheet without comments and needless spaces. Gmail drops all style sheets over 16 KB."""
    css = _AROUND_SIGN.sub(r"\1", _AFTER_COLON.sub(":", _REMARK.sub("", str(css))))
    return Markup(css.replace(" !important", "!important").replace(";}", "}").strip())  # noqa: S704 - the theme's own


# CSS allows a font family without quotes if each of its words is an identifier.
_IDENTIFIERS = re.compile(r"-?[A-Za-z_][\w-]*(?: [A-Za-z_][\w-]*)*", re.ASCII)


def bare_font_stack(stack: str) -> str:
    """Return the font stack with quotes only around the families that need them.

    A quote in an attribute takes five or six characters, and the stack appears in an email about fifty times.
    """
    return ",".join(_bare(family.strip()) for family in stack.split(","))


def _bare(family: str) -> str:
    name = family.strip("\"'")
    return name if _IDENTIFIERS.fullmatch(name) else f"'{name}'"
