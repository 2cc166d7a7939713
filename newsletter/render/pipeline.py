"""Renders an issue: every variant's subject, preheader, HTML and text, with slots where merge fields stood."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from markupsafe import Markup

from newsletter.config import Config
from newsletter.model.issue import Issue, Prose
from newsletter.model.merge import UNSUBSCRIBE_FIELD, MergeField
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.render import dates, plaintext
from newsletter.render.calendar import google_calendar_url
from newsletter.render.finish import finish_html
from newsletter.render.fonts import bare_font_stack
from newsletter.render.merge import SlotTable, in_header, in_html, in_text
from newsletter.render.mjml import compile_mjml
from newsletter.render.pictures import PictureShelf, ShownPicture
from newsletter.render.prose import prose_html
from newsletter.render.theme import Theme

CONTENT_WIDTH = 536  # 600 px less the padding on both sides
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_UNSUBSCRIBE = MergeField(UNSUBSCRIBE_FIELD)


def render_issue(issue: Issue, config: Config, theme: Theme) -> RenderedIssue:
    """Renders every variant that can occur: one for each set of the segments that `only:` names.

    Raises InputError where a template of the workspace is wrong.
    """
    renderers = [
        _IssueRenderer(issue, config, theme, frozenset(segments))
        for size in range(len(issue.only_segments) + 1)
        for segments in combinations(issue.only_segments, size)
    ]
    variants = tuple(renderer.render() for renderer in renderers)
    pictures = {picture.name: picture for renderer in renderers for picture in renderer.shelf.pictures}
    return RenderedIssue(issue=issue.name, variants=variants, pictures=tuple(pictures.values()))


@dataclass(slots=True)
class _IssueRenderer:
    """Renders one variant."""

    issue: Issue
    config: Config
    theme: Theme
    segments: frozenset[str]
    shelf: PictureShelf = field(init=False)
    author_css: str = field(init=False)

    def __post_init__(self) -> None:
        archive = self.config.settings.archive
        self.shelf = PictureShelf(archive.url if archive else None)
        self.author_css = self.theme.render_html("author.css.j2", self._base())

    def render(self) -> RenderedVariant:
        fields = self.issue.fields
        context = self._context()
        html = finish_html(
            compile_mjml(self.theme.render_html("email.mjml.j2", context)),
            language=self.issue.language,
            direction=str(context["direction"]),
        )
        text = plaintext.tidy(self.theme.render_text("text/email.txt.j2", context))
        table = SlotTable([_UNSUBSCRIBE, *(use.field for use in self.issue.merge_fields)])
        hosted = self.config.settings.archive is not None
        return RenderedVariant(
            segments=self.segments,
            language=self.issue.language,
            subject=table.template(fields.subject, in_header),
            preheader=table.template(fields.preheader, in_header),
            html=table.template(html, in_html),
            text=table.template(text, in_text),
            slots=table.slots,
            pictures=() if hosted else self.shelf.pictures,
        )

    def _base(self) -> dict[str, object]:
        settings = self.config.settings
        return {
            "newsletter": settings.newsletter,
            "brand": settings.brand,
            "heading_font": bare_font_stack(settings.brand.heading_font),
            "body_font": bare_font_stack(settings.brand.body_font),
            "language": self.issue.language,
            "direction": _direction(self.issue.language),
            "direction_of": _direction,
            "content_width": CONTENT_WIDTH,
        }

    def _context(self) -> Mapping[str, object]:
        sections = [section for section in self.issue.sections if section.only in {None, *self.segments}]
        archive = self.config.settings.archive
        return self._base() | {
            "issue": self.issue.fields,
            "month": dates.format_month(self.issue.fields.date, self.issue.language),
            "sections": sections,
            "unsubscribe_url": _UNSUBSCRIBE.token,
            "view_url": f"{archive.url}/{self.issue.name}/" if archive else None,
            "logo": self._brand_picture(self.config.settings.brand.logo),
            "logo_dark": self._brand_picture(self.config.settings.brand.logo_dark),
            "html_template": lambda section: self.theme.section_template(section.type),
            "text_template": lambda section: self.theme.section_text_template(section.type),
            "prose": self._prose,
            "prose_text": plaintext.prose_text,
            "wrap": plaintext.wrap,
            "underline": plaintext.underline,
            "rule": plaintext.RULE,
            "picture": self._picture,
            "video_still": self._video_still,
            "when": lambda item: dates.format_when(item, self.issue.language),
            "deadline": lambda item: dates.format_deadline(item, self.issue.language),
            "tile": lambda item: dates.date_tile(item, self.issue.language),
            "calendar_url": google_calendar_url,
        }

    def _prose(self, prose: Prose, level: int = 3, width: int = CONTENT_WIDTH) -> Markup:
        def picture(name: str) -> tuple[str, int, int]:
            shown = self._picture(name)
            return shown.src, shown.width, shown.height

        return prose_html(prose, css=self.author_css, heading_level=level, picture=picture, width=width)

    def _picture(self, name: str) -> ShownPicture:
        return self.shelf.show(self.issue.pictures[name])

    def _video_still(self, name: str, length: str | None) -> ShownPicture:
        return self.shelf.show_video(self.issue.pictures[name], length or "")

    def _brand_picture(self, name: str | None) -> ShownPicture | None:
        return None if name is None else self.shelf.show(self.config.root / name)


def _direction(language: str) -> str:
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"
