"""Make the pages of the archive: an issue, the list of all issues, one that was moved, and one that does not exist."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import blake2b
from itertools import groupby
from urllib.parse import quote

from markupsafe import Markup
from msgspec import Struct

from newsletter.language.dates import format_month
from newsletter.language.direction import direction_of_language
from newsletter.language.offered import language_names
from newsletter.language.words import locale_of
from newsletter.model.published import IssuePage, PagePicture
from newsletter.model.site_addresses import (
    ATOM,
    JSON_FEED,
    NOT_FOUND,
    RSS,
    feed_path,
    index_path,
    issue_path,
    picture_path,
)
from newsletter.model.site_files import SiteFile
from newsletter.settings.workspace import Palette
from newsletter.site.page_templates import TEMPLATES_FOLDER, page_templates
from newsletter.site.site import Site
from newsletter.site.words import joining_words, words_in

_FEEDS = (
    (RSS, "RSS", "application/rss+xml"),
    (ATOM, "Atom", "application/atom+xml"),
    (JSON_FEED, "JSON Feed", "application/feed+json"),
)


class ShelfEntry(Struct, frozen=True, kw_only=True):
    """An issue in a list."""

    title: str
    description: str
    link: str  # relative to the page of the list
    day: date
    month: str
    short: str  # the month without the year
    language: str
    picture: PagePicture | None


class Version(Struct, frozen=True, kw_only=True):
    """A page in one of its languages."""

    language: str
    name: str  # of the language, in that language
    locale: str  # as social networks write it: es_ES
    link: str
    address: str


class PagePrinter:
    """Makes the pages of one archive. All have the same style sheet, whose name contains its hash."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._templates = page_templates()
        self._style = self._asset("site", "css", self._style_sheet())
        self._script = self._asset("site", "js", (TEMPLATES_FOLDER / "site.js").read_bytes())
        self._common = cache(self._common_values)
        self._named = dict(language_names({*site.languages, *(page.language for page in site.pages)}))

    @property
    def assets(self) -> tuple[SiteFile, ...]:
        """The style sheet and the script."""
        return (self._style, self._script)

    def issue(self, page: IssuePage) -> SiteFile:
        """Return the page of an issue."""
        site, up = self._site, _up(page.path)
        versions = [
            self._version(each.language, each.path, up)
            for each in site.versions(page)
            if each.is_listed == page.is_listed
        ]
        share, _ = site.share(page)
        html = page.html.replace(f'="{site.url}/', f'="{up}')
        return self._file(
            page.path,
            "issue.html.j2",
            page.language,
            page=page,
            title_whole=page.title,
            html=Markup(html),  # noqa: S704 - made from Markdown with raw HTML off, or cleaned when it was read
            month=format_month(page.day, page.language),
            published=site.published_at(page).isoformat(),
            versions=versions,
            share={"address": site.address(share)},
            json_ld=self._json_ld(page, site.address(share)),
            neighbors=[self._entry(each, up) for each in self._neighbors(page)],
            is_found=page.is_listed,
        )

    def index(self, language: str) -> SiteFile:
        """Return the list of all issues in a language."""
        site, path = self._site, index_path(self._site.folder(language))
        up, listed = _up(path), self._site.listed(language)
        entries = [self._entry(page, up) for page in listed]
        years = [(year, list(found)) for year, found in groupby(entries[1:], key=lambda entry: entry.day.year)]
        versions = [self._version(each, index_path(site.folder(each)), up) for each in site.languages]
        share = {"address": site.address(site.share(listed[0])[0])} if listed else None
        return self._file(
            path,
            "index.html.j2",
            language,
            newest=next(iter(entries), None),
            years=years,
            versions=versions,
            share=share,
            is_found=True,
        )

    def moved(self, page: IssuePage) -> SiteFile:
        """Return the page at the former address of an issue that was renamed."""
        path = issue_path(page.id, "" if page.is_original else page.language)
        address = self._site.address(page.path)
        return self._file(path, "moved.html.j2", page.language, page=page, address=address, is_found=False)

    def not_found(self) -> SiteFile:
        """Return the page for addresses that do not exist. It is shown at any address, so its own are complete."""
        up = f"{self._site.url}/"
        return self._file(NOT_FOUND, "not_found.html.j2", self._site.language, up=up, is_found=False)

    def _file(self, path: str, template: str, language: str, *, up: str | None = None, **values: object) -> SiteFile:
        up = _up(path) if up is None else up
        common = self._common(language)
        home = _link(index_path(self._site.folder(language)), up)
        text = self._templates.get_template(template).render(
            {**common, "up": up, "home": home, "address_here": self._site.address(path), **values}
        )
        # Lines without words come from the control structures of the templates.
        return SiteFile(path, "".join(f"{line.rstrip()}\n" for line in text.split("\n") if line.strip()).encode())

    def _common_values(self, language: str) -> Mapping[str, object]:
        """Return what all pages in a language show."""
        site, settings = self._site, self._site.settings
        identity, folder = settings.newsletter, self._site.folder(language)
        logo, dark = (site.logos.get(key) for key in ("logo", "logo_dark"))
        return {
            "language": language,
            "direction": direction_of_language(language).value,
            "direction_of": direction_of_language,
            "locale": _locale(language),
            "newsletter": identity,
            "brand": settings.brand,
            "organization": identity.said_in(language, "organization"),
            "address": identity.said_in(language, "address"),
            "words": words_in(language),
            "joining": joining_words(language, identity.name),
            "service": settings.service.url,
            "feeds": [
                {
                    "name": name,
                    "type": kind,
                    "title": f"{identity.name} ({name})",
                    "address": site.address(feed_path(feed, folder)),
                }
                for feed, name, kind in _FEEDS
            ],
            "logo": logo[0] if logo else "",
            "logo_dark": dark[0] if dark else "",
            "logo_width": logo[1] if logo else 0,
            "logo_height": logo[2] if logo else 0,
            "style_sheet": self._style.path,
            "script": self._script.path,
            "is_searched": site.is_searched,
        }

    def _entry(self, page: IssuePage, up: str) -> ShelfEntry:
        month = locale_of(page.language) or locale_of("en")
        picture = page.picture
        return ShelfEntry(
            title=page.title,
            description=page.description,
            link=_link(page.path, up),
            day=page.day,
            month=format_month(page.day, page.language),
            short=str(month.months["stand-alone"]["wide"][page.day.month]) if month else "",
            language=page.language,
            picture=picture,
        )

    def _version(self, language: str, path: str, up: str) -> Version:
        return Version(
            language=language,
            name=self._named.get(language, language),
            locale=_locale(language),
            link=_link(path, up),
            address=self._site.address(path),
        )

    def _neighbors(self, page: IssuePage) -> Sequence[IssuePage]:
        """Return the issue after this one and the two before it, so that a new issue changes few pages."""
        listed = self._site.listed(page.language) if page.language in self._site.languages else ()
        others = [each for each in listed if each.issue != page.issue]
        newer = [each for each in others if (each.day, each.issue) > (page.day, page.issue)]
        older = [each for each in others if (each.day, each.issue) < (page.day, page.issue)]
        return [*newer[-1:], *older[:2]]

    def _json_ld(self, page: IssuePage, share: str) -> Markup:
        site, identity = self._site, self._site.settings.newsletter
        publisher = {"@type": "Organization", "name": identity.organization, "url": identity.website}
        pictures = [site.address(picture_path(page.picture.name))] if page.picture else []
        told = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": page.title,
            "description": page.description,
            "inLanguage": page.language,
            "url": site.address(page.path),
            "mainEntityOfPage": site.address(page.path),
            "image": [*pictures, share],
            "datePublished": site.published_at(page).isoformat(),
            "dateModified": site.changed_at(page).isoformat(),
            "author": publisher,
            "publisher": publisher,
        }
        return script_safe(told)

    def _style_sheet(self) -> bytes:
        brand = self._site.settings.brand
        names = tuple(Palette.model_fields)
        values = {"names": names, "light": brand.light.model_dump(), "dark": brand.dark.model_dump()}
        fonts = {"heading_font": brand.heading_font, "body_font": brand.body_font}
        # A font stack cannot end the declaration that it is in.
        plain = {key: "".join(sign for sign in stack if sign not in "<>{};\\") for key, stack in fonts.items()}
        return self._templates.get_template("site.css.j2").render({**values, **plain}).encode()

    def _asset(self, name: str, ending: str, content: bytes) -> SiteFile:
        digest = blake2b(content, digest_size=6).hexdigest()
        return SiteFile(picture_path(f"{name}-{digest}.{ending}"), content)


def script_safe(told: object) -> Markup:
    """Return JSON that cannot end the script in which it is."""
    text = json.dumps(told, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _up(path: str) -> str:
    """Return what leads from a page to the root of the archive: `../../`."""
    return "../" * path.count("/")


def _link(path: str, up: str) -> str:
    return f"{up}{quote(path.removesuffix('index.html'))}" or "./"


def _locale(language: str) -> str:
    """Return a language as social networks write it, with the region where most of its readers live: `es_ES`."""
    from babel.core import get_global

    likely = get_global("likely_subtags").get(language.replace("-", "_"), "")
    region = next((part for part in reversed(language.split("-")[1:]) if len(part) == 2), likely.rpartition("_")[2])
    return f"{language.partition('-')[0]}_{region}" if region else language
