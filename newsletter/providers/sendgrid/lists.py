"""SendGrid's suppression lists, which contain the addresses to which an account does not send.

Lists are read in pages, by limit and offset within a period. The order of their rows is not documented
(https://www.twilio.com/docs/sendgrid/api-reference/suppressions-global-suppressions). Addresses can only be added
to the global unsubscribes. Every request can be repeated safely, so requests are retried if that may help.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from newsletter.errors import ProviderError
from newsletter.model.address import masked
from newsletter.model.event import ListedAddress, ProviderList
from newsletter.providers.base import quoted
from newsletter.providers.headers import wire_address
from newsletter.providers.sendgrid.client import ApiAnswer, SendGridAccount, moment_of, text_of

PAGE_SIZE = 500  # the largest number of rows in an answer
_MOST_ADDED = 500  # addresses in one request; no limit is documented, so the size of a page is used
_MOST_WRONG = 10  # if more addresses than this are refused and none is accepted, the cause is something else
_TRIES = 4
_LONGEST_WAIT_SECONDS = 120.0  # if the server asks for more, give up
_GLOBAL = ("asm", "suppressions", "global")
_REMEDIES = {403: "give the key the Suppressions permission, and check that the account is not blocked"}


class SendGridSuppressionLists:
    """The suppression lists of an account. Calls `pause` to wait for a number of seconds."""

    def __init__(self, account: SendGridAccount, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._account = account
        self._pause = pause

    def pull(
        self, listed: ProviderList, *, since: datetime | None, until: datetime
    ) -> Iterator[tuple[ListedAddress, ...]]:
        """Yield a list page by page. The period stays the same while the list is read."""
        window = {"end_time": int(until.timestamp())}
        if since is not None:
            window["start_time"] = int(since.timestamp())
        offset, rows = 0, PAGE_SIZE
        while rows == PAGE_SIZE:
            page = {**window, "limit": PAGE_SIZE, "offset": offset}
            answer = self._patiently(partial(self._account.ask, "get", "suppression", listed.value, query=page))
            content = answer.content(200)
            if not isinstance(content, list):
                raise self._refusal(f"did not show its list of {_shown(listed)}", answer)
            rows, offset = len(content), offset + PAGE_SIZE
            yield tuple(filter(None, (_listed(row, listed) for row in content)))

    def add(self, emails: Sequence[str]) -> tuple[str, ...]:
        """Add addresses to the global unsubscribes, a few hundred per request. Return those that SendGrid refused."""
        addresses = {email: searchable_address(email) for email in emails}
        refused = [email for email, address in addresses.items() if not address]
        fit = [email for email, address in addresses.items() if address]
        for start in range(0, len(fit), _MOST_ADDED):
            refused += self._add(fit[start : start + _MOST_ADDED], addresses, may_all_be_wrong=False)
        return tuple(refused)

    def remove(self, listed: ProviderList, email: str) -> None:
        """Remove an address from a list. It is not an error if the address is not on the list."""
        place = _GLOBAL if listed is ProviderList.UNSUBSCRIBES else ("suppression", listed.value)
        address = searchable_address(email) or email
        answer = self._patiently(lambda: self._account.ask("delete", *place, address))
        if answer.status not in {204, 404}:
            raise self._refusal(f"did not remove an address from its list of {_shown(listed)}", answer)

    def _add(self, emails: list[str], addresses: dict[str, str], *, may_all_be_wrong: bool = True) -> list[str]:
        """Make one request, and return the addresses that SendGrid refused.

        If SendGrid refuses the request, add each half separately, so that one address does not stop the others. Raise
        ProviderError if many addresses are refused and none is accepted, because then the addresses are not the cause.
        """
        content = {"recipient_emails": [addresses[email] for email in emails]}
        answer = self._patiently(lambda: self._account.ask("post", *_GLOBAL, content=content))
        if answer.status == 201:
            return []
        if answer.status == 400 and len(emails) == 1:
            return emails
        if answer.status == 400:
            middle = len(emails) // 2
            refused = [*self._add(emails[:middle], addresses), *self._add(emails[middle:], addresses)]
            if may_all_be_wrong or not len(refused) == len(emails) > _MOST_WRONG:
                return refused
        raise self._refusal("did not add addresses to its unsubscribes", answer)

    def _patiently(self, ask: Callable[[], ApiAnswer]) -> ApiAnswer:
        """Make a request, repeat it after temporary failures, and return its last result."""
        answer = ask()
        for number in range(_TRIES - 1):
            seconds = _worth_waiting(answer, number)
            if seconds is None:
                break
            self._pause(seconds)
            answer = ask()
        return answer

    def _refusal(self, what: str, answer: ApiAnswer) -> ProviderError:
        return self._account.refusal(what, answer, remedies=_REMEDIES, again="sync again")


def searchable_address(email: str) -> str:
    """Return the address as SendGrid writes it, or an empty string if SendGrid does not accept such an address."""
    try:
        address = wire_address(email)
    except ValueError:
        return ""
    return address if address.isascii() else ""


def _worth_waiting(answer: ApiAnswer, number: int) -> float | None:
    """Return the seconds to wait before a retry, or None if a retry would not help or would take too long.

    `number` counts the retries from 0.
    """
    usual = float(2**number)
    if answer.cause is not None:
        return None if isinstance(answer.cause, ssl.SSLCertVerificationError) else usual
    if answer.status != 429 and answer.status < 500:
        return None
    asked = answer.seconds_to_wait()
    if asked is None:
        return usual
    return asked if asked <= _LONGEST_WAIT_SECONDS else None


def _listed(row: object, listed: ProviderList) -> ListedAddress | None:
    """Return the address in a row of a list, or None if the row lacks the address or the time."""
    email, created_at = text_of(row, "email").strip(), moment_of(row.get("created") if isinstance(row, dict) else None)
    if not email or created_at is None:
        return None
    said = text_of(row, "reason") or text_of(row, "status")
    return ListedAddress(on=listed, email=email, created_at=created_at, detail=masked(quoted(said)))


def _shown(listed: ProviderList) -> str:
    return listed.replace("_", " ")
