"""Proofs are made when a file has changed, and the last good one is kept."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from newsletter.config import Config, builtin_theme
from newsletter.errors import InputError
from newsletter.web.studio.proofs import IssueProof, Proofs
from newsletter.workflows.compose import compose
from tests.workspaces import ISSUE


@pytest.fixture
def proofs(config: Config, issue_folder: Path) -> Proofs:
    return Proofs(config, issue_folder)


def html_of(proof: IssueProof) -> str:
    assert proof.composed is not None
    return "".join(proof.composed.rendered.fullest.html.parts)


def test_a_proof_is_made_once_for_a_state_of_the_files(proofs: Proofs) -> None:
    assert proofs.proof("2026-02") is proofs.proof("2026-02")


def test_an_edit_makes_a_new_proof_of_another_revision(proofs: Proofs, issue_folder: Path) -> None:
    before = proofs.proof("2026-02")
    letter = issue_folder / "letter.md"
    letter.write_text(letter.read_text().replace("small letter", "quiet letter"))
    proofs.note_changes([letter])
    after = proofs.proof("2026-02")
    assert "quiet letter" in html_of(after)
    assert after.revision != before.revision


def test_an_email_is_there_before_the_checks_and_survives_one_that_fails(
    proofs: Proofs, issue_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a check that is new")

    monkeypatch.setattr(compose, "check_issue", fail)
    proof = proofs.proof("2026-02")
    assert "small letter" in html_of(proof)
    assert proof.email_revision
    assert not proof.mistakes
    judged = proof.judged
    assert "small letter" in html_of(judged)
    assert [mistake.place for mistake in judged.mistakes] == ["issues/2026-02"]
    assert "a check that is new" in judged.mistakes[0].what
    assert judged.revision != Proofs(proofs.config, issue_folder).proof("2026-02").email_revision


def test_a_save_without_an_edit_keeps_the_revision(proofs: Proofs, issue_folder: Path) -> None:
    before = proofs.proof("2026-02").revision
    proofs.note_changes([issue_folder / "letter.md"])
    assert proofs.proof("2026-02").revision == before


def test_mistakes_leave_the_last_good_mail_standing(proofs: Proofs, issue_folder: Path) -> None:
    good = proofs.proof("2026-02")
    letter = issue_folder / "letter.md"
    text = letter.read_text()
    letter.write_text(text.replace("greeting:", "greting:"))
    proofs.note_changes([letter])
    broken = proofs.proof("2026-02")
    assert [mistake.place for mistake in broken.mistakes] == ["issues/2026-02/letter.md:2"]
    assert html_of(broken) == html_of(good)
    letter.write_text(text)
    proofs.note_changes([letter])
    assert proofs.proof("2026-02").revision == good.revision


SECOND = "---\ntype: text\ntitle: Second\n---\nThe second section.\n"
ISSUE_OF_TWO = ISSUE.replace("  - letter\n", "  - letter\n  - second\n")


def edit(proofs: Proofs, folder: Path, **texts: str) -> IssueProof:
    """Writes files of the issue, and returns its proof after that."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        proofs.note_changes([path])
    return proofs.proof("2026-02")


@pytest.mark.parametrize(
    "broken",
    [
        "\n---\ntitle: Second\n---\n",
        "---\ntype: text\ntitle: One: two\n---\n",
        "---\ntype: unheard-of\n---\n",
        "![A hill](images/none.png)\n",
        "{{ 1 + 1 }}\n",
        "Words \x00\n",
    ],
)
def test_one_broken_file_leaves_the_other_sections_up_to_date(proofs: Proofs, issue_folder: Path, broken: str) -> None:
    edit(proofs, issue_folder, second_md=SECOND, issue_yaml=ISSUE_OF_TWO)
    after = edit(proofs, issue_folder, second_md=broken, letter_md="A quiet letter.\n")

    assert {mistake.path for mistake in after.mistakes} == {"issues/2026-02/second.md"}
    assert "A quiet letter." in html_of(after)
    assert "The second section." in html_of(after)


def test_a_section_that_was_never_right_is_left_out(config: Config, issue_folder: Path) -> None:
    for name, text in {"second.md": "---\ntitle: x\n", "issue.yaml": ISSUE_OF_TWO}.items():
        (issue_folder / name).write_text(text)

    proof = Proofs(config, issue_folder).proof("2026-02")

    assert [mistake.place for mistake in proof.mistakes] == ["issues/2026-02/second.md:1"]
    assert "This is a small letter" in html_of(proof)


def test_a_damaged_image_leaves_the_other_sections_standing(config: Config, issue_folder: Path) -> None:
    image = BytesIO()
    Image.new("RGB", (400, 300), "#9C3353").save(image, "JPEG")
    second = SECOND + "![A hill](images/hill.jpg)\n"
    (issue_folder / "images").mkdir(exist_ok=True)
    (issue_folder / "images/hill.jpg").write_bytes(image.getvalue()[:-900])
    for name, text in {"second.md": second, "issue.yaml": ISSUE_OF_TWO}.items():
        (issue_folder / name).write_text(text)

    proof = Proofs(config, issue_folder).proof("2026-02")

    assert [mistake.place for mistake in proof.mistakes] == ["issues/2026-02/second.md:6"]
    assert "This is a small letter" in html_of(proof)
    assert "The second section." not in html_of(proof)


def test_an_unreadable_issue_yaml_leaves_the_last_good_mail_standing(proofs: Proofs, issue_folder: Path) -> None:
    good = proofs.proof("2026-02")

    broken = edit(proofs, issue_folder, issue_yaml="subject: One: two\n")

    assert [mistake.place for mistake in broken.mistakes] == ["issues/2026-02/issue.yaml:1"]
    assert broken.composed is good.composed


def test_a_mistake_in_the_settings_is_shown_and_the_last_good_settings_stay(proofs: Proofs, workspace: Path) -> None:
    path = workspace / "newsletter.toml"
    text = path.read_text()
    path.write_text(text.replace("timezone", "timezon"))
    proofs.note_changes([path])
    broken = proofs.proof("2026-02")
    assert all(mistake.path == "newsletter.toml" for mistake in broken.mistakes)
    assert broken.mistakes
    assert broken.composed is not None
    path.write_text(text.replace("Small Letter", "Smaller Letter"))
    proofs.note_changes([path])
    mended = proofs.proof("2026-02")
    assert not mended.mistakes
    assert mended.config.settings.newsletter.name == "Smaller Letter"


def test_a_template_that_cannot_be_read_is_a_mistake_with_its_line(proofs: Proofs, workspace: Path) -> None:
    template = workspace / "templates/sections/letter.mjml.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{# a first line #}\n{% if %}")
    proofs.note_changes([template])
    mistakes = proofs.proof("2026-02").mistakes
    assert [mistake.place for mistake in mistakes] == ["templates/sections/letter.mjml.j2:2"]


def test_a_template_laid_over_a_built_in_one_is_noticed(proofs: Proofs, workspace: Path) -> None:
    assert "From the workspace" not in html_of(proofs.proof("2026-02"))
    name = "sections/letter.mjml.j2"
    template = workspace / "templates" / name
    template.parent.mkdir(parents=True)
    shutil.copy(builtin_theme() / name, template)
    template.write_text(
        template.read_text() + "<mj-section><mj-column><mj-text>From the workspace</mj-text></mj-column></mj-section>"
    )
    proofs.note_changes([template])
    assert "From the workspace" in html_of(proofs.proof("2026-02"))


def test_a_deleted_issue_that_was_open_stays_with_a_mistake(proofs: Proofs, issue_folder: Path) -> None:
    good = proofs.proof("2026-02")
    shutil.rmtree(issue_folder)
    proofs.note_changes([issue_folder])
    proof = proofs.proof("2026-02")
    assert proof.composed is good.composed
    assert "issue.yaml" in proof.mistakes[0].what


def test_what_nobody_foresaw_is_told_and_does_not_end_the_studio(proofs: Proofs, workspace: Path) -> None:
    template = workspace / "templates/sections/letter.mjml.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{{ 1 // 0 }}")
    proofs.note_changes([template])
    proof = proofs.proof("2026-02")
    assert proof.composed is None
    assert len(proof.mistakes) == 1


def test_a_slow_issue_holds_up_no_other_and_is_made_again_after_a_change(config: Config, issue_folder: Path) -> None:
    memory = config.root / "build/.memory"
    memory.unlink()  # the one that tests share
    memory.mkdir()
    earlier = Proofs(config, issue_folder)
    earlier.proof("2026-02")
    shared = set(memory.iterdir())
    earlier.proof("2026-01")
    piece = min(set(memory.iterdir()) - shared)  # of the older issue alone
    content = piece.read_bytes()
    piece.unlink()
    os.mkfifo(piece)  # a reader waits for what is written into it, and for its end
    proofs = Proofs(config, issue_folder)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(proofs.proof, "2026-01")
        end = None
        while end is None:
            assert not slow.done()
            with suppress(OSError):  # as long as no one reads
                end = os.open(piece, os.O_WRONLY | os.O_NONBLOCK)
        with os.fdopen(end, "wb") as pipe:
            assert "This is a small letter" in html_of(proofs.proof("2026-02"))
            letter = config.root / "issues/2026-01/letter.md"
            letter.write_text("Newer words.\n")
            proofs.note_changes([letter])
            assert not slow.done()
            pipe.write(content)
        slow.result()
    assert "Newer words." in html_of(proofs.proof("2026-01"))


def test_an_unknown_issue_is_refused(proofs: Proofs) -> None:
    for name in ("2027-01", "", ".", "..", "../issues/2026-02"):
        with pytest.raises(InputError):
            proofs.proof(name)


def test_an_issue_outside_the_issues_folder_can_be_opened(config: Config, issue_folder: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft"
    shutil.copytree(issue_folder, draft)
    proofs = Proofs(config, draft)
    assert proofs.first == "draft"
    assert proofs.proof("draft").composed is not None
    assert list(proofs.issues()) == ["2026-01", "2026-02", "draft"]
