"""What the whole archive knows: its issues in every language, in their order, and what they have in common."""

from collections.abc import Callable, Mapping
from datetime import datetime, time
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from zoneinfo import ZoneInfo

from newsletter.language.dates import format_month
from newsletter.model.published import IssuePage
from newsletter.model.site_addresses import address_of, picture_path
from newsletter.settings.workspace import Settings
from newsletter.site.share_pictures import share_picture

# Returns the cached result for a kind and its ingredients, or calls the function and caches its result.
Recall = Callable[[str, bytes, Callable[[], bytes]], bytes]
_MOST_IN_FEED = 30


class Site:
    """The archive of one newsletter."""

    def __init__(
        self,
        settings: Settings,
        url: str,
        pages: tuple[IssuePage, ...],
        *,
        changed: Mapping[str, datetime],
        former: Mapping[str, IssuePage] = MappingProxyType({}),
        logos: Mapping[str, tuple[str, int, int]],
        is_searched: bool,
        recall: Recall,
    ) -> None:
        """Take the pages of all issues in every language, and when each was last changed, by its path.

        `former` are the pages of issues that were renamed, by the paths that they had before.
        `logos` has the path, width and height of each logo, by its key in `[brand]`.
        """
        self.settings, self.url, self.changed, self.logos = settings, url, changed, logos
        self.is_searched = is_searched
        self.former = former
        self.pages = tuple(sorted(pages, key=lambda page: (page.day, page.issue), reverse=True))
        self.recall = recall
        self._shares: dict[str, tuple[str, bytes]] = {}

    @property
    def language(self) -> str:
        """The newsletter's own language."""
        return self.settings.newsletter.language

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the listed pages, the newsletter's own first."""
        found = {page.language for page in self.pages if page.is_listed}
        return (self.language, *sorted(found - {self.language}))

    @cached_property
    def _by_issue(self) -> Mapping[str, tuple[IssuePage, ...]]:
        found: dict[str, list[IssuePage]] = {}
        for page in self.pages:
            found.setdefault(page.issue, []).append(page)
        return {
            issue: tuple(sorted(pages, key=lambda page: (not page.is_original, page.language)))
            for issue, pages in found.items()
        }

    def versions(self, page: IssuePage) -> tuple[IssuePage, ...]:
        """Return the page of an issue in every language, the original first."""
        return self._by_issue[page.issue]

    def listed(self, language: str) -> tuple[IssuePage, ...]:
        """Return the pages of the list in a language, the newest first.

        The list in the newsletter's own language has every issue. One that is not in that language is in its original.
        """
        return self._listed[language]

    @cached_property
    def _listed(self) -> Mapping[str, tuple[IssuePage, ...]]:
        found: dict[str, list[IssuePage]] = {language: [] for language in self.languages}
        for pages in self._by_issue.values():
            if not pages[0].is_listed:
                continue
            for page in pages:
                found[page.language].append(page)
            if all(page.language != self.language for page in pages):
                found[self.language].append(pages[0])
        return {language: tuple(pages) for language, pages in found.items()}

    def in_feed(self, language: str) -> tuple[IssuePage, ...]:
        """Return the pages of a feed, the newest first."""
        return self.listed(language)[:_MOST_IN_FEED]

    def folder(self, language: str) -> str:
        """Return the folder of a language: none for the newsletter's own."""
        return "" if language == self.language else language

    def address(self, path: str) -> str:
        """Return the whole address of a path."""
        return address_of(self.url, path)

    def published_at(self, page: IssuePage) -> datetime:
        """Return the beginning of an issue's day."""
        return datetime.combine(page.day, time.min, ZoneInfo(self.settings.newsletter.timezone))

    def changed_at(self, page: IssuePage) -> datetime:
        """Return when the content of a page was last changed. If it never was, it is when the issue was published."""
        return max(self.changed.get(page.path, self.published_at(page)), self.published_at(page))

    def share(self, page: IssuePage) -> tuple[str, bytes]:
        """Return the picture with which social networks show a page: its path and its content."""
        if page.path not in self._shares:
            identity, brand = self.settings.newsletter, self.settings.brand
            overline = f"{identity.name} · {format_month(page.day, page.language)}"
            content = share_picture(page.title, overline, page.language, brand.light, self.recall)
            name = f"share-{blake2b(content, digest_size=6).hexdigest()}.png"
            self._shares[page.path] = picture_path(name), content
        return self._shares[page.path]
