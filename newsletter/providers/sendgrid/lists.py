"""SendGrid's suppressions: whom the account does not mail, list by list.

Lists are paged by a limit and an offset within a window of time; in which order their rows stand is not documented
(https://www.twilio.com/docs/sendgrid/api-reference/suppressions-global-suppressions). Only the list of those who left
all mail can be added to. Every request may be made twice without harm, so each is tried again where it may help.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from newsletter.errors import ProviderError
from newsletter.model.address import masked
from newsletter.model.provider_list import ListedAddress, ProviderList
from newsletter.providers.base import quoted
from newsletter.providers.headers import wire_address
from newsletter.providers.sendgrid.client import (
    Method,
    NoReply,
    Reply,
    RequestBody,
    SendGridAccount,
    json_body,
    refusal,
    text_of,
)
from newsletter.providers.sendgrid.outcomes import seconds_to_wait

PAGE_SIZE = 500  # the most that an answer holds
_MOST_ADDED = 500  # in one request: no limit is documented, and this is what the lists are read by
_MOST_WRONG = 10  # addresses of one request, where it holds no other
_TRIES = 4
_LONGEST_WAIT_SECONDS = 120.0  # whoever asks for more is better asked another time
_NOT_ADDED = "took no addresses into its list of those who left"
_KEY_MAY = "give the key the permission Suppressions, and check that the account is not blocked"
_REMEDIES = {403: _KEY_MAY}


class SendGridSuppressionLists:
    """The lists of an account; `pause` waits for so many seconds."""

    def __init__(self, account: SendGridAccount, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._account = account
        self._pause = pause

    def pull(
        self, listed: ProviderList, *, since: datetime | None, until: datetime
    ) -> Iterator[tuple[ListedAddress, ...]]:
        """A list page by page, within a window that stays as it is while it is read."""
        window = {"end_time": int(until.timestamp())}
        if since is not None:
            window["start_time"] = int(since.timestamp())
        offset, rows = 0, PAGE_SIZE
        while rows == PAGE_SIZE:
            answer = self._ask(
                "get", "suppression", listed.value, query={**window, "limit": PAGE_SIZE, "offset": offset}
            )
            content = answer.json() if isinstance(answer, Reply) and answer.status == 200 else None
            if not isinstance(content, list):
                raise self._refusal(f"did not show its list of {_shown(listed)}", answer)
            rows, offset = len(content), offset + PAGE_SIZE
            yield tuple(filter(None, (_listed(row, listed) for row in content)))

    def add(self, emails: Sequence[str]) -> tuple[str, ...]:
        """Puts addresses among those who left all mail, a few hundred in a request; which of them SendGrid refused."""
        addresses = {email: _wire(email) for email in emails}
        refused = [email for email, address in addresses.items() if not address]
        fit = [email for email, address in addresses.items() if address]
        for start in range(0, len(fit), _MOST_ADDED):
            refused += self._add(fit[start : start + _MOST_ADDED], addresses, may_all_be_wrong=False)
        return tuple(refused)

    def remove(self, listed: ProviderList, email: str) -> None:
        """Takes an address off a list; one that is not on it is as it should be."""
        place = ("asm", "suppressions", "global") if listed is ProviderList.UNSUBSCRIBES else ("suppression", listed)
        answer = self._ask("delete", *place, _wire(email) or email)
        if not isinstance(answer, Reply) or answer.status not in {204, 404}:
            raise self._refusal(f"did not take an address off its list of {_shown(listed)}", answer)

    def _add(self, emails: list[str], addresses: dict[str, str], *, may_all_be_wrong: bool = True) -> list[str]:
        """One request; where it is refused for what it holds, each half on its own, so that one address stops no other.

        The addresses that were refused. That many of them are, and no other is taken, is no matter of addresses: it
        raises.
        """
        body = json_body({"recipient_emails": [addresses[email] for email in emails]})
        answer = self._ask("post", "asm", "suppressions", "global", body=body)
        if isinstance(answer, Reply) and answer.status == 201:
            return []
        if not isinstance(answer, Reply) or answer.status != 400:
            raise self._refusal(_NOT_ADDED, answer)
        if len(emails) == 1:
            return emails
        middle = len(emails) // 2
        refused = [*self._add(emails[:middle], addresses), *self._add(emails[middle:], addresses)]
        if len(refused) == len(emails) > _MOST_WRONG and not may_all_be_wrong:
            raise self._refusal(_NOT_ADDED, answer)
        return refused

    def _ask(
        self,
        method: Method,
        *path: str,
        body: RequestBody | None = None,
        query: dict[str, int] | None = None,
    ) -> Reply | NoReply:
        """What comes of a request, of which some tries may have come to nothing."""
        endpoint = self._account.endpoint(*path)
        answer = endpoint.ask(method, body, query=query)
        for number in range(_TRIES - 1):
            seconds = _worth_waiting(answer, number)
            if seconds is None:
                break
            self._pause(seconds)
            answer = endpoint.ask(method, body, query=query)
        return answer

    def _refusal(self, what: str, answer: Reply | NoReply) -> ProviderError:
        return refusal(what, answer, remedies=_REMEDIES, again="sync again", secrets=self._account.secrets)


def _worth_waiting(answer: Reply | NoReply, number: int) -> float | None:
    """For how many seconds, before the request is made again; None where that would change nothing, or take too long.

    `number` counts from 0 how often it has been made again.
    """
    usual = float(2**number)
    if isinstance(answer, NoReply):
        return None if isinstance(answer.cause, ssl.SSLCertVerificationError) else usual
    if answer.status != 429 and answer.status < 500:
        return None
    asked = seconds_to_wait(answer)
    if asked is None:
        return usual
    return asked if asked <= _LONGEST_WAIT_SECONDS else None


def _listed(row: object, listed: ProviderList) -> ListedAddress | None:
    """A row of a list; None where it does not say who, or since when."""
    created = row.get("created") if isinstance(row, dict) else None
    email = text_of(row, "email").strip()
    if not email or not isinstance(created, int | float):
        return None
    try:
        created_at = datetime.fromtimestamp(int(created), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    said = text_of(row, "reason") or text_of(row, "status")
    return ListedAddress(on=listed, email=email, created_at=created_at, detail=masked(quoted(said)))


def _shown(listed: ProviderList) -> str:
    return listed.replace("_", " ")


def _wire(email: str) -> str:
    """The address as SendGrid knows it; empty where it can know none such."""
    try:
        address = wire_address(email)
    except ValueError:
        return ""
    return address if address.isascii() else ""
