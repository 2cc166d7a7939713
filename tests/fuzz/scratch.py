"""A workspace in which a fuzz target writes one file after another, and how its loading must end."""

import tempfile
from pathlib import Path

from newsletter.config import Config, load_config
from newsletter.content.loader import load_issue
from newsletter.errors import MistakesError, NewsletterError
from newsletter.model.issue import Issue
from tests.workspaces import CONFIG, write_workspace

_LONGEST_MESSAGE = 3_000
_MOST_MISTAKES = 700
ISSUE = "issues/2026-02"


class Scratch:
    """A temporary workspace. A test writes one of its files, loads the issue, and need not put it back."""

    def __init__(self, **files: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="newsletter-fuzz-")
        topics = {"newsletter.toml": f'{CONFIG}\n[topics]\nnews = "News"\n'}
        named = {f"{ISSUE}/{name.replace('__', '/')}": text for name, text in files.items()}
        self.root = write_workspace(Path(self._folder.name), {**topics, **named})
        self.config = load_config(self.root)

    def load(self, name: str, content: bytes) -> Issue | None:
        """Return the issue with this file, or None if it has mistakes, which must be told shortly."""
        (self.root / ISSUE / name).write_bytes(content)
        try:
            return load_issue(self.config, self.root / ISSUE)
        except NewsletterError as err:
            require_short(err, {f"{ISSUE}/{name}": content.count(b"\n") + content.count(b"\r") + 1})
            return None


def load_settings(folder: Path, content: bytes) -> Config | None:
    """Return the settings in this file, or None if it has mistakes, which must be told shortly."""
    (folder / "newsletter.toml").write_bytes(content)
    try:
        return load_config(folder)
    except NewsletterError as err:
        require_short(err, {"newsletter.toml": content.count(b"\n") + content.count(b"\r") + 1})
        return None


def require_short(error: NewsletterError, lines: dict[str, int]) -> None:
    """Require that each mistake is one short sentence about a line of its file, which has so many `lines`."""
    mistakes = error.mistakes if isinstance(error, MistakesError) else ()
    assert mistakes or len(str(error)) <= _LONGEST_MESSAGE
    assert len(mistakes) <= _MOST_MISTAKES
    for mistake in mistakes:
        assert len(mistake.what) <= _LONGEST_MESSAGE
        assert len(mistake.remedy) <= _LONGEST_MESSAGE
        assert "\n" not in mistake.what
        assert 1 <= (mistake.line or 1) <= lines.get(mistake.path, 1_000_000)
