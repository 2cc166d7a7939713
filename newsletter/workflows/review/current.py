"""Tell whether the files of an issue still produce the content that reviewers were asked about."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from threading import Lock

from newsletter.config import CONFIG_FILE, Config, load_config
from newsletter.content.loader import ISSUE_FILE, ISSUES_FOLDER
from newsletter.errors import NewsletterError
from newsletter.model.review import Review
from newsletter.workflows.compose.compose import render_folder

_Fingerprint = tuple[tuple[str, int, int], ...]


class Currency(Enum):
    """Whether the content that reviewers see is still that of the files."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"  # the issue is not on this machine, so an approval counts for what the reviewer saw


class CurrentContent:
    """Compares reviews with the files. An issue is rendered again only after a file has changed.

    Anyone with a link may ask as often as they like, so only one issue is rendered at a time.
    """

    def __init__(self, config: Config) -> None:
        self._config = config  # as it was when an issue was last rendered
        self._lock = Lock()
        self._known: dict[str, tuple[_Fingerprint, str]] = {}  # issue → its files, and the hash of their content

    def compare(self, review: Review) -> Currency:
        """Return whether the issue's content is still that of a review."""
        folder = self._config.root / ISSUES_FOLDER / review.issue
        try:
            content_hash = self._known_hash(folder) if (folder / ISSUE_FILE).is_file() else None
        except OSError:  # this user may not read the files, so they are as good as elsewhere
            content_hash = None
        if content_hash is None:
            return Currency.UNKNOWN
        return Currency.SAME if content_hash == review.content_hash else Currency.CHANGED

    def _known_hash(self, folder: Path) -> str:
        with self._lock:
            fingerprint = tuple(sorted(self._files(folder)))
            known = self._known.get(folder.name)
            if known is None or known[0] != fingerprint:
                known = self._known[folder.name] = (fingerprint, self._hash_of(folder))
        return known[1]

    def _hash_of(self, folder: Path) -> str:
        """Return the hash of the content, or an empty string if the files cannot be rendered as they are now."""
        try:
            self._config = load_config(self._config.root)
            _, rendered = render_folder(self._config, folder)
        except NewsletterError:
            return ""
        return rendered.content_hash

    def _files(self, folder: Path) -> Iterator[tuple[str, int, int]]:
        """Yield each file that the content may depend on: those of the issue, the templates, the settings and logos."""
        root, brand = self._config.root, self._config.settings.brand
        logos = [root / logo for logo in (brand.logo, brand.logo_dark) if logo]
        own = [path for place in (folder, self._config.theme_folders[0]) for path in place.rglob("*")]
        for path in (*own, *logos, root / CONFIG_FILE):
            try:
                facts = path.stat()
            except OSError:  # deleted meanwhile
                continue
            yield str(path), facts.st_mtime_ns, facts.st_size
