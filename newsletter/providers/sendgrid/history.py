"""SendGrid's Email Logs: whether a request of ours is known to have been taken.

The log is searched by address, and a row does not say which request it came from; the details of a message do, in the
custom arguments that every mail of ours carries. Rows reach back 30 days. Queries are those of
https://www.twilio.com/docs/sendgrid/api-reference/email-logs.
"""

from collections.abc import Mapping
from datetime import UTC, timedelta

from newsletter.errors import ProviderError
from newsletter.model.ledger import UnknownChunk
from newsletter.providers.base import quoted
from newsletter.providers.headers import wire_address
from newsletter.providers.sendgrid.args import request_args
from newsletter.providers.sendgrid.client import (
    Method,
    NoReply,
    Reply,
    RequestBody,
    SendGridAccount,
    json_body,
    list_of,
    refusal,
    text_of,
)

_MOST_ROWS = 1000  # of an answer, which has no further pages
_MOST_DETAILS = 20  # of one address: the latest that can be ours
_CLOCKS_DIFFER_BY = timedelta(hours=1)
_NO_LOG = (
    "give the key the permission Email Logs; where the account has no such feature, only events and people can tell"
)
_REMEDIES = {403: _NO_LOG, 404: _NO_LOG}


class SendGridLog:
    """Searches the log of an account."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account

    def find(self, broadcast: str, chunk: UnknownChunk) -> str | None:
        """Evidence from the messages to a few of the chunk's recipients; None where none is surely of this request."""
        args = request_args(broadcast, chunk.number, chunk.attempt).items()
        until = chunk.since.astimezone(UTC) + _CLOCKS_DIFFER_BY
        for address in filter(None, map(_searchable, chunk.sample)):
            query = f"to_email = '{address}' AND sg_message_id_created_at <= TIMESTAMP \"{until:%Y-%m-%dT%H:%M:%SZ}\""
            for message_id in self._message_ids(query):
                details = self._details(message_id)
                if args <= _custom_args(details).items():
                    status = text_of(details, "status") or "taken"
                    return f"SendGrid's log has message {quoted(message_id)} of it as {quoted(status)}"
        return None

    def _message_ids(self, query: str) -> list[str]:
        """The messages that a query finds, the latest first."""
        answer = self._ask("post", "logs", body=json_body({"query": query, "limit": _MOST_ROWS}))
        if answer.status != 200:
            raise self._unreadable(answer)
        rows = list_of(answer.json(), "messages")
        latest = sorted(rows, key=lambda row: text_of(row, "sg_message_id_created_at"), reverse=True)
        return [message_id for row in latest if (message_id := text_of(row, "sg_message_id"))][:_MOST_DETAILS]

    def _details(self, message_id: str) -> object:
        """All that the log has of one message; None where it has gone from the log."""
        answer = self._ask("get", "logs", message_id)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self._unreadable(answer)
        return answer.json()

    def _ask(self, method: Method, *path: str, body: RequestBody | None = None) -> Reply:
        answer = self._account.endpoint(*path).ask(method, body)
        if not isinstance(answer, Reply):
            raise self._unreadable(answer)
        return answer

    def _unreadable(self, answer: Reply | NoReply) -> ProviderError:
        return refusal(
            "did not show its log of messages",
            answer,
            remedies=_REMEDIES,
            again="try again",
            secrets=self._account.secrets,
        )


def _searchable(email: str) -> str:
    """The address as SendGrid knows it; empty where it is none, or no query can hold it."""
    try:
        address = wire_address(email)
    except ValueError:
        return ""
    return "" if "'" in address or "\\" in address or not address.isascii() else address


def _custom_args(details: object) -> Mapping[str, str]:
    """The custom arguments of a message; its events repeat them."""
    for holder in (details, *list_of(details, "events")):
        found = holder.get("custom_args") if isinstance(holder, dict) else None
        if isinstance(found, dict) and found:
            return {str(name): str(value) for name, value in found.items()}
    return {}
