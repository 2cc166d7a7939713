"""SendGrid's message log, which contains the custom arguments of our emails. They identify the request.

The log is searched by address, because only the details of a message say which request it came from. The log goes back
30 days (https://www.twilio.com/docs/sendgrid/api-reference/email-logs).
"""

from collections.abc import Mapping
from datetime import UTC, timedelta

from newsletter.errors import ProviderError
from newsletter.model.ledger import UnknownChunk
from newsletter.providers.base import quoted
from newsletter.providers.sendgrid.client import ApiAnswer, SendGridAccount, list_of, text_of
from newsletter.providers.sendgrid.lists import searchable_address
from newsletter.providers.sendgrid.mail import request_args

_MOST_ROWS = 1000  # rows in an answer; there are no further pages
_MOST_DETAILS = 20  # messages to one address whose details are read, the latest first
_CLOCKS_DIFFER_BY = timedelta(hours=1)
_NO_LOG = (
    "if your account includes Email Logs, give the key that permission (without Email Logs, only events and recipients "
    "can show what was accepted)"
)


class SendGridLog:
    """Searches the message log of an account."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account

    def find(self, broadcast: str, chunk: UnknownChunk) -> str | None:
        """Return evidence from the messages to some of the chunk's recipients.

        Return None if none of the messages certainly comes from this request.
        """
        args = request_args(broadcast, chunk.number, chunk.attempt).items()
        until = chunk.since.astimezone(UTC) + _CLOCKS_DIFFER_BY
        for address in map(searchable_address, chunk.sample):
            if not address or "'" in address or "\\" in address:  # a query cannot contain such an address
                continue
            query = f"to_email = '{address}' AND sg_message_id_created_at <= TIMESTAMP \"{until:%Y-%m-%dT%H:%M:%SZ}\""
            for message_id in self._message_ids(query):
                details = self._details(message_id)
                if args <= _custom_args(details).items():
                    status = text_of(details, "status") or "accepted"
                    return f"SendGrid's log lists the message {quoted(message_id)} as {quoted(status)}"
        return None

    def _message_ids(self, query: str) -> list[str]:
        """Return the ids of the messages that a query finds, latest first."""
        answer = self._account.ask("post", "logs", content={"query": query, "limit": _MOST_ROWS})
        if answer.status != 200:
            raise self._unreadable(answer)
        rows = list_of(answer.json(), "messages")
        latest = sorted(rows, key=lambda row: text_of(row, "sg_message_id_created_at"), reverse=True)
        return [message_id for row in latest if (message_id := text_of(row, "sg_message_id"))][:_MOST_DETAILS]

    def _details(self, message_id: str) -> object:
        """Return the details of one message, or None if the log no longer has it."""
        answer = self._account.ask("get", "logs", message_id)
        if answer.status not in {200, 404}:
            raise self._unreadable(answer)
        return answer.content(200)

    def _unreadable(self, answer: ApiAnswer) -> ProviderError:
        remedies = {403: _NO_LOG, 404: _NO_LOG}
        return self._account.refusal("did not show its message log", answer, remedies=remedies, again="try again")


def _custom_args(details: object) -> Mapping[str, str]:
    """Return the custom arguments of a message, which its events repeat."""
    for holder in (details, *list_of(details, "events")):
        found = holder.get("custom_args") if isinstance(holder, dict) else None
        if isinstance(found, dict) and found:
            return {str(name): str(value) for name, value in found.items()}
    return {}
