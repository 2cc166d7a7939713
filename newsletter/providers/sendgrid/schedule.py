"""SendGrid's scheduled sends: it holds the mail of a batch until `send_at`, and gives a batch back.

A batch is cancelled by giving it a status, which may be done once; a status that it has already can only be changed
(https://www.twilio.com/docs/sendgrid/api-reference/cancel-scheduled-sends). So every step can be taken again.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from newsletter.errors import ProviderError
from newsletter.providers.sendgrid.client import NoReply, Reply, SendGridAccount, json_body, refusal, text_of

MOST_STATUSES = 10  # batches of an account that may be cancelled or paused at the same time
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]+")
_NOT_CANCELLED = "did not cancel the mail that it holds"
_KEY_MAY = "give the key the permission {}, and check that the account is not blocked"
_OPENING = {403: _KEY_MAY.format("Mail Send")}
_CANCELLING = {403: _KEY_MAY.format("Scheduled Sends")}
_CANCEL = "cancel"
_PAUSE = "pause"


class SendGridScheduler:
    """Opens batches, and cancels them."""

    longest = timedelta(hours=71)  # SendGrid takes 72; an hour is left for clocks that differ
    margin = timedelta(minutes=10)

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account

    def open_batch(self) -> str:
        """A new batch id; one that got lost on its way harms nobody."""
        answer = self._account.endpoint("mail", "batch").ask("post")
        if isinstance(answer, Reply) and answer.status == 201:
            batch_id = text_of(answer.json(), "batch_id")
            if _BATCH_ID.fullmatch(batch_id):
                return batch_id
        raise self._refusal("gave no batch id to hold mail under", answer, _OPENING, again="try again")

    def cancel_batch(self, batch_id: str) -> None:
        """Gives the batch the status `cancel`, whatever it has; returns once SendGrid says that it has it."""
        asked = json_body({"batch_id": batch_id, "status": _CANCEL})
        answer = self._account.endpoint("user", "scheduled_sends").ask("post", asked)
        if isinstance(answer, Reply) and answer.status == 201:
            return
        if not isinstance(answer, Reply) or answer.status != 400:
            raise self._not_cancelled(answer)
        status = self._status(batch_id)
        if status == _CANCEL:
            return
        if status != _PAUSE:
            raise self._refused_status(answer)
        changed = self._account.endpoint("user", "scheduled_sends", batch_id).ask(
            "patch", json_body({"status": _CANCEL})
        )
        if not isinstance(changed, Reply) or changed.status != 204:
            raise self._not_cancelled(changed)

    def _status(self, batch_id: str) -> str:
        """The status that a batch has; empty where it has none."""
        answer = self._account.endpoint("user", "scheduled_sends", batch_id).ask("get")
        if isinstance(answer, Reply) and answer.status == 404:
            return ""
        if not isinstance(answer, Reply) or answer.status != 200:
            raise self._not_cancelled(answer)
        content = answer.json()
        listed = content if isinstance(content, list) else [content]
        return next((text_of(one, "status") for one in listed if text_of(one, "batch_id") == batch_id), "")

    def _refused_status(self, answer: Reply) -> ProviderError:
        """Why a batch without a status was given none: the account has as many as it may, or there is no such batch."""
        remedy = "see what it says"
        listed = self._account.endpoint("user", "scheduled_sends").ask("get")
        content = listed.json() if isinstance(listed, Reply) and listed.status == 200 else None
        if isinstance(content, list) and len(content) >= MOST_STATUSES:
            remedy = (
                f"the account has {len(content)} batches cancelled or paused and may have {MOST_STATUSES}: undo one "
                "whose time is past (DELETE /v3/user/scheduled_sends/ and its id), or ask SendGrid's support to"
            )
        return self._not_cancelled(answer, remedies={400: remedy})

    def _not_cancelled(self, answer: Reply | NoReply, *, remedies: Mapping[int, str] = _CANCELLING) -> ProviderError:
        return self._refusal(_NOT_CANCELLED, answer, remedies, again="cancel again")

    def _refusal(self, what: str, answer: Reply | NoReply, remedies: Mapping[int, str], *, again: str) -> ProviderError:
        return refusal(what, answer, remedies=remedies, again=again, secrets=self._account.secrets)
