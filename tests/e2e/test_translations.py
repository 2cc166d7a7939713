"""The commands for translations, as a director types them."""

from pathlib import Path

from tests.e2e.program import run
from tests.workflows.translations.returning import translate, translated_workspace


def test_an_issue_goes_to_a_translator_and_comes_back(tmp_path: Path) -> None:
    translated_workspace(tmp_path)
    told = run(tmp_path, "translations", "2026-02", "--language", "es").stdout
    assert "Spanish (es)" in told

    run(tmp_path, "translations", "export", "2026-02", "--language", "es", "--to", "out.xlf")
    run(tmp_path, "translations", "export", "2026-02", "--language", "es", "--to", "out.xlf", expect=2)
    (tmp_path / "back.xlf").write_bytes(translate((tmp_path / "out.xlf").read_bytes()))

    assert "Dry run" in run(tmp_path, "translations", "import", "back.xlf", "--dry-run").stderr
    assert "without a terminal" in run(tmp_path, "translations", "import", "back.xlf", expect=2).stderr
    assert not (tmp_path / "issues/2026-02/letter.es.md").exists()
    assert "created  issues/2026-02/letter.es.md" in run(tmp_path, "translations", "import", "back.xlf", "--yes").stdout

    letter = tmp_path / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("We meet", "We will meet"))
    told = run(tmp_path, "translations", "2026-02", "--language", "es").stdout
    assert "letter.md:5" in told
    assert "We will meet on February 25–27, 2026, at 8:00 am." in told
    stale = "the original has changed since this was translated into Spanish"
    assert stale in run(tmp_path, "check", "2026-02", expect=1).stdout  # the footer has no words in Spanish

    accepted = run(tmp_path, "translations", "accept", "2026-02", "--language", "es", "--yes").stdout
    assert "accepted  1 sentence\n" in accepted
    assert stale not in run(tmp_path, "check", "2026-02", expect=1).stdout


def test_a_newsletter_in_one_language_is_told_how_to_offer_others(tmp_path: Path) -> None:
    translated_workspace(tmp_path)
    config = tmp_path / "newsletter.toml"
    config.write_text(config.read_text().split("[languages]")[0])

    assert 'offered = ["es"]' in run(tmp_path, "translations", "2026-02", expect=2).stderr
