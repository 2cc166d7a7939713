"""Issues to render: the repository's own, and small ones that a test writes."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.model.issue import Issue
from newsletter.model.rendered import RenderedIssue
from newsletter.render.memory import Memory
from newsletter.render.pipeline import render_issue
from newsletter.render.theme import Theme
from tests.render.values import TOKEN, slot_values
from tests.workspaces import write_workspace

REPOSITORY = Path(__file__).parents[2]
_MEMORY = Memory()  # of what the workspaces of these tests have in common
UNSUBSCRIBE = f"https://news.example.org/u/1-{TOKEN}"


@dataclass(frozen=True, slots=True)
class Mail:
    """An issue, all that was rendered from it, and its fullest variant as one reader receives it."""

    issue: Issue
    rendered: RenderedIssue
    values: dict[str, str]

    @property
    def html(self) -> str:
        variant = self.rendered.fullest
        return variant.html.fill(slot_values(variant.slots, self.values))

    @property
    def text(self) -> str:
        variant = self.rendered.fullest
        return variant.text.fill(slot_values(variant.slots, self.values))

    @property
    def subject(self) -> str:
        variant = self.rendered.fullest
        return variant.subject.fill(slot_values(variant.slots, self.values))


def render_workspace(root: Path, name: str = "2026-02", **values: str) -> Mail:
    """Loads and renders an issue of a workspace; `values` are the reader's."""
    config = load_config(root)
    theme = Theme(root, _MEMORY)
    issue = load_issue(config, root / "issues" / name, theme.section_types)
    return Mail(issue, render_issue(issue, config, theme), values)


Render = Callable[..., Mail]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Renders the smallest workspace with these files laid over it: `render({"issues/2026-02/letter.md": "Hello"})`."""

    def render_files(files: dict[str, str | bytes] | None = None, **values: str) -> Mail:
        return render_workspace(write_workspace(tmp_path / "workspace", files), **values)

    return render_files


@pytest.fixture(scope="session")
def february() -> Mail:
    """The issue that comes with the repository, for a reader named Ana."""
    return render_workspace(REPOSITORY, first_name="Ana")


def picture_bytes(width: int, height: int, kind: str = "PNG") -> bytes:
    """A picture of one color."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), "#D8A8A0").save(buffer, kind)
    return buffer.getvalue()
