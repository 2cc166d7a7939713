"""The studio forgets what was found in texts that no longer exist, and keeps what never changes."""

from pathlib import Path

from newsletter.checks.reading.document import normalized
from newsletter.config import Config
from newsletter.content.markdown import parse_markdown
from newsletter.web.studio.templates import _templates
from newsletter.web.studio.thrift import Thrift
from newsletter.workflows.compose.compose import compose_issue


def test_after_fifty_saves_the_texts_are_forgotten_and_the_templates_kept(config: Config, issue_folder: Path) -> None:
    thrift, templates = Thrift(), _templates()
    thrift.note_save()
    assert compose_issue(config, issue_folder).findings is not None  # the checks have run
    caches = (parse_markdown, normalized)
    assert all(cache.cache_info().currsize for cache in caches)
    for _ in range(49):
        thrift.note_save()
    assert all(cache.cache_info().currsize for cache in caches)
    thrift.note_save()
    assert not any(cache.cache_info().currsize for cache in caches)
    assert _templates() is templates
