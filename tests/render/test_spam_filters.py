"""What other people's spam filters, rspamd and SpamAssassin, say of the theme's emails, without network."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.checks.base import read_context
from newsletter.checks.spamassassin import rules_set_off
from newsletter.config import load_config
from newsletter.workflows.compose.compose import compose_issue, subject_of
from tests.render.conftest import REPOSITORY
from tests.rspamd import Rspamd, running_rspamd
from tests.workspaces import CONFIG, write_workspace

MOST_POINTS = 0.3
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="45"><path d="M0 0h90v45H0z"/></svg>'


@pytest.fixture(scope="module")
def rspamd() -> Iterator[Rspamd]:
    """One rspamd for all tests of this module."""
    with running_rspamd() as rspamd:
        yield rspamd


def message_of(root: Path, name: str = "2026-02") -> bytes:
    config = load_config(root)
    composed = compose_issue(config, root / "issues" / name)
    return read_context(subject_of(config, composed.issue, composed.rendered)).subject.message


def test_rspamd_has_nothing_against_february(rspamd: Rspamd) -> None:
    found = rspamd.symbols(message_of(REPOSITORY))
    assert sum(found.values()) <= MOST_POINTS, found


def test_each_link_of_a_mail_with_a_logo_has_a_twin_in_the_text(rspamd: Rspamd, tmp_path: Path) -> None:
    brand = '\n[brand]\nlogo = "logo.svg"\n'
    root = write_workspace(tmp_path, {"newsletter.toml": CONFIG + brand, "logo.svg": LOGO})
    assert "URI_COUNT_ODD" not in rspamd.symbols(message_of(root))


def test_a_link_without_a_twin_is_counted(rspamd: Rspamd) -> None:
    whole = message_of(REPOSITORY)
    lacking = whole.replace(b"\r\nhttps://www.centerformsc.org\r\n", b"\r\n", 1)
    assert lacking != whole
    assert rspamd.symbols(lacking)["URI_COUNT_ODD"] == 1


def test_spamassassin_gives_february_no_points() -> None:
    if shutil.which("spamassassin") is None:
        pytest.skip("no SpamAssassin on this machine; install it with `apt-get install spamassassin`")
    assert sum(rule.score for rule in rules_set_off(message_of(REPOSITORY))) <= 0
