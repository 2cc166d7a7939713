"""Render an issue: the subject, preheader, HTML and text of each variant, with slots in place of merge fields."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from urllib.parse import urlencode

from markupsafe import Markup
from msgspec import Struct, field

from newsletter.config import Config, place_of_key
from newsletter.language.direction import Direction, direction_of_language
from newsletter.language.offered import own_name
from newsletter.model.axes import axes_of, judged_readerships
from newsletter.model.issue import Issue, PictureFile, Section
from newsletter.model.issue_fields import Visibility
from newsletter.model.readership import Readership, TrackingMode
from newsletter.model.rendered import Picture, RenderedIssue, RenderedVariant
from newsletter.model.site_addresses import address_of, issue_path
from newsletter.model.slot_sources import source_of
from newsletter.model.slots import OWN_FIELDS, PREFERENCES_FIELD, TRACKING_FIELD, UNSUBSCRIBE_FIELD, SlotSource
from newsletter.model.told import ToldEvent
from newsletter.render import plaintext
from newsletter.render.borrowed import borrowed_html, borrowed_text
from newsletter.render.directions import isolated_fields, isolated_fields_in_html
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.merge import SlotTable, in_header, in_html, in_text
from newsletter.render.mjml import compile_mjml, finish_html
from newsletter.render.pictures import PictureShelf, ShownPicture, require_whole
from newsletter.render.sections import SectionPress
from newsletter.render.theme import Theme


def render_issue(issue: Issue, config: Config, theme: Theme) -> RenderedIssue:
    """Render the variants of an issue that are checked without a list. Other variants are rendered on demand.

    Raise MistakesError if an image is broken, and InputError if a template of the workspace is wrong.
    """
    require_whole((*issue.pictures.items(), *_logos(config)), theme.memory)
    axes = axes_of(issue, config.settings.tracking.mode)
    press = _IssuePress(issue, config, theme)
    judged = tuple(press.variant_for(readership) for readership in judged_readerships(axes))
    pictures = tuple(press.pictures.values())
    return RenderedIssue(
        issue=issue.name,
        axes=axes,
        fullest=judged[0],
        variants=judged,
        pictures=pictures,
        judged=judged,
        variant_for=press.variant_for,
        topics=issue.fields.topics,
    )


def _logos(config: Config) -> Iterator[tuple[str, PictureFile]]:
    brand = config.settings.brand
    for key, name in (("logo", brand.logo), ("logo_dark", brand.logo_dark)):
        if name is not None:
            yield name, PictureFile(path=config.root / name, place=place_of_key(config, "brand", key))


class _IssuePress:
    """Renders the variants of an issue, each of them once."""

    def __init__(self, issue: Issue, config: Config, theme: Theme) -> None:
        self._issue, self._config, self._theme = issue, config, theme
        self._presses: dict[tuple[str, str], SectionPress] = {}  # by version and language
        self._variants: dict[Readership, RenderedVariant] = {}
        self._logos = [(name, logo.path.stat().st_mtime_ns) for name, logo in _logos(config) if logo.path.is_file()]
        self.pictures: dict[str, Picture] = {}  # the images of all variants so far, by name

    def variant_for(self, readership: Readership) -> RenderedVariant:
        """Return the variant of a readership. Render it when it is requested for the first time."""
        if readership not in self._variants:
            issue = self._issue.in_version(readership.version).in_language(readership.language)
            # After an edit in one language, the variants in the others are the same as before.
            made = self._theme.recall_variant(
                (*self._ingredients(issue, readership.version), readership), lambda: self._render(issue, readership)
            )
            self._variants[readership], pictures = made
            self.pictures |= {picture.name: picture for picture in pictures}
        return self._variants[readership]

    def _render(self, issue: Issue, readership: Readership) -> tuple[RenderedVariant, tuple[Picture, ...]]:
        press_for = partial(self._press_for, readership.version)
        shelf = press_for(issue.language).new_shelf()
        languages = self._issue.languages
        renderer = _VariantRenderer(issue, languages, self._config, self._theme, press_for, readership, shelf)
        return renderer.render(), shelf.pictures

    def _ingredients(self, issue: Issue, version: str) -> Iterator[object]:
        """Yield everything that the variants in one version and language are made from."""
        yield tuple(self._press_for(version, code).stamp for code in (issue.language, self._issue.language))
        yield tuple((section.fingerprint, section.only, section.type, section.language) for section in issue.sections)
        yield tuple(dict.fromkeys(use.field for use in issue.merge_fields))
        yield tuple(self._logos)
        yield self._issue.languages

    def _press_for(self, version: str, language: str) -> SectionPress:
        """Return what lays out the sections of a version in a language."""
        if (version, language) not in self._presses:
            issue = self._issue.in_version(version).in_language(language)
            self._presses[version, language] = SectionPress(issue, self._config, self._theme)
        return self._presses[version, language]


class TranslationLink(Struct, frozen=True):
    """A link to the issue in another language. Without a name, it leads to a translating service."""

    language: str
    name: str
    url: str


class _VariantRenderer(Struct):
    """Renders one variant from the sections that its readers see."""

    issue: Issue
    languages: tuple[str, ...]  # in which the issue is sent, its own first
    config: Config
    theme: Theme
    press_for: Callable[[str], SectionPress]
    readership: Readership
    shelf: PictureShelf
    sources: list[SlotSource] = field(default_factory=list)  # of the slots that are not merge fields
    told: dict[str, ToldEvent] = field(default_factory=dict)  # by the event's id: one in two sections counts once

    def render(self) -> RenderedVariant:
        fields, language = self.issue.fields, self.issue.language
        context = self._context()
        mjml = self.theme.render("email.mjml.j2", context)
        direction = direction_of_language(language)
        html = finish_html(compile_mjml(mjml, direction=direction), language=language, direction=direction)
        text = plaintext.tidy(self.theme.render("text/email.txt.j2", context), direction=direction)
        if direction is Direction.RIGHT_TO_LEFT:
            html, text = isolated_fields_in_html(html), isolated_fields(text)
        fields_used = (*OWN_FIELDS, *(use.field for use in self.issue.merge_fields))
        table = SlotTable([*map(source_of, fields_used), *self.sources])
        hosted = self.config.settings.archive is not None
        heading = isolated_fields if direction is Direction.RIGHT_TO_LEFT else str
        return RenderedVariant(
            readership=self.readership,
            language=language,
            subject=table.template(heading(fields.subject), in_header),
            preheader=table.template(heading(fields.preheader), in_header),
            html=table.template(html, in_html),
            text=table.template(text, in_text),
            slots=table.slots,
            pictures=() if hosted else self.shelf.pictures,
            told=tuple(self.told.values()),
        )

    def _sections(self) -> Sequence[Section]:
        seen = {None, *self.readership.segments}
        return [section for section in self.issue.sections if section.only in seen]

    def _context(self) -> dict[str, object]:
        brand, press = self.config.settings.brand, self.press_for(self.issue.language)
        pages = {"preferences": PREFERENCES_FIELD.token}
        if address := self._page_address():
            pages["browser"] = address
        if self.readership.tracking is TrackingMode.CONSENTED:
            pages["tracking"] = TRACKING_FIELD.token
        return {
            **press.look,
            **press.tools(self.shelf, self.sources),
            "sections": self._sections(),
            "section_html": self._section_html,
            "section_text": self._section_text,
            "unsubscribe_url": UNSUBSCRIBE_FIELD.token,
            "pages": pages,
            "translations": self._translations(),
            "logo": self._brand_picture(brand.logo),
            "logo_dark": self._brand_picture(brand.logo_dark),
        }

    def _page_address(self) -> str:
        """Return the address of the issue's page in the archive, or an empty string if it never has one."""
        archive, language = self.config.settings.archive, self.issue.language
        if archive is None or archive.to is None:
            return ""
        if (self.issue.fields.visibility or archive.visibility) is Visibility.NONE:
            return ""
        return address_of(archive.url, issue_path(self.issue.name, "" if language == self.languages[0] else language))

    def _translations(self) -> Sequence[TranslationLink]:
        """Return the links to the same issue in other languages, which exist as pages of the archive."""
        archive, line = self.config.settings.archive, self.config.settings.languages.line
        if archive is None or line == "none":
            return ()
        if (self.issue.fields.visibility or archive.visibility) is Visibility.NONE:
            return ()
        issue, language = self.issue.name, self.issue.language
        pages = {
            code: address_of(archive.url, issue_path(issue, "" if code == self.languages[0] else code))
            for code in self.languages
        }
        found = [TranslationLink(code, own_name(code), url) for code, url in pages.items() if code != language]
        if line == "any":
            # Without a target language, the service translates into that of the reader's browser.
            query = urlencode({"sl": language, "u": pages[language]})
            found.append(TranslationLink(language, "", f"https://translate.google.com/translate?{query}"))
        return found

    def _section_html(self, section: Section, ruled: bool) -> str:
        language = section.language or self.issue.language
        press = self.press_for(language)
        laid_out = press.html(section, ruled=ruled, mailbox=self.readership.mailbox)
        self.shelf.take(laid_out.pictures)
        self.sources += laid_out.sources
        self.told |= {event.event: event for event in laid_out.told}
        if language == self.issue.language:
            return laid_out.content
        return Markup(borrowed_html(laid_out.content, language, str(press.look["body_font"])))  # noqa: S704 - laid out

    def _section_text(self, section: Section) -> str:
        language = section.language or self.issue.language
        laid_out = self.press_for(language).text(section, mailbox=self.readership.mailbox)
        self.sources += laid_out.sources
        return borrowed_text(laid_out.content, language, self.issue.language)

    def _brand_picture(self, name: str | None) -> ShownPicture | None:
        space = PictureSpace(width=self.config.settings.brand.logo_width)
        return None if name is None else self.shelf.show(self.config.root / name, space)
