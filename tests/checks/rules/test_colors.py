"""The colors of the workspace on one another, as the theme puts them."""

import pytest

from newsletter.model.finding import Finding
from tests.checks.conftest import Workspace, findings_of

TITLE = "<mj-text><h1>"
NIGHT = (
    '<mj-raw><meta name="color-scheme" content="light dark"></mj-raw><mj-style>'
    "@media (prefers-color-scheme: dark) {{ td div, td a {{ color: {{{{ brand.dark.ink }}}} !important }}"
    " td, td a {{ background: {{{{ brand.dark.inside }}}} !important }} }}"
    " [data-ogsc] td div, [data-ogsc] td a {{ color: {{{{ brand.dark.ink }}}} !important }}"
    " [data-ogsb] td, [data-ogsb] td a {{ background: {{{{ brand.dark.inside }}}} !important }}</mj-style>"
).format()


def faint(workspace: Workspace) -> list[Finding]:
    return [finding for finding in findings_of(workspace.subject()) if finding.rule == "A12"]


def with_palette(workspace: Workspace, *lines: str) -> Workspace:
    return workspace.edit("toml", "[segments]", "\n".join([*lines, "", "[segments]"]))


def test_a_faint_color_is_told_with_its_nearest_shade_that_can_be_read(workspace: Workspace) -> None:
    with_palette(workspace, "[brand.light]", 'accent = "#D08A9A"')
    workspace.edit("mjml", TITLE, '<mj-text color="{{ brand.light.accent }}"><h1>')

    (finding,) = faint(workspace)

    assert str(finding.place) == "newsletter.toml:14"
    assert finding.what.startswith("the color accent #D08A9A has a contrast of only 2.70:1 on inside")
    assert finding.remedy.startswith('write accent = "#')

    shade = finding.remedy.split('"')[1]
    workspace.edit("toml", "#D08A9A", shade)
    assert faint(workspace) == []


def test_a_color_of_the_night_is_told_in_its_table(workspace: Workspace) -> None:
    with_palette(workspace, "[brand]", "logo_width = 80", "[brand.dark]", 'ink = "#555555"')
    workspace.edit("mjml", "<mj-style></mj-style>", NIGHT)

    (finding,) = faint(workspace)

    assert str(finding.place) == "newsletter.toml:16"
    assert "[brand.dark]" in finding.remedy


def test_a_default_that_is_faint_on_a_ground_of_the_workspace_is_told_at_the_table_around(workspace: Workspace) -> None:
    with_palette(workspace, "[brand.light]", 'wash = "#B8A8A0"')
    washed = '<mj-text color="{{ brand.light.quiet }}" container-background-color="{{ brand.light.wash }}"><h1>'
    workspace.edit("mjml", TITLE, washed)

    (finding,) = faint(workspace)

    assert str(finding.place) == "newsletter.toml:13"
    assert finding.what.startswith("the color quiet #5E5850")


def test_a_button_is_told_once_at_the_color_that_is_to_be_changed(workspace: Workspace) -> None:
    with_palette(workspace, "[brand.light]", 'accent = "#E8A0B0"')
    workspace.edit("mjml", TITLE, '<mj-text color="{{ brand.light.accent }}"><h1>')
    button = '<mj-button background-color="{{ brand.light.accent }}" color="{{ brand.light.on_accent }}" href'
    workspace.edit("mjml", "<mj-button href", button)

    (finding,) = faint(workspace)

    assert finding.what.startswith("the color accent")


@pytest.mark.parametrize("color", ["#C0C0C0", "{{ brand.light.hairline }}"])
def test_a_color_that_is_no_ink_of_the_palette_is_another_checks_matter(workspace: Workspace, color: str) -> None:
    workspace.edit("mjml", TITLE, f'<mj-text color="{color}"><h1>')

    assert faint(workspace) == []
