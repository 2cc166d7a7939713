"""Renders an issue: every variant's subject, preheader, HTML and text, with slots where merge fields stood."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.language.direction import direction_of_language
from newsletter.model.finding import Place
from newsletter.model.issue import Issue, PictureFile, Section
from newsletter.model.merge import UNSUBSCRIBE_FIELD, MergeField
from newsletter.model.readership import Readership
from newsletter.model.rendered import RenderedIssue, RenderedVariant
from newsletter.render import plaintext
from newsletter.render.finish import finish_html
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.merge import SlotTable, in_header, in_html, in_text
from newsletter.render.mjml import compile_mjml
from newsletter.render.pictures import PictureShelf, ShownPicture, require_whole
from newsletter.render.sections import SectionPress
from newsletter.render.theme import Theme

_UNSUBSCRIBE = MergeField(UNSUBSCRIBE_FIELD)


def render_issue(issue: Issue, config: Config, theme: Theme) -> RenderedIssue:
    """Renders every variant that can occur.

    There is one for each set of the segments that `only:` names, and for each mailbox provider where a section differs
    by it.
    Raises MistakesError where a picture is broken, InputError where a template of the workspace is wrong.
    """
    require_whole((*issue.pictures.items(), *_logos(config)), theme.memory)
    press = SectionPress(issue, config, theme)
    renderers = [_VariantRenderer(issue, config, theme, press, readership) for readership in _readerships(issue)]
    variants = tuple(renderer.render() for renderer in renderers)
    pictures = {picture.name: picture for renderer in renderers for picture in renderer.shelf.pictures}
    return RenderedIssue(
        issue=issue.name, variants=variants, pictures=tuple(pictures.values()), topics=issue.fields.topics
    )


def _logos(config: Config) -> Iterator[tuple[str, PictureFile]]:
    brand = config.settings.brand
    for key, name in (("logo", brand.logo), ("logo_dark", brand.logo_dark)):
        if name is not None:
            place = Place(path=CONFIG_FILE, line=line_of_key(config, "brand", key))
            yield name, PictureFile(path=config.root / name, place=place)


def _readerships(issue: Issue) -> Iterator[Readership]:
    for mailbox in issue.mailboxes or (None,):
        for size in range(len(issue.only_segments) + 1):
            for segments in combinations(issue.only_segments, size):
                yield Readership(segments=frozenset(segments), mailbox=mailbox)


@dataclass(slots=True)
class _VariantRenderer:
    """Renders one variant, out of the sections that its readers see."""

    issue: Issue
    config: Config
    theme: Theme
    press: SectionPress
    readership: Readership
    shelf: PictureShelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = self.press.new_shelf()

    def render(self) -> RenderedVariant:
        fields, language = self.issue.fields, self.issue.language
        context = self._context()
        mjml = self.theme.render("email.mjml.j2", context)
        direction = direction_of_language(language)
        html = finish_html(compile_mjml(mjml, direction=direction), language=language, direction=direction)
        text = plaintext.tidy(self.theme.render("text/email.txt.j2", context))
        table = SlotTable([_UNSUBSCRIBE, *(use.field for use in self.issue.merge_fields)])
        hosted = self.config.settings.archive is not None
        return RenderedVariant(
            segments=self.readership.segments,
            mailbox=self.readership.mailbox,
            language=language,
            subject=table.template(fields.subject, in_header),
            preheader=table.template(fields.preheader, in_header),
            html=table.template(html, in_html),
            text=table.template(text, in_text),
            slots=table.slots,
            pictures=() if hosted else self.shelf.pictures,
        )

    def _context(self) -> dict[str, object]:
        brand, seen = self.config.settings.brand, {None, *self.readership.segments}
        return {
            **self.press.look,
            **self.press.tools(self.shelf),
            "sections": [section for section in self.issue.sections if section.only in seen],
            "section_html": self._section_html,
            "section_text": self._section_text,
            "unsubscribe_url": _UNSUBSCRIBE.token,
            "logo": self._brand_picture(brand.logo),
            "logo_dark": self._brand_picture(brand.logo_dark),
        }

    def _section_html(self, section: Section, ruled: bool) -> str:
        laid_out = self.press.html(section, ruled=ruled, mailbox=self.readership.mailbox)
        self.shelf.take(laid_out.pictures)
        return laid_out.content

    def _section_text(self, section: Section) -> str:
        return self.press.text(section, mailbox=self.readership.mailbox)

    def _brand_picture(self, name: str | None) -> ShownPicture | None:
        space = PictureSpace(width=self.config.settings.brand.logo_width)
        return None if name is None else self.shelf.show(self.config.root / name, space)
