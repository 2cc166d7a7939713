"""Make the pages of the archive: an issue, an event, the list of all issues, a former address, and a wrong one."""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import blake2b
from itertools import groupby
from urllib.parse import quote

import msgspec
from markupsafe import Markup
from msgspec import Struct

from newsletter.language.catalogue import spoken, words_of
from newsletter.language.dates import format_month
from newsletter.language.direction import direction_of_language
from newsletter.language.offered import language_names
from newsletter.language.words import colon_after, locale_of
from newsletter.model.published import IssuePage, PagePicture
from newsletter.model.site_addresses import (
    ATOM,
    JSON_FEED,
    NOT_FOUND,
    RSS,
    feed_path,
    index_path,
    picture_path,
)
from newsletter.model.site_files import SiteFile
from newsletter.site.events import EventPage
from newsletter.site.page_templates import page_templates, script, style_sheet, template_sources
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
        self._style = style_sheet(site.settings.brand)
        self._scripts = {name: script(name) for name in ("site", "local_times")}
        self._common = cache(self._common_values)
        self._made_from = cache(self._common_ingredients)
        self._by_age = cache(self._listed_by_age)
        self._named = dict(language_names({*site.languages, *(page.language for page in site.pages)}))

    @property
    def assets(self) -> tuple[SiteFile, ...]:
        """The style sheet and the scripts."""
        return (self._style, *self._scripts.values())

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

    def event(self, page: EventPage) -> SiteFile:
        """Return the page of an event."""
        language, up = page.language, _up(page.path)
        known = spoken([language])
        return self._file(
            page.path,
            "event.html.j2",
            language,
            page=page,
            said=page.said,
            event_words={**words_of(known, "theme"), **words_of(known, "event")},
            versions=[self._version(each, page.path_in(each), up) for each in page.languages],
            html=Markup(page.html),  # noqa: S704 - made from Markdown with raw HTML off
            structured_data=Markup(page.structured_data),  # noqa: S704 - cannot end the script that it is in
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

    def moved(self, path: str, page: IssuePage) -> SiteFile:
        """Return the page at the former address of an issue that was renamed."""
        address = self._site.address(page.path)
        return self._file(path, "moved.html.j2", page.language, page=page, address=address, is_found=False)

    def not_found(self) -> SiteFile:
        """Return the page for addresses that do not exist. It is shown at any address, so its own are complete."""
        up = f"{self._site.url}/"
        return self._file(NOT_FOUND, "not_found.html.j2", self._site.language, up=up, is_found=False)

    def _file(self, path: str, template: str, language: str, *, up: str | None = None, **values: object) -> SiteFile:
        up = _up(path) if up is None else up
        home = _link(index_path(self._site.folder(language)), up)
        own = {"up": up, "home": home, "address_here": self._site.address(path), **values}

        def make() -> bytes:
            text = page_templates().get_template(template).render({**self._common(language), **own})
            # Lines without words come from the control structures of the templates.
            return "".join(f"{line.rstrip()}\n" for line in text.split("\n") if line.strip()).encode()

        ingredients = msgspec.msgpack.encode((template, own), enc_hook=str)
        return SiteFile(path, self._site.recall("page", self._made_from(language) + ingredients, make))

    def _common_ingredients(self, language: str) -> bytes:
        """Return a digest of what all pages in a language are made from."""
        values = {key: value for key, value in self._common(language).items() if not callable(value)}
        return blake2b(repr((values, template_sources())).encode(), digest_size=16).digest()

    def _common_values(self, language: str) -> Mapping[str, object]:
        """Return what all pages in a language show."""
        site, settings = self._site, self._site.settings
        identity, folder = settings.newsletter, self._site.folder(language)
        local = words_of(spoken([language]), "theme")["local"]
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
            "script": self._scripts["site"].path,
            "local_times": self._scripts["local_times"].path,
            "local_label": f"{local}{colon_after(local, language)}",
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
        if page.language not in self._site.languages:
            return ()
        listed, keys = self._by_age(page.language)
        place = bisect_left(keys, (page.day, page.issue))
        newer = place + (keys[place : place + 1] == [(page.day, page.issue)])
        return [*listed[newer : newer + 1], *reversed(listed[max(place - 2, 0) : place])]

    def _listed_by_age(self, language: str) -> tuple[Sequence[IssuePage], Sequence[tuple[date, str]]]:
        """Return the pages of a list, the oldest first, and what they are sorted by."""
        listed = self._site.listed(language)[::-1]
        return listed, [(each.day, each.issue) for each in listed]

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
