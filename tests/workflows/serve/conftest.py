"""An IMAP server."""

from tests.mailbox.conftest import _imap_server, imap_server  # noqa: F401
