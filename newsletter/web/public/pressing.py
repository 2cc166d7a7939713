"""Tell a person who pressed a button on one of our pages from a program that sends forms, or another site that does."""

from datetime import datetime, timedelta
from typing import Protocol

from starlette.requests import Request

from newsletter.model.personal_links import Purpose, age_of, stamp_of
from newsletter.web.public.pages import Notice
from newsletter.web.public.protection import Form, first, is_own_form
from newsletter.web.public.service import Service

_OLDEST = timedelta(days=1)  # of the page whose button is pressed


class PageOwner(Protocol):
    """Whose page it is: a subscriber, a sign-up, or everyone."""

    @property
    def id(self) -> int | str:
        """What tells the page from others with the same token."""

    @property
    def token(self) -> str:
        """The key of the stamp."""


def stamp_for(owner: PageOwner, *, now: datetime) -> str:
    """Return the stamp for the forms of a page that is shown to someone now."""
    return stamp_of(owner.token, Purpose.PAGE, str(owner.id), now=now)


def is_pressed(service: Service, request: Request, form: Form, owner: PageOwner, *, seconds: int = 2) -> bool:
    """Return whether a person pressed a button of one of our pages. A program presses at once, and again much later.

    `seconds` is how long a person takes at least.
    """
    age = _age_of_own(service, request, form, owner)
    return age is not None and timedelta(seconds=seconds) <= age <= _OLDEST


def stamp_to_press_again(service: Service, request: Request, form: Form, owner: PageOwner) -> str:
    """Return the stamp for the page that asks to press once more. Someone who pressed too soon may then be quick."""
    age = _age_of_own(service, request, form, owner)
    return first(form, "stamp") if age is not None and age <= _OLDEST else stamp_for(owner, now=service.now)


def asked_again(service: Service, request: Request) -> Notice:
    """Return the notice that asks to press once more, or to open the page at its own address.

    At another address, such as one that only this machine knows, no button would ever do anything.
    """
    origin, host = request.headers.get("origin", "").lower(), request.headers.get("host", "").lower()
    is_elsewhere = origin != service.origin and origin.partition("://")[2] == host != ""
    return ("general", "elsewhere" if is_elsewhere else "again")


def _age_of_own(service: Service, request: Request, form: Form, owner: PageOwner) -> timedelta | None:
    """Return how long ago the page of a form was shown, or None if the form is not ours."""
    if not is_own_form(request.headers, service.origin):
        return None
    return age_of(first(form, "stamp"), owner.token, Purpose.PAGE, str(owner.id), now=service.now)
