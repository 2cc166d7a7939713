"""Ask before anything is sent, approved or canceled, then do it once.

Each question has a key of its own, which its form contains. The first answer uses the key up. So a double click, a form
that is sent again, and a page that was open in two tabs do nothing a second time.
"""

from collections import OrderedDict
from collections.abc import Callable
from secrets import token_urlsafe
from threading import Lock

from msgspec import Struct

from newsletter.errors import NewsletterError
from newsletter.model.finding import Finding

_REMEMBERED = 50  # questions, because a studio may stay open for days


class Settlement(Struct, frozen=True, kw_only=True):
    """The result of a question: what was done, or why it was not."""

    said: tuple[str, ...] = ()  # sentences about what was done
    failure: str = ""  # why it was not done, or not completely
    leads_to: str = ""  # the page that shows what happens now, relative to the issue; empty: nothing more happens


class Question(Struct, frozen=True, kw_only=True):
    """What a person is asked, with everything they should know before they answer."""

    issue: str
    title: str  # the question
    facts: tuple[tuple[str, str], ...]
    action: str  # what the button says
    act: "Callable[[], Settlement | Question]"  # does it, or asks again because something has changed
    notice: str = ""  # why it is asked again
    notes: tuple[str, ...] = ()
    blocking: tuple[Finding, ...] = ()  # if there are any, the answer can only be no
    people: int | None = None  # the number to type, if people are sent something


class Asked(Struct, kw_only=True):
    """A question, and its result. The lock lets only one answer through at a time."""

    question: Question
    lock: Lock
    settlement: Settlement | None = None
    again: str = ""  # the key of the question that is asked instead, because something has changed


class Confirmations:
    """The questions that are open, and those that were answered. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: OrderedDict[str, Asked] = OrderedDict()

    def ask(self, question: Question) -> str:
        """Remember a question. Return its key, which cannot be guessed."""
        key = token_urlsafe(16)
        with self._lock:
            self._asked[key] = Asked(question=question, lock=Lock())
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        return key

    def find(self, issue: str, key: str) -> Asked | None:
        """Return the question of an issue with this key, or None if it no longer exists."""
        found = self._asked.get(key)
        return found if found is not None and found.question.issue == issue else None

    def answer(self, asked: Asked) -> None:
        """Do what was asked, unless it was already done. Anyone who answers at the same time waits for the result.

        What fails is not tried again: the person looks at the result, and starts again.
        """
        with asked.lock:
            if asked.settlement is not None or asked.again or asked.question.blocking:
                return
            try:
                result = asked.question.act()
            except NewsletterError as err:
                result = Settlement(failure=str(err))
            except BaseException:
                asked.settlement = Settlement(
                    failure="an unexpected error interrupted it; look at the status before you try again"
                )
                raise
            if isinstance(result, Question):
                asked.again = self.ask(result)
            else:
                asked.settlement = result


def is_typed(question: Question, typed: str) -> bool:
    """Return whether a person typed the number of people. Questions without a number need none."""
    if question.people is None:
        return True
    digits = "".join(each for each in typed if each not in " ,.\u00a0\u202f'’")
    return digits.isascii() and digits.isdecimal() and digits.lstrip("0") == str(question.people)
