"""Issues in any language that hold one event for each sentence, so that many sentences are checked at once."""

import re
from collections.abc import Sequence

from newsletter.model.finding import Finding
from tests.checks.conftest import ISSUE, Workspace, findings_of

TIMES = "starts: 2026-03-07 09:00\nends: 2026-03-07 12:00"  # a Saturday, in Dublin
BODY_LINE = 6


def found_in_events(
    workspace: Workspace, language: str, sentences: Sequence[str], *, times: str = TIMES
) -> dict[str, list[Finding]]:
    """Return the findings of the rules on dates for each sentence, which is the text of an event of its own."""
    workspace.edit("toml", 'timezone = "Europe/Dublin"', f'timezone = "Europe/Dublin"\nlanguage = "{language}"')
    folder = workspace.root / ISSUE / "events"
    (folder / "workshop.md").unlink()
    for number, sentence in enumerate(sentences):
        text = f"---\ntitle: Nr. {chr(65 + number // 26)}{chr(65 + number % 26)}\n{times}\n---\n{sentence}\n"
        (folder / f"e{number:03}.md").write_text(text, encoding="utf-8")
    found: dict[str, list[Finding]] = {sentence: [] for sentence in sentences}
    for finding in findings_of(workspace.subject()):
        place = re.search(r"events/e(\d+)\.md", finding.place.path)
        if place and finding.rule[0] == "E":
            found[sentences[int(place[1])]].append(finding)
    return found
