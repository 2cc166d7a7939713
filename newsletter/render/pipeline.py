"""Render an issue: the subject, preheader, HTML and text of each variant, with slots in place of merge fields."""

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from newsletter.config import Config, place_of_key
from newsletter.language.direction import direction_of_language
from newsletter.language.local_times import told_event
from newsletter.model.axes import axes_of, judged_readerships
from newsletter.model.issue import Issue, PictureFile, Section
from newsletter.model.readership import Readership, TrackingMode
from newsletter.model.rendered import Picture, RenderedIssue, RenderedVariant
from newsletter.model.slot_sources import source_of
from newsletter.model.slots import OWN_FIELDS, PREFERENCES_FIELD, TRACKING_FIELD, UNSUBSCRIBE_FIELD, SlotSource
from newsletter.model.told import ToldEvent
from newsletter.render import plaintext
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
        self._sections = SectionPress(issue, config, theme)
        self._variants: dict[Readership, RenderedVariant] = {}
        self.pictures: dict[str, Picture] = {}  # the images of all variants so far, by name

    def variant_for(self, readership: Readership) -> RenderedVariant:
        """Return the variant of a readership. Render it when it is requested for the first time."""
        if readership not in self._variants:
            shelf = self._sections.new_shelf()
            renderer = _VariantRenderer(self._issue, self._config, self._theme, self._sections, readership, shelf)
            self._variants[readership] = renderer.render()
            self.pictures |= {picture.name: picture for picture in shelf.pictures}
        return self._variants[readership]


class _VariantRenderer(Struct):
    """Renders one variant from the sections that its readers see."""

    issue: Issue
    config: Config
    theme: Theme
    press: SectionPress
    readership: Readership
    shelf: PictureShelf
    sources: list[SlotSource] = field(default_factory=list)  # of the slots that are not merge fields

    def render(self) -> RenderedVariant:
        fields, language = self.issue.fields, self.issue.language
        context = self._context()
        mjml = self.theme.render("email.mjml.j2", context)
        direction = direction_of_language(language)
        html = finish_html(compile_mjml(mjml, direction=direction), language=language, direction=direction)
        text = plaintext.tidy(self.theme.render("text/email.txt.j2", context), direction=direction)
        fields_used = (*OWN_FIELDS, *(use.field for use in self.issue.merge_fields))
        table = SlotTable([*map(source_of, fields_used), *self.sources])
        hosted = self.config.settings.archive is not None
        return RenderedVariant(
            readership=self.readership,
            language=language,
            subject=table.template(fields.subject, in_header),
            preheader=table.template(fields.preheader, in_header),
            html=table.template(html, in_html),
            text=table.template(text, in_text),
            slots=table.slots,
            pictures=() if hosted else self.shelf.pictures,
            told=tuple(self._told()),
        )

    def _told(self) -> Iterator[ToldEvent]:
        """Yield what the variant tells about each event. An event in two sections counts once."""
        events = {item.uid: item for section in self._sections() for item in section.items}
        for item in events.values():
            if told := told_event(item, self.issue.language):
                yield told

    def _sections(self) -> Sequence[Section]:
        seen = {None, *self.readership.segments}
        return [section for section in self.issue.sections if section.only in seen]

    def _context(self) -> dict[str, object]:
        brand = self.config.settings.brand
        pages = {"preferences": PREFERENCES_FIELD.token}  # no page shows the email in a `browser` yet
        if self.readership.tracking is TrackingMode.CONSENTED:
            pages["tracking"] = TRACKING_FIELD.token
        return {
            **self.press.look,
            **self.press.tools(self.shelf, self.sources),
            "sections": self._sections(),
            "section_html": self._section_html,
            "section_text": self._section_text,
            "unsubscribe_url": UNSUBSCRIBE_FIELD.token,
            "pages": pages,
            "logo": self._brand_picture(brand.logo),
            "logo_dark": self._brand_picture(brand.logo_dark),
        }

    def _section_html(self, section: Section, ruled: bool) -> str:
        laid_out = self.press.html(section, ruled=ruled, mailbox=self.readership.mailbox)
        self.shelf.take(laid_out.pictures)
        self.sources += laid_out.sources
        return laid_out.content

    def _section_text(self, section: Section) -> str:
        laid_out = self.press.text(section, mailbox=self.readership.mailbox)
        self.sources += laid_out.sources
        return laid_out.content

    def _brand_picture(self, name: str | None) -> ShownPicture | None:
        space = PictureSpace(width=self.config.settings.brand.logo_width)
        return None if name is None else self.shelf.show(self.config.root / name, space)
