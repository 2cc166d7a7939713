"""SendGrid's suppressions: whom the account does not mail, list by list.

Lists are paged by a limit and an offset within a window of time; in which order their rows stand is not documented
(https://www.twilio.com/docs/sendgrid/api-reference/suppressions-global-suppressions). Only the list of those who left
all mail can be added to. Every request may be made twice without harm, so each is tried again where it may help.
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

PAGE_SIZE = 500  # the most that an answer holds
_MOST_ADDED = 500  # in one request: no limit is documented, and this is what the lists are read by
_MOST_WRONG = 10  # addresses of one request, where it holds no other
_TRIES = 4
_LONGEST_WAIT_SECONDS = 120.0  # whoever asks for more is better asked another time
_GLOBAL = ("asm", "suppressions", "global")
_REMEDIES = {403: "give the key the permission Suppressions, and check that the account is not blocked"}


class SendGridSuppressionLists:
    """The lists of an account; `pause` waits for so many seconds."""

    def __init__(self, account: SendGridAccount, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._account = account
        self._pause = pause

    def pull(
        self, listed: ProviderList, *, since: datetime | None, until: datetime
    ) -> Iterator[tuple[ListedAddress, ...]]:
        """Yield a list page by page, within a window that stays as it is while it is read."""
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
        """Add addresses to those who left all mail, a few hundred in a request. Return those that were refused."""
        addresses = {email: searchable_address(email) for email in emails}
        refused = [email for email, address in addresses.items() if not address]
        fit = [email for email, address in addresses.items() if address]
        for start in range(0, len(fit), _MOST_ADDED):
            refused += self._add(fit[start : start + _MOST_ADDED], addresses, may_all_be_wrong=False)
        return tuple(refused)

    def remove(self, listed: ProviderList, email: str) -> None:
        """Take an address off a list; one that is not on it is as it should be."""
        place = _GLOBAL if listed is ProviderList.UNSUBSCRIBES else ("suppression", listed.value)
        address = searchable_address(email) or email
        answer = self._patiently(lambda: self._account.ask("delete", *place, address))
        if answer.status not in {204, 404}:
            raise self._refusal(f"did not take an address off its list of {_shown(listed)}", answer)

    def _add(self, emails: list[str], addresses: dict[str, str], *, may_all_be_wrong: bool = True) -> list[str]:
        """Make one request, and return the addresses that were refused.

        Where it is refused for what it holds, each half is added on its own, so that one address stops no other. That
        many are refused and no other is taken is no matter of addresses: it raises.
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
        raise self._refusal("took no addresses into its list of those who left", answer)

    def _patiently(self, ask: Callable[[], ApiAnswer]) -> ApiAnswer:
        """Return what comes of a request, of which some tries may have come to nothing."""
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
    """Return the address as SendGrid knows it. Empty where it can know none such."""
    try:
        address = wire_address(email)
    except ValueError:
        return ""
    return address if address.isascii() else ""


def _worth_waiting(answer: ApiAnswer, number: int) -> float | None:
    """Return the seconds to wait before the request is made again.

    `number` counts from 0 how often it has been made again. None where that would change nothing, or take too long.
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
    """Return a row of a list. None where it does not say who, or since when."""
    email, created_at = text_of(row, "email").strip(), moment_of(row.get("created") if isinstance(row, dict) else None)
    if not email or created_at is None:
        return None
    said = text_of(row, "reason") or text_of(row, "status")
    return ListedAddress(on=listed, email=email, created_at=created_at, detail=masked(quoted(said)))


def _shown(listed: ProviderList) -> str:
    return listed.replace("_", " ")
