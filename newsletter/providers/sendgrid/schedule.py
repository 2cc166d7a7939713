"""SendGrid's scheduled sends: it holds the mail of a batch until `send_at`, and gives a batch back.

A batch is canceled by giving it a status, which may be done once; a status that it has already can only be changed
(https://www.twilio.com/docs/sendgrid/api-reference/cancel-scheduled-sends). So every step can be taken again.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from newsletter.errors import ProviderError
from newsletter.providers.sendgrid.client import ApiAnswer, SendGridAccount, text_of

MOST_STATUSES = 10  # batches of an account that may be canceled or paused at the same time
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]+")
_KEY_MAY = "give the key the permission {}, and check that the account is not blocked"
_OPENING = {403: _KEY_MAY.format("Mail Send")}
_CANCELLING = {403: _KEY_MAY.format("Scheduled Sends")}
_PLACE = ("user", "scheduled_sends")
_CANCEL, _PAUSE = "cancel", "pause"


class SendGridScheduler:
    """Opens batches, and cancels them."""

    longest = timedelta(hours=71)  # SendGrid takes 72; an hour is left for clocks that differ
    margin = timedelta(minutes=10)

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account

    def open_batch(self) -> str:
        """Return a new batch id. One that gets lost on its way harms nobody."""
        answer = self._account.ask("post", "mail", "batch")
        batch_id = text_of(answer.content(201), "batch_id")
        if not _BATCH_ID.fullmatch(batch_id):
            what = "gave no batch id to hold mail under"
            raise self._account.refusal(what, answer, remedies=_OPENING, again="try again")
        return batch_id

    def cancel_batch(self, batch_id: str) -> None:
        """Give the batch the status `cancel`, whatever it has. Return once SendGrid says that it has it."""
        answer = self._account.ask("post", *_PLACE, content={"batch_id": batch_id, "status": _CANCEL})
        if answer.status == 201:
            return
        if answer.status != 400:
            raise self._not_cancelled(answer)
        status = self._status(batch_id)
        if status == _CANCEL:
            return
        if status != _PAUSE:
            raise self._refused_status(answer)
        changed = self._account.ask("patch", *_PLACE, batch_id, content={"status": _CANCEL})
        if changed.status != 204:
            raise self._not_cancelled(changed)

    def _status(self, batch_id: str) -> str:
        """Return the status that a batch has. Empty where it has none."""
        answer = self._account.ask("get", *_PLACE, batch_id)
        if answer.status not in {200, 404}:
            raise self._not_cancelled(answer)
        content = answer.content(200)
        listed = content if isinstance(content, list) else [content]
        return next((text_of(one, "status") for one in listed if text_of(one, "batch_id") == batch_id), "")

    def _refused_status(self, answer: ApiAnswer) -> ProviderError:
        """Return why a batch was given no status: the account has as many as it may, or there is no such batch."""
        remedy = "see what it says"
        content = self._account.ask("get", *_PLACE).content(200)
        if isinstance(content, list) and len(content) >= MOST_STATUSES:
            remedy = (
                f"the account has {len(content)} batches cancelled or paused and may have {MOST_STATUSES}: undo one "
                "whose time is past (DELETE /v3/user/scheduled_sends/ and its id), or ask SendGrid's support to"
            )
        return self._not_cancelled(answer, remedies={400: remedy})

    def _not_cancelled(self, answer: ApiAnswer, *, remedies: Mapping[int, str] = _CANCELLING) -> ProviderError:
        what = "did not cancel the mail that it holds"
        return self._account.refusal(what, answer, remedies=remedies, again="cancel again")
