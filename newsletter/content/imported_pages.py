"""Read past issues that another tool has sent: folders in `archive/` with an `issue.yaml` and a `page.html`.

Their HTML is cleaned each time it is read: no scripts, no forms, no styles, nothing from elsewhere
but links and images.
"""

from datetime import date
from pathlib import Path

import nh3
from lxml import html
from msgspec import Struct
from pydantic import Field

from newsletter.config import Config
from newsletter.content.loader import ARCHIVE_FOLDER, ISSUE_FILE, PAGE_FILE
from newsletter.content.records import record_of
from newsletter.content.source import Reading, read_yaml
from newsletter.errors import Mistake
from newsletter.model.issue_fields import Day, Visibility
from newsletter.model.values import Fields, FileName, Language, OneLine
from newsletter.system.file_errors import explained
from newsletter.system.files import size_of_file

_MOST_BYTES = 5_000_000
_TAGS = frozenset(
    {
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
    }
    | {
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
    }
    | {"s", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u"}
    | {"ul"}
)
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "*": {"lang", "dir"},
}
_REMOVED_WHOLE = {"script", "style", "title", "iframe", "object", "form", "svg", "math", "template", "noscript"}


class ImportedFields(Fields):
    """The keys of `issue.yaml` of a past issue."""

    subject: OneLine
    date: Day
    preheader: OneLine = Field(default="", validate_default=False, description="one sentence about the issue")
    title: OneLine | None = Field(default=None, description="the title of the page, if it is not the subject")
    language: Language | None = None
    visibility: Visibility = Visibility.PUBLIC
    id: FileName | None = Field(default=None, description="as in the issues that you write here")
    imported: bool = True
    source: OneLine | None = Field(default=None, description="where it comes from")


class ImportedIssue(Struct, frozen=True, kw_only=True):
    """A past issue: its settings, and its page as clean HTML with complete or relative addresses of images."""

    name: str
    folder: Path
    fields: ImportedFields
    html: str

    @property
    def day(self) -> date:
        """The day on which it was sent."""
        return self.fields.date

    @property
    def images(self) -> list[str]:
        """The addresses of all images."""
        root = html.fragment_fromstring(self.html, create_parent="div")
        return [image.get("src", "") for image in root.iter("img")]


def imported_folders(config: Config) -> list[Path]:
    """Return the folders of all past issues, sorted."""
    return sorted(path.parent for path in (config.root / ARCHIVE_FOLDER).glob(f"[!.]*/{ISSUE_FILE}"))


def read_imported(config: Config, folder: Path) -> ImportedIssue | tuple[Mistake, ...]:
    """Return a past issue, or the mistakes in its files."""
    reading = Reading()
    path = folder / ISSUE_FILE
    document = read_yaml(path, config.shown(path), reading, ImportedFields)
    fields = None if document is None else record_of(document, ImportedFields, reading)
    page = folder / PAGE_FILE
    text = ""
    try:
        if size_of_file(page) > _MOST_BYTES:
            reading.add(
                config.shown(page), None, f"the page is larger than {_MOST_BYTES // 1_000_000} MB", "shorten it"
            )
        else:
            text = page.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        reading.add(config.shown(page), None, "the page is not UTF-8 text", "save it in your text editor as UTF-8")
    except OSError as err:
        fault = explained(err, page, deed="read", elsewhere="", shown=config.shown)
        reading.add(config.shown(page), None, str(fault), "import the issue again, or delete its folder")
    if fields is None or reading.mistakes:
        return tuple(reading.mistakes)
    return ImportedIssue(name=folder.name, folder=folder, fields=fields, html=cleaned(text))


def cleaned(text: str) -> str:
    """Return HTML from another tool with only what a page of text needs. Its highest headings become `h2`."""
    clean = nh3.clean(
        text,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        clean_content_tags=set(_REMOVED_WHOLE),
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel=None,
        strip_comments=True,
    )
    if not clean.strip():
        return ""
    root = html.fragment_fromstring(clean, create_parent="div")
    headings = [(int(str(element.tag)[1]), element) for element in root.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    shift = 2 - min((level for level, _ in headings), default=2)
    for level, element in headings:
        element.tag = f"h{min(level + shift, 6)}"
    for image in root.iter("img"):
        image.set("alt", image.get("alt", ""))
        image.set("loading", "lazy")
    written = html.tostring(root, encoding="unicode")
    return str(written.removeprefix("<div>").removesuffix("</div>"))
