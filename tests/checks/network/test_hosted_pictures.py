"""Hosted images that cannot be asked for: neither passed nor failed, and said."""

from newsletter.checks.registry import check_issue
from tests.checks.network.surroundings import Surroundings


def hosted_at(around: Surroundings, url: str) -> None:
    settings = around.workspace.root / "newsletter.toml"
    settings.write_text(settings.read_text() + f'\n[archive]\nurl = "{url}"\n')


def test_images_are_skipped_with_the_reason_if_the_dns_does_not_answer(surroundings: Surroundings) -> None:
    hosted_at(surroundings, "https://pictures.example.org/letters")
    surroundings.names.failing.add("pictures.example.org")

    assert surroundings.faults("S22") == []
    (why,) = surroundings.not_run("S22")
    assert "the DNS gave no answer about pictures.example.org" in why


def test_host_that_does_not_exist_is_an_error_at_each_image(surroundings: Surroundings) -> None:
    hosted_at(surroundings, "https://gone.example.org/letters")

    found = surroundings.faults("S22")

    assert {str(each.place).rpartition("/")[2] for each in found} == {"letter.md:5", "letter.md:12", "meditation.md:4"}
    assert all("on a host that does not exist" in each.what for each in found)


def test_error_blocks_sending(surroundings: Surroundings) -> None:
    hosted_at(surroundings, "https://gone.example.org/letters")

    findings = check_issue(surroundings.workspace.subject(), surroundings.circumstances).findings

    assert [finding.blocks for finding in findings if finding.rule == "S22"] == [True, True, True]
