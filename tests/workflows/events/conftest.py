"""The IMAP server of these tests."""

from tests.mailbox.conftest import _imap_server, imap_server

__all__ = ["_imap_server", "imap_server"]
