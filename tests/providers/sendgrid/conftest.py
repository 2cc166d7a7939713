"""SendGrid at a standing clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.providers.base import Provider
from tests.fakes.sendgrid_api import SendGridApi
from tests.providers.sendgrid.parts import sendgrid, standing_api


@pytest.fixture
def api() -> Iterator[SendGridApi]:
    """The API on loopback, at a standing clock."""
    with standing_api() as running:
        yield running


@pytest.fixture
def provider(api: SendGridApi, tmp_path: Path) -> Provider:
    """SendGrid, reached at the API on loopback."""
    return sendgrid(tmp_path, api.url)
