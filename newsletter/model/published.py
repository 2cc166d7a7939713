"""What the archive shows of an issue, in one language. It contains nothing about any reader."""

from datetime import date

from msgspec import Struct

from newsletter.model.site_addresses import issue_path, picture_path


class PagePicture(Struct, frozen=True):
    """The picture that stands for an issue in the list of all issues: its name, description and size in pixels."""

    name: str
    alt: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """Return the path of its file."""
        return picture_path(self.name)


class IssuePage(Struct, frozen=True, kw_only=True):
    """An issue in one language, as the archive shows it. Its merge fields have their defaults."""

    issue: str  # the name of its folder
    id: str  # stays the same if the folder is renamed
    language: str
    is_original: bool  # whether this is the issue's own language
    is_listed: bool  # whether it is in the list of issues, the feeds, the sitemap and the search
    day: date
    title: str
    description: str
    html: str  # the sections; the addresses of links and images are complete
    picture: PagePicture | None = None
    pictures: tuple[str, ...] = ()  # the names of all images that it shows

    @property
    def path(self) -> str:
        """Return the path of its page."""
        return issue_path(self.issue, "" if self.is_original else self.language)
