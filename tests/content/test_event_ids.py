"""The id of each event, by which calendars and the archive know it."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.errors import MistakesError
from tests.workspaces import ISSUE, write_workspace

EVENT = "---\ntitle: A workshop\nstarts: 2026-02-25 08:00\n---\nWords.\n"
SECTIONS = ISSUE.replace("  - letter\n", "  - letter\n  - events\n  - community\n")


def uids(root: Path, files: dict[str, str]) -> list[str]:
    indexes = {f"issues/2026-02/{name}/index.md": "---\ntitle: Events\n---\n" for name in ("events", "community")}
    write_workspace(root, {"issues/2026-02/issue.yaml": SECTIONS, **indexes, **files})
    issue = load_issue(load_config(root), root / "issues/2026-02")
    return [item.uid for section in issue.sections for item in section.items]


def test_an_id_is_made_from_the_issue_the_file_and_the_domain_of_the_sender(tmp_path: Path) -> None:
    assert uids(tmp_path, {"issues/2026-02/events/workshop.md": EVENT}) == ["2026-02-workshop@example.org"]


def test_a_written_id_replaces_the_names_of_issue_and_file(tmp_path: Path) -> None:
    written = EVENT.replace("title:", "id: 2026-01-workshop\ntitle:")
    assert uids(tmp_path, {"issues/2026-02/events/moved.md": written}) == ["2026-01-workshop@example.org"]


@pytest.mark.parametrize("order", [("events", "community"), ("community", "events")])
def test_files_of_one_name_get_the_name_of_their_section_in_any_order(tmp_path: Path, order: tuple[str, str]) -> None:
    sections = ISSUE + "".join(f"  - {name}\n" for name in order)
    files = {f"issues/2026-02/{name}/workshop.md": EVENT for name in order}
    found = uids(tmp_path, {**files, "issues/2026-02/issue.yaml": sections})
    assert found == [f"2026-02-{name}-workshop@example.org" for name in order]


def test_one_id_for_two_events_is_a_mistake_at_its_line(tmp_path: Path) -> None:
    written = EVENT.replace("title:", "id: retreat\ntitle:")
    with pytest.raises(MistakesError) as caught:
        uids(tmp_path, {f"issues/2026-02/events/{name}.md": written for name in ("one", "two")})
    (told,) = caught.value.mistakes
    assert str(told) == (
        "issues/2026-02/events/two.md:2: the event in issues/2026-02/events/one.md has the id 'retreat' too;"
        " give one of the two another `id`"
    )
