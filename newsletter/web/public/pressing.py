"""Tell a person who pressed a button on one of our pages from a program that sends forms, or another site that does."""

from datetime import datetime, timedelta
from typing import Protocol

from starlette.requests import Request

from newsletter.model.personal_links import Purpose, age_of, stamp_of
from newsletter.web.public.protection import Form, first, is_own_form
from newsletter.web.public.service import Service

_YOUNGEST, _OLDEST = timedelta(seconds=2), timedelta(days=1)  # of the page whose button is pressed


class Visitor(Protocol):
    """A subscriber or a reviewer, with a secret token."""

    @property
    def id(self) -> int:
        """The number of the subscriber or the reviewer."""

    @property
    def token(self) -> str:
        """The key of their links."""


def stamp_for(visitor: Visitor, *, now: datetime) -> str:
    """Return the stamp for the forms of a page that is shown to someone now."""
    return stamp_of(visitor.token, Purpose.PAGE, str(visitor.id), now=now)


def is_pressed(service: Service, request: Request, form: Form, visitor: Visitor) -> bool:
    """Return whether a person pressed a button of one of our pages. A program presses at once, and again much later."""
    age = _age_of(form, visitor, service.now)
    is_own = is_own_form(request.headers, service.origin)
    return is_own and age is not None and _YOUNGEST <= age <= _OLDEST


def stamp_to_press_again(service: Service, request: Request, form: Form, visitor: Visitor) -> str:
    """Return the stamp for the page that asks to press once more. Someone who pressed too soon may then be quick."""
    age = _age_of(form, visitor, service.now)
    is_young = is_own_form(request.headers, service.origin) and age is not None and age < _YOUNGEST
    return first(form, "stamp") if is_young else stamp_for(visitor, now=service.now)


def _age_of(form: Form, visitor: Visitor, now: datetime) -> timedelta | None:
    return age_of(first(form, "stamp"), visitor.token, Purpose.PAGE, str(visitor.id), now=now)
