"""Render an issue for the archive: its sections as plain HTML, with the defaults of its merge fields."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lxml import html as lxml_html
from msgspec import Struct
from msgspec.structs import replace

from newsletter.config import Config
from newsletter.model.issue import Issue, Section
from newsletter.model.issue_fields import MeditationFields
from newsletter.model.published import IssuePage, PagePicture
from newsletter.model.rendered import Picture
from newsletter.model.slot_sources import source_of, value_of_nobody
from newsletter.model.slots import OWN_FIELDS, Escape
from newsletter.render.imaging.fit import PictureSpace
from newsletter.render.merge import ESCAPES, SlotTable, in_header, in_html
from newsletter.render.pictures import PictureShelf, require_whole
from newsletter.render.sections import CONTENT_WIDTH, SectionPress
from newsletter.render.theme import Theme

_WIDE_ENOUGH = 300  # pixels; a narrower picture of a past issue is a logo or an ornament


class RenderedPage(Struct, frozen=True, kw_only=True):
    """A page of the archive, and the images that it shows."""

    page: IssuePage
    pictures: tuple[Picture, ...]


def render_page(
    issue: Issue, config: Config, theme: Theme, *, original: str, is_listed: bool, links: str
) -> RenderedPage:
    """Render an issue for the archive in the language of `issue`. `original` is the issue's own language.

    Sections that only one segment sees are left out. `links` is the page to which the personal links lead.
    Raise MistakesError if an image is broken, and InputError if a template of the workspace is wrong.
    """
    require_whole(issue.pictures.items(), theme.memory)
    press = SectionPress(issue, config, theme, for_page=True)
    shelf = press.new_shelf()
    sections = [section for section in issue.sections if section.only is None]
    picture = _picture_of(issue, sections, shelf)
    content = theme.render(
        "page/issue.html.j2", {**press.look, "sections": sections, "section_html": _printer(press, shelf)}
    )
    page = IssuePage(
        issue=issue.name,
        id=issue.fields.id or issue.name,
        language=issue.language,
        is_original=issue.language == original,
        is_listed=is_listed,
        day=issue.fields.date,
        title=_with_defaults(issue.fields.title, issue, in_header, links=links),
        description=_with_defaults(issue.fields.preheader, issue, in_header, links=links),
        html=_with_defaults(content, issue, in_html, links=links),
        picture=picture,
        pictures=tuple(each.name for each in shelf.pictures),
    )
    return RenderedPage(page=page, pictures=shelf.pictures)


def render_imported(
    page: IssuePage, html: str, images: Callable[[str], Path | None], shelf: PictureShelf
) -> RenderedPage:
    """Return the page of a past issue with its clean HTML. `images` returns the file of an image by its address.

    Images that are neither files nor on the web with HTTPS are left out.
    """
    root = lxml_html.fragment_fromstring(html, create_parent="section")
    root.set("class", "part prose imported")
    first = next(root.iter("h2"), None)
    if first is not None and first.text_content().split() == page.title.split():
        first.drop_tree()  # the page has it as its title
    picture = None
    for image in list(root.iter("img")):
        address = image.get("src", "")
        path = images(address)
        if path is not None:
            shown = shelf.show(path, PictureSpace(width=CONTENT_WIDTH))
            image.attrib.update({"src": shown.src, "width": str(shown.width), "height": str(shown.height)})
            if picture is None and image.get("alt") and shown.width >= _WIDE_ENOUGH:
                picture = PagePicture(shown.src.rpartition("/")[2], image.get("alt", ""), shown.width, shown.height)
        elif not address.startswith("https://"):
            image.drop_tree()
    written = str(lxml_html.tostring(root, encoding="unicode"))
    names = tuple(each.name for each in shelf.pictures)
    return RenderedPage(page=replace(page, html=written, picture=picture, pictures=names), pictures=shelf.pictures)


def _printer(press: SectionPress, shelf: PictureShelf) -> Callable[[Section], str]:
    def printed(section: Section) -> str:
        laid_out = press.page(section)
        shelf.take(laid_out.pictures)
        return laid_out.content

    return printed


def _with_defaults(text: str, issue: Issue, escape_at: Callable[[str, int], Escape], *, links: str) -> str:
    """Return the text as someone reads it about whom nothing is known."""
    table = SlotTable(map(source_of, (*OWN_FIELDS, *(use.field for use in issue.merge_fields))))
    template = table.template(text, escape_at)
    values = tuple(ESCAPES[slot.escape](value_of_nobody(slot.source, link=links)) for slot in table.slots)
    return template.fill(values)


def _picture_of(issue: Issue, sections: Sequence[Section], shelf: PictureShelf) -> PagePicture | None:
    """Return the first picture of an issue that has a description, or the still of its video."""
    for name, alt in _candidates(sections):
        shown = shelf.show(issue.pictures[name].path, PictureSpace(width=CONTENT_WIDTH))
        return PagePicture(shown.src.rpartition("/")[2], alt, shown.width, shown.height)
    return None


def _candidates(sections: Sequence[Section]) -> Iterator[tuple[str, str]]:
    for section in sections:
        if isinstance(section.fields, MeditationFields) and section.fields.video is not None:
            yield section.fields.video.still, section.fields.video.alt
        for prose in (section.prose, *(item.prose for item in section.items)):
            yield from ((each.path, each.alt) for each in prose.pictures if each.alt and not each.is_decorative)
