"""What a new issue keeps of the translations in the issue that it is copied from."""

from datetime import date
from pathlib import Path

from newsletter.config import load_config
from newsletter.workflows.compose.new import new_issue
from tests.content.test_translations import EVENT_ES, SPANISH, events, workspace


def test_new_issue_keeps_translations_of_events_but_not_of_the_letter(tmp_path: Path) -> None:
    files = events(**{"events/index_es": "---\ntitle: Cursos\n---\n", "events/one_es": EVENT_ES})
    config = load_config(workspace(tmp_path, {**SPANISH, **files}))

    copy = new_issue(config, "2026-03", source="2026-02", issue_date=None, today=date(2026, 2, 20))

    assert sorted(path.name for path in copy.rglob("*.md")) == [
        "index.es.md",
        "index.md",
        "letter.md",
        "one.es.md",
        "one.md",
    ]
    assert ".es" not in (copy / "issue.yaml").read_text(encoding="utf-8")
