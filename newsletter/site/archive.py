"""Make all files of the archive: pages, feeds, pictures for sharing, and the files for hosts and search engines."""

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import quote, urlsplit

from lxml import etree
from lxml.builder import ElementMaker

from newsletter.model.published import IssuePage
from newsletter.model.site_addresses import REDIRECTS, ROBOTS, SITEMAP, index_path, issue_path
from newsletter.model.site_files import SiteFile
from newsletter.site.events import EventPage
from newsletter.site.feeds import feeds_of
from newsletter.site.pages import PagePrinter
from newsletter.site.site import Site

_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_MOST_IN_SITEMAP = 50_000  # sitemaps.org


def archive_files(site: Site, events: Collection[EventPage] = ()) -> Iterator[SiteFile]:
    """Yield the files of the archive, except the images of issues and the files for calendars."""
    printer = PagePrinter(site)
    yield from printer.assets
    for page in site.pages:
        yield SiteFile(*site.share(page))
        yield printer.issue(page)
    yield from map(printer.event, events)
    renamed = _renamed(site)
    yield from (printer.moved(path, page) for path, page in renamed.items())
    for language in site.languages:
        yield printer.index(language)
        yield from feeds_of(site, language)
    yield printer.not_found()
    yield _sitemap(site, events)
    yield SiteFile(ROBOTS, f"User-agent: *\nAllow: /\n\nSitemap: {site.address(SITEMAP)}\n".encode())
    if listed := {path: page for path, page in renamed.items() if page.is_listed}:
        # Static hosts that know this file answer with 301 instead of the page that leads on. Others show it to all.
        root = urlsplit(site.url).path
        lines = (
            f"{root}/{quote(path.removesuffix('index.html'))} {site.address(page.path)} 301\n"
            for path, page in listed.items()
        )
        yield SiteFile(REDIRECTS, "".join(lines).encode())


def _renamed(site: Site) -> Mapping[str, IssuePage]:
    """Return the page that each free former address leads to: those that were published, and the one with the id."""
    with_id = {issue_path(page.id, "" if page.is_original else page.language): page for page in site.pages}
    taken = {page.issue for page in site.pages}
    return {path: page for path, page in {**site.former, **with_id}.items() if path.partition("/")[0] not in taken}


def _sitemap(site: Site, events: Collection[EventPage]) -> SiteFile:
    make = ElementMaker(namespace=_SITEMAP, nsmap={None: _SITEMAP})
    listed = [page for page in site.pages if page.is_listed]
    entries = [make.url(make.loc(site.address(index_path(site.folder(language))))) for language in site.languages]
    entries += [
        make.url(make.loc(site.address(page.path)), make.lastmod(site.changed_at(page).isoformat())) for page in listed
    ]
    entries += [make.url(make.loc(site.address(page.path))) for page in events if page.is_listed]
    content = etree.tostring(make.urlset(*entries[:_MOST_IN_SITEMAP]), encoding="utf-8", xml_declaration=True)
    return SiteFile(SITEMAP, content)
