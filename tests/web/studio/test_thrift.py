"""The studio forgets what was found in texts that no longer exist, and keeps what never changes."""

import gc
from pathlib import Path

from newsletter.checks.reading.document import normalized
from newsletter.config import Config, load_config
from newsletter.content.markdown import parse_markdown
from newsletter.model.rendered import RenderedVariant
from newsletter.web.studio.proofs import IssueProof, Proofs
from newsletter.web.studio.templates import _templates
from newsletter.web.studio.thrift import Thrift
from newsletter.workflows.compose.compose import compose_issue


def test_after_twenty_saves_the_texts_are_forgotten_and_the_templates_kept(config: Config, issue_folder: Path) -> None:
    thrift, templates = Thrift(Proofs(config, issue_folder)), _templates()
    thrift.note_save()
    assert compose_issue(config, issue_folder).findings is not None  # the checks have run
    caches = (parse_markdown, normalized)
    assert all(cache.cache_info().currsize for cache in caches)
    for _ in range(19):
        thrift.note_save()
    assert all(cache.cache_info().currsize for cache in caches)
    thrift.note_save()
    assert not any(cache.cache_info().currsize for cache in caches)
    assert _templates() is templates


def test_after_twenty_saves_only_the_emails_of_the_last_one_are_kept(config: Config, issue_folder: Path) -> None:
    settings, letter = config.root / "newsletter.toml", issue_folder / "letter.md"
    settings.write_text(f'{settings.read_text()}\n[languages]\noffered = ["es"]\nfallback = "section"\n')
    issue = issue_folder / "issue.yaml"
    issue.write_text(f"{issue.read_text()}subject.es: Una carta\npreheader.es: Unas palabras\ntitle.es: Una carta\n")
    (issue_folder / "letter.es.md").write_text(letter.read_text())
    proofs, text = Proofs(load_config(config.root), issue_folder), letter.read_text()
    thrift = Thrift(proofs)

    def save(number: int) -> IssueProof:
        letter.write_text(f"{text}\nEdit number {number}.\n")
        proofs.note_changes([letter])
        thrift.note_save()
        return proofs.proof("2026-02").judged

    others = count_of_emails()
    first = save(0)
    assert first.composed is not None, first.mistakes
    assert {each.language for each in first.composed.rendered.variants} == {"en", "es"}
    emails = len(first.composed.rendered.variants)
    del first
    for number in range(1, 21):
        save(number)
    assert count_of_emails() - others == emails


def count_of_emails() -> int:
    """Return the number of rendered emails in memory."""
    gc.collect()
    return sum(type(each) is RenderedVariant for each in gc.get_objects())
