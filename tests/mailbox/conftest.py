"""The IMAP server of these tests, started once."""

from collections.abc import Iterator

import pytest

from tests.mailbox.imap_server import ImapServer, running_imap_server
from tests.providers.conftest import authority, server_tls, trusted  # noqa: F401


@pytest.fixture(scope="session")
def _imap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    with running_imap_server(tmp_path_factory.mktemp("imap")) as server:
        yield server


@pytest.fixture
def imap_server(_imap_server: ImapServer) -> ImapServer:
    """The server with an empty mailbox."""
    _imap_server.empty()
    return _imap_server
