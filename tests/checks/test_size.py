"""Sizes: HTML, styles, pictures."""

from pathlib import Path
from random import Random

import pytest
from PIL import Image

from newsletter.checks.document import read_document
from newsletter.checks.registry import check_issue
from newsletter.checks.values import longest_values
from newsletter.model.merge import Escape, MergeField, Slot
from tests.checks.conftest import ISSUE, Workspace, summary, with_html


def padded(workspace: Workspace, size: int, filling: str = "x") -> list[tuple[str, str]]:
    """What is found when a comment brings the HTML, with its longest values, to a size in bytes."""
    subject = workspace.subject()
    variant = subject.rendered.fullest
    longest = longest_values(variant.slots, subject.settings)
    missing = size - len(variant.html.fill(longest).encode()) - len("<!---->")
    comment = f"<!--{filling * (missing // len(filling.encode()))}-->"
    return summary(check_issue(with_html(subject, lambda part: part.replace("</body>", f"{comment}</body>"))))


def noise(path: Path, side: int) -> None:
    """A picture that does not compress."""
    pixels = Random(side).randbytes(side * side * 3)
    Image.frombytes("RGB", (side, side), pixels).save(path)


@pytest.mark.parametrize(("size", "found"), [(90_000, []), (90_001, [("S3", "issue.yaml:5")])])
def test_html_close_to_the_limit_is_told(workspace: Workspace, size: int, found: list[tuple[str, str]]) -> None:
    assert padded(workspace, size) == found


def test_html_over_the_limit_blocks(workspace: Workspace) -> None:
    subject = workspace.subject()
    large = with_html(subject, lambda part: part.replace("</body>", f"<!--{'x' * 102_000}--></body>"))

    (finding,) = check_issue(large)

    assert (finding.rule, finding.severity.value) == ("S3", "error")


def test_html_is_measured_in_bytes_not_in_letters(workspace: Workspace) -> None:
    assert padded(workspace, 92_000, "ü") == [("S3", "issue.yaml:5")]


def test_long_values_count_as_they_are_written_where_they_stand(workspace: Workspace) -> None:
    field = MergeField("first_name", "friend")
    slots = [Slot(field, Escape.HTML), Slot(field, Escape.URL)]

    in_text, in_address = longest_values(slots, workspace.subject().settings)

    assert (len(in_text.encode()), len(in_address.encode())) == (128, 384)


def test_a_default_longer_than_any_name_counts_instead(workspace: Workspace) -> None:
    field = MergeField("first_name", "friend " * 40)

    assert longest_values([Slot(field, Escape.HTML)], workspace.subject().settings) == (field.default,)


@pytest.mark.parametrize(("length", "found"), [(16_384, []), (16_385, [("S4", "issue.yaml")])])
def test_styles_above_sixteen_kilobytes_together_block(
    workspace: Workspace, length: int, found: list[tuple[str, str]]
) -> None:
    subject = workspace.subject()
    there = sum(len(style) for style in read_document(subject.rendered.fullest).styles)
    style = f"<style>{'a' * (length - there)}</style>"

    edited = with_html(subject, lambda part: part.replace("</head>", f"{style}</head>"))

    assert summary(check_issue(edited)) == found


def test_a_heavy_picture_is_told_at_the_line_that_names_it(workspace: Workspace) -> None:
    noise(workspace.root / ISSUE / "images" / "cup.png", 260)

    assert workspace.findings() == [("S12", "letter.md:12")]


def test_a_picture_just_light_enough_is_not_told(workspace: Workspace) -> None:
    noise(workspace.root / ISSUE / "images" / "cup.png", 256)

    assert workspace.findings() == []


def test_many_light_pictures_are_told_together(workspace: Workspace) -> None:
    for side in range(250, 256):
        noise(workspace.root / ISSUE / "images" / f"cup{side}.png", side)
        workspace.edit("letter", "## What we read", f"![Cup {side}](images/cup{side}.png)\n\n## What we read")

    assert workspace.findings() == [("S12", "issue.yaml")]
