"""After any edit, a rebuild gives what a first build gives, although it repeats only a part of the work."""

import gc
import shutil
from functools import lru_cache
from pathlib import Path

import pytest
from PIL import Image

from newsletter.checks.base import read_context
from newsletter.checks.clients.report import report_clients
from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.render.memory import Memory
from newsletter.render.theme import Theme
from newsletter.workflows.compose.compose import Composed, compose_issue

ROOT = Path(__file__).parents[3]
FOLDER = "issues/2026-02"
Edit = tuple[str, str, str]  # a file, words in it, and what replaces them
SETTINGS = "newsletter.toml"
ISSUE, LETTER, COURSE = f"{FOLDER}/issue.yaml", f"{FOLDER}/letter.md", f"{FOLDER}/events/healthcare-communities.md"
FINDING = (LETTER, "Self-compassion has an answer", "TODO: shorten this. Self-compassion has an answer")
LOSS = (LETTER, "Self-compassion has an answer", "**Self-compassion has an answer")
UNFINISHED = (SETTINGS, "You receive this letter", "TODO: You receive this letter")
SHOUTED = (COURSE, "People who work", "## HACER TODO ESTO\n\nPeople who work")


class Bench:
    """A copy of the February issue, which is built again and again with one theme, as in the preview."""

    def __init__(self, root: Path, memory: Memory) -> None:
        for part in ("issues", "brand"):
            shutil.copytree(ROOT / part, root / part)
        shutil.copy(ROOT / SETTINGS, root)
        self.root, self.memory = root, memory
        self.theme = Theme(root, memory)

    def edit(self, *edits: Edit) -> None:
        """Replace words in files. Each must be there."""
        for name, old, new in edits:
            path = self.root / name
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            assert old in text
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def rebuilt(self) -> tuple[object, ...]:
        """Return all that a build in this process gives, or all mistakes."""
        return self._built(self.theme)

    def built_anew(self) -> tuple[object, ...]:
        """Return what a build gives that knows nothing of earlier ones."""
        kinds = type(lru_cache(len))
        for each in gc.get_objects():
            if isinstance(each, kinds) and each.__module__.startswith("newsletter."):
                each.cache_clear()
        return self._built(Theme(self.root, self.memory))

    def _built(self, theme: Theme) -> tuple[object, ...]:
        try:
            return _told(compose_issue(load_config(self.root), self.root / FOLDER, theme=theme))
        except MistakesError as err:
            return err.mistakes


def _told(composed: Composed) -> tuple[object, ...]:
    mails = [(each.subject, each.preheader, each.html, each.text) for each in composed.rendered.variants]
    headings = [(each.name, each.date, each.subject) for each in composed.subject.earlier]
    report = report_clients(read_context(composed.subject))
    clients = (report.readers.shares, report.losses)
    return (mails, clients, composed.findings, composed.subject.message, composed.subject.carried_over, headings)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """The images, which are resized once for all tests."""
    return Memory(tmp_path_factory.mktemp("memory"))


@pytest.fixture
def bench(tmp_path: Path, memory: Memory) -> Bench:
    return Bench(tmp_path / "workspace", memory)


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([(LETTER, "the month of hearts", "the month of kind hearts")], id="a word of a paragraph"),
        pytest.param(
            [(LETTER, "We like to think", "A new beginning.\n\nWe like to think"), FINDING], id="a line above"
        ),
        pytest.param([LOSS, (LETTER, "We like", "A line more.\n\nWe like")], id="a line above a mistake"),
        pytest.param([LOSS, (LETTER, "---\ngreeting", "---\n\ngreeting")], id="a line above the keys and a mistake"),
        pytest.param([(LETTER, "greeting: Dear", "greeting: Hello")], id="a key above the same text"),
        pytest.param(
            [(LETTER, "---\ngreeting", "---\n# a note to myself\ngreeting"), FINDING], id="a line above the keys"
        ),
        pytest.param([(LETTER, "closing: With", "closing: TODO With")], id="a placeholder in a key"),
        pytest.param([(COURSE, "09:00", "09:30")], id="the time of an event"),
        pytest.param([(COURSE, "Live online", "Live online, on Friday, 27 February")], id="a day beside an event"),
        pytest.param([(SETTINGS, "America/Los_Angeles", "Europe/Berlin")], id="the zone of every event"),
        pytest.param([(SETTINGS, 'language = "en"', 'language = "es"')], id="the language of the newsletter"),
        pytest.param(
            [SHOUTED, (SETTINGS, 'language = "en"', 'language = "es"')],
            id="a language in which TODO is a word",
        ),
        pytest.param([(SETTINGS, "[brand]", '[brand]\nlight = {accent = "#7A1FA2"}')], id="a color of Markdown"),
        pytest.param([(SETTINGS, "news@example.org", "letters@example.net")], id="the sender"),
        pytest.param([UNFINISHED, (SETTINGS, "# The", "# A line more.\n# The")], id="a line above a setting"),
        pytest.param([(SETTINGS, "[segments]", "[checks.words]\nhearts = 'heart'\n\n[segments]")], id="a house rule"),
        pytest.param(
            [(SETTINGS, "[segments]", '[checks.clients]\n"outlook.windows" = 100\n\n[segments]')], id="the apps"
        ),
        pytest.param(
            [(SETTINGS, "[segments]", '[archive]\nurl = "https://news.example.org"\n\n[segments]')], id="hosting"
        ),
        pytest.param([(ISSUE, "  - research\n", "  - section: research\n    only: teachers\n")], id="a segment"),
        pytest.param([(ISSUE, "  - letter\n  - research", "  - research\n  - letter")], id="the order"),
        pytest.param([(ISSUE, "topics:\n", "language: de\ntopics:\n")], id="the language of the issue"),
        pytest.param([(ISSUE, "2026-02-19", "2026-02-26")], id="the date of the issue"),
        pytest.param([(ISSUE, "title: Finding", "# a note\ntitle: DRAFT Finding")], id="a draft"),
    ],
)
def test_a_rebuild_is_what_a_first_build_would_be(bench: Bench, edits: list[Edit]) -> None:
    before = bench.rebuilt()
    for edit in edits:
        bench.edit(edit)
        bench.rebuilt()

    again = bench.rebuilt()

    assert again != before
    assert again == bench.built_anew()


def test_another_picture_of_the_same_name_is_taken(bench: Bench) -> None:
    before = bench.rebuilt()
    Image.new("RGB", (400, 400), "navy").save(bench.root / FOLDER / "images/elijah-zimmerman.png")

    again = bench.rebuilt()

    assert again != before
    assert again == bench.built_anew()


def test_an_issue_that_comes_before_counts_as_soon_as_it_is_there(bench: Bench) -> None:
    before = bench.rebuilt()
    shutil.copytree(bench.root / FOLDER, bench.root / "issues/2026-01")
    bench.edit(("issues/2026-01/issue.yaml", "2026-02-19", "2026-01-19"))

    again = bench.rebuilt()

    assert again != before
    assert again == bench.built_anew()
