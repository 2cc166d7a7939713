"""Beside the email: problems by severity, what each section takes, the links with their status, and the images."""

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from time import sleep

import pytest

from newsletter.checks.network.link_answers import LinkAnswer, keep_links
from newsletter.config import Config, load_config
from newsletter.web.studio.application import studio_app
from newsletter.web.studio.frame import shown_mail
from newsletter.web.studio.links import LinkTests
from newsletter.web.studio.panels import problems_of, section_sizes
from newsletter.web.studio.proofs import Proofs
from newsletter.web.studio.views import StudioView
from newsletter.web.studio.whom import Lookups
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.sample import mail_of
from tests.web.studio.conftest import Visitor

SMALL, NOW = "https://www.example.org/small", datetime.now(UTC)


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_sizes_of_sections_add_up_to_the_email_and_grow_with_their_own_text(config: Config, issue_folder: Path) -> None:
    def sizes() -> dict[str, int]:
        proof = Proofs(config, issue_folder).proof("2026-02")
        assert proof.composed is not None
        seen = Lookups().whom(config, proof.composed, StudioView())
        sections = section_sizes(proof.composed, shown_mail(proof, seen, now=NOW))
        whole = len(mail_of(config, seen.variant, seen.reader).html.encode())
        assert sum(section.size_bytes for section in sections) == whole
        assert [section.only for section in sections if section.name == "teaching"] == ["teachers"]
        return {section.name: section.size_bytes for section in sections}

    before = sizes()
    teaching = issue_folder / "teaching.md"
    teaching.write_text(teaching.read_text() + "\nÄ word or two more.\n")
    after = sizes()
    assert list(before) == ["letter", "teaching", "masthead, footer and styles"]
    assert after["teaching"] - before["teaching"] > len("Ä word or two more.")
    assert {name for name in before if before[name] != after[name]} == {"teaching"}


def test_problems_come_by_severity_and_mistakes_in_files_come_alone(config: Config, issue_folder: Path) -> None:
    letter, issue = issue_folder / "letter.md", issue_folder / "issue.yaml"
    letter.write_text(letter.read_text() + "\nTODO: a word.\n\n[here](https://www.example.org/x)\n")
    issue.write_text(issue.read_text() + "waive:\n  S6: it is the name of a band\n")
    proof = Proofs(config, issue_folder).proof("2026-02")
    kinds = problems_of(proof.composed, proof.mistakes)
    assert list(kinds) == [kind for kind in ("Error", "Warning", "Overridden") if kind in kinds]
    assert kinds["Overridden"][0].remedy == "because it is the name of a band"
    letter.write_text(letter.read_text().replace("greeting", "greting"))
    proof = Proofs(config, issue_folder).proof("2026-02")
    (mistake,) = problems_of(proof.composed, proof.mistakes)["Error"]
    assert mistake.place == "issues/2026-02/letter.md:2"


def test_images_are_listed_with_their_weight_and_place(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/").text
    images = text_of(page[page.index('<section id="images"') :])
    assert "Images 1 file 1 KB field.png 40 × 30 1 KB" in images
    assert 'data-place="issues/2026-02/letter.md:6">field.png' in page


@pytest.mark.parametrize(
    ("trouble", "told"), [("returns 404 (Not Found)", "Broken: returns 404 (Not Found)"), ("", "Works")]
)
def test_links_have_the_status_that_the_check_found(visitor: Visitor, workspace: Path, trouble: str, told: str) -> None:
    keep_links(workspace / "build/.answers", {SMALL: LinkAnswer(trouble=trouble, asked_at=datetime.now(UTC))})
    links = text_of(visitor.get("/2026-02/links").text)
    assert f"a page about it {told} issues/2026-02/letter.md:4" in links
    assert "Unsubscribe Not checked: is different for each reader" in links
    assert "1 broken" in links if trouble else "1 works" in links


def test_links_are_not_requested_if_the_network_is_turned_off(visitor: Visitor) -> None:
    links = text_of(visitor.get("/2026-02/links").text)
    assert "Checks that use the network are turned off in newsletter.toml." in links
    assert "being checked" not in links


def test_links_are_tested_in_the_background_and_once(workspace: Path, issue_folder: Path) -> None:
    settings = workspace / "newsletter.toml"
    settings.write_text(
        settings.read_text().replace('without = ["network"]', "")
        + '\n[authentication]\nnameservers = ["127.0.0.1:1"]\n'  # where nothing answers
    )
    config = load_config(workspace)
    composed = compose_issue(config, issue_folder)
    tests = LinkTests()
    tests.start(composed, [SMALL], now=NOW)
    state = tests.last("2026-02")
    for _ in range(600):
        if not state.is_running:
            break
        sleep(0.05)
    assert not state.is_running
    assert SMALL in state.tested.unjudged
    began_at = state.began_at
    tests.start(composed, [SMALL], now=NOW)
    assert state.began_at == began_at
    page = Visitor(studio_app(config, issue_folder)).get("/2026-02/").text
    assert '<noscript><h2><a href="links?">Links</a></h2></noscript>' in page


def test_an_issue_without_an_email_has_no_links(workspace: Path, issue_folder: Path) -> None:
    (issue_folder / "issue.yaml").write_text("subject: [\n")
    visitor = Visitor(studio_app(load_config(workspace), issue_folder))
    assert visitor.get("/2026-02/links").status_code == 404
    assert visitor.get("/nope/links").status_code == 404
