"""Renders an issue: every variant's subject, preheader, HTML and text, with slots where merge fields stood."""

from dataclasses import dataclass, field
from itertools import combinations

from newsletter.config import Config
from newsletter.model.issue import Issue, Section
from newsletter.model.merge import UNSUBSCRIBE_FIELD, MergeField
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.render import plaintext
from newsletter.render.finish import finish_html
from newsletter.render.merge import SlotTable, in_header, in_html, in_text
from newsletter.render.mjml import compile_mjml
from newsletter.render.pictures import PictureShelf, ShownPicture
from newsletter.render.sections import SectionPress, direction_of
from newsletter.render.theme import Theme

_UNSUBSCRIBE = MergeField(UNSUBSCRIBE_FIELD)


def render_issue(issue: Issue, config: Config, theme: Theme) -> RenderedIssue:
    """Renders every variant that can occur: one for each set of the segments that `only:` names.

    Raises InputError where a template of the workspace is wrong.
    """
    press = SectionPress(issue, config, theme)
    renderers = [
        _VariantRenderer(issue, config, theme, press, frozenset(segments))
        for size in range(len(issue.only_segments) + 1)
        for segments in combinations(issue.only_segments, size)
    ]
    variants = tuple(renderer.render() for renderer in renderers)
    pictures = {picture.name: picture for renderer in renderers for picture in renderer.shelf.pictures}
    return RenderedIssue(
        issue=issue.name, variants=variants, pictures=tuple(pictures.values()), topics=issue.fields.topics
    )


@dataclass(slots=True)
class _VariantRenderer:
    """Renders one variant, out of the sections that it shows."""

    issue: Issue
    config: Config
    theme: Theme
    press: SectionPress
    segments: frozenset[str]
    shelf: PictureShelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = self.press.new_shelf()

    def render(self) -> RenderedVariant:
        fields, language = self.issue.fields, self.issue.language
        context = self._context()
        mjml = self.theme.render("email.mjml.j2", context)
        html = finish_html(compile_mjml(mjml), language=language, direction=direction_of(language))
        text = plaintext.tidy(self.theme.render("text/email.txt.j2", context))
        table = SlotTable([_UNSUBSCRIBE, *(use.field for use in self.issue.merge_fields)])
        hosted = self.config.settings.archive is not None
        return RenderedVariant(
            segments=self.segments,
            language=language,
            subject=table.template(fields.subject, in_header),
            preheader=table.template(fields.preheader, in_header),
            html=table.template(html, in_html),
            text=table.template(text, in_text),
            slots=table.slots,
            pictures=() if hosted else self.shelf.pictures,
        )

    def _context(self) -> dict[str, object]:
        brand = self.config.settings.brand
        return {
            **self.press.look,
            **self.press.tools(self.shelf),
            "sections": [section for section in self.issue.sections if section.only in {None, *self.segments}],
            "section_html": self._section_html,
            "section_text": self.press.text,
            "unsubscribe_url": _UNSUBSCRIBE.token,
            "logo": self._brand_picture(brand.logo),
            "logo_dark": self._brand_picture(brand.logo_dark),
        }

    def _section_html(self, section: Section, ruled: bool) -> str:
        laid_out = self.press.html(section, ruled=ruled)
        self.shelf.take(laid_out.pictures)
        return laid_out.content

    def _brand_picture(self, name: str | None) -> ShownPicture | None:
        return None if name is None else self.shelf.show(self.config.root / name)
