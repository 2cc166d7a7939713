"""Sizes: HTML, styles, pictures."""

import re
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from newsletter.checks.reading.document import read_document
from newsletter.checks.rules.size import longest_value
from newsletter.model.finding import Finding, Severity
from newsletter.model.slot_sources import Column
from newsletter.model.slots import Escape, Slot
from tests.checks.conftest import ISSUE, Workspace, findings_of, summary, with_html


def of_sizes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Rule and place of the findings about sizes."""
    return summary(tuple(finding for finding in findings if finding.rule in {"S3", "S4", "S12"}))


def found_in(workspace: Workspace) -> list[tuple[str, str]]:
    """What the sizes of a workspace's issue are found to be."""
    return of_sizes(findings_of(workspace.subject()))


def padded(workspace: Workspace, size: int, filling: str = "x") -> tuple[Finding, ...]:
    """What is found when a comment brings the HTML, with its longest values, to a size in bytes."""
    subject = workspace.subject()
    variant = subject.rendered.fullest
    longest = tuple(longest_value(slot, subject.settings) for slot in variant.slots)
    missing = size - len(variant.html.fill(longest).encode()) - len("<!---->")
    comment = f"<!--{filling * (missing // len(filling.encode()))}-->"
    return findings_of(with_html(subject, lambda part: part.replace("</body>", f"{comment}</body>")))


def noise(path: Path, width: int, height: int) -> None:
    """A picture that does not compress, and is transparent, so that it cannot become a JPEG."""
    pixels = Random(height).randbytes(width * height * 4)
    Image.frombytes("RGBA", (width, height), pixels).save(path)


@pytest.mark.parametrize(("size", "found"), [(90_000, []), (90_001, [("S3", "issue.yaml:5")])])
def test_html_close_to_the_limit_is_told(workspace: Workspace, size: int, found: list[tuple[str, str]]) -> None:
    assert of_sizes(padded(workspace, size)) == found


@pytest.mark.parametrize(("size", "severity"), [(102_000, Severity.WARNING), (102_001, Severity.ERROR)])
def test_html_over_the_limit_blocks_and_its_size_differs_visibly_from_the_limit(
    workspace: Workspace, size: int, severity: Severity
) -> None:
    (finding,) = [finding for finding in padded(workspace, size) if finding.rule == "S3"]

    assert finding.severity is severity
    assert f"{size:,} bytes" in finding.what
    assert "102,000 bytes" in finding.what


def test_html_is_measured_in_bytes_not_in_letters(workspace: Workspace) -> None:
    assert of_sizes(padded(workspace, 92_000, "ü")) == [("S3", "issue.yaml:5")]


def test_long_values_count_as_they_are_written_where_they_stand(workspace: Workspace) -> None:
    field = Column("first_name", "friend")
    slots = [Slot(field, Escape.HTML), Slot(field, Escape.URL)]

    in_text, in_address = (longest_value(slot, workspace.subject().settings) for slot in slots)

    assert (len(in_text.encode()), len(in_address.encode())) == (128, 384)


def test_a_default_longer_than_any_name_counts_instead(workspace: Workspace) -> None:
    field = Column("first_name", "friend " * 40)

    assert longest_value(Slot(field, Escape.HTML), workspace.subject().settings) == field.default


@pytest.mark.parametrize(("length", "found"), [(16_384, []), (16_385, [("S4", "issue.yaml")])])
def test_styles_above_sixteen_kilobytes_together_block(
    workspace: Workspace, length: int, found: list[tuple[str, str]]
) -> None:
    subject = workspace.subject()
    there = sum(len(style) for style in read_document(subject.rendered.fullest).styles)
    style = f"<style>{'a' * (length - there)}</style>"

    edited = with_html(subject, lambda part: part.replace("</head>", f"{style}</head>"))

    assert of_sizes(findings_of(edited)) == found


def test_a_heavy_picture_is_told_at_the_line_that_names_it(workspace: Workspace) -> None:
    noise(workspace.root / ISSUE / "images" / "cup.png", 1072, 100)

    assert found_in(workspace) == [("S12", "letter.md:12")]


def test_a_picture_just_light_enough_is_not_told(workspace: Workspace) -> None:
    noise(workspace.root / ISSUE / "images" / "cup.png", 1072, 80)

    assert found_in(workspace) == []


def test_many_light_pictures_are_told_together(workspace: Workspace) -> None:
    for height in range(40, 46):
        noise(workspace.root / ISSUE / "images" / f"cup{height}.png", 1072, height)
        workspace.edit("letter", "## What we read", f"![Cup {height}](images/cup{height}.png)\n\n## What we read")

    assert found_in(workspace) == [("S12", "issue.yaml")]


@pytest.mark.parametrize(("width", "found"), [(804, []), (803, [("S12", "letter.md:12")])])
def test_a_picture_with_too_few_pixels_is_told_at_its_line(
    workspace: Workspace, width: int, found: list[tuple[str, str]]
) -> None:
    Image.new("RGB", (width, 500), "#9C3353").save(workspace.root / ISSUE / "images" / "cup.png")

    assert found_in(workspace) == found


def test_what_is_said_of_a_small_picture_names_the_width_that_is_needed(workspace: Workspace) -> None:
    images = workspace.root / ISSUE / "images"
    Image.new("RGB", (300, 300), "#9C3353").save(images / "cup.png")
    Image.new("RGB", (60, 60), "#9C3353").save(images / "ana.png")

    said = {
        str(finding.place).rpartition("/")[2]: finding.remedy
        for finding in findings_of(workspace.subject())
        if finding.rule == "S12"
    }

    assert said == {
        "letter.md:5": "use an image that is at least 144 pixels wide",
        "letter.md:12": 'use an image that is at least 1072 pixels wide, or show it smaller: ![…](… "150 px")',
    }


def test_a_small_picture_that_is_shown_small_is_sharp(workspace: Workspace) -> None:
    Image.new("RGB", (300, 300), "#9C3353").save(workspace.root / ISSUE / "images" / "cup.png")
    workspace.edit("letter", "(images/cup.png)", '(images/cup.png "150 px")')

    assert found_in(workspace) == []


@pytest.mark.parametrize(
    ("width", "said"),
    [
        ("", "has no width in pixels"),
        (' width="100%"', "has no width in pixels"),
        (' width="400"', "loads slowly for no benefit"),
        (' width="800"', "looks blurred"),
    ],
)
def test_a_theme_that_shows_a_picture_at_another_width_is_told(workspace: Workspace, width: str, said: str) -> None:
    shown = re.compile(r'(<img [^>]*cup-[^>]*) width="536"')

    findings = findings_of(with_html(workspace.subject(), lambda part: shown.sub(rf"\1{width}", part)))

    assert [said in finding.what for finding in findings if finding.rule == "S12"] == [True]


def test_images_with_the_same_name_in_other_folders_are_told_at_their_own_lines(workspace: Workspace) -> None:
    (workspace.root / "brand").mkdir()
    Image.new("RGB", (40, 20), "#9C3353").save(workspace.root / "brand" / "cup.png")
    Image.new("RGB", (60, 40), "#9C3353").save(workspace.root / ISSUE / "images" / "cup.jpg")
    workspace.edit("toml", "[segments]", '[brand]\nlogo = "brand/cup.png"\n\n[segments]')
    workspace.edit("meditation", "Sit down", "![A small cup](images/cup.jpg)\n\nSit down")
    logo = '<mj-image src="{{ logo.src }}" width="72px" alt="Harbour House" />'
    workspace.edit("mjml", "<mj-text><h1>", f"{logo}<mj-text><h1>")

    assert workspace.findings() == [("S12", "meditation.md:8"), ("S12", "newsletter.toml:14")]
