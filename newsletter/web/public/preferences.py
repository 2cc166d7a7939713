"""The page with someone's preferences, which the link in every email opens.

Anyone who has the link can change what it shows, as with any link. What would harm its owner more is not done here: the
data, a deletion and another address need a link that is sent to the mailbox first (`asked.py`).
"""

from collections.abc import Mapping

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.model.audience import normal_text
from newsletter.model.personal_links import PersonalLink, masked
from newsletter.model.preferences import LinkRequestKind
from newsletter.web.public.pages import Notice, language_of, neutral_page, page, topic_choices
from newsletter.web.public.pressing import asked_again, is_pressed, stamp_for, stamp_to_press_again
from newsletter.web.public.protection import Form, first, link_in, read_form
from newsletter.web.public.service import Service
from newsletter.workflows.preferences.address import ask_to_change, fault_of_address
from newsletter.workflows.preferences.choices import (
    LONGEST_NAME,
    Choices,
    choices_of,
    faults_of,
    offered_languages,
    offered_zones,
    save_choices,
)
from newsletter.workflows.preferences.visit import Visit, ask_for, visit_of
from newsletter.workflows.suppressions.leave import link_to_leave
from newsletter.workflows.tracking.consent import is_tracking_asked

_FIELDS = frozenset({"language", "timezone", "first_name", "last_name", "pause"})  # a browser sends them all
_LINKS = {"data": LinkRequestKind.DATA, "preferences": LinkRequestKind.PREFERENCES}


class _Shown(Struct, frozen=True, kw_only=True):
    """What the page shows besides what is on record."""

    notice: Notice = None
    choices: Choices | None = None  # as they were typed, if they are not saved
    faults: Mapping[str, str] = {}  # field → key of the words
    email: str = ""  # the new address, as it was typed
    stamp: str = ""  # of the page that is shown again


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the page with preferences."""
    pages = _Preferences(service)
    return [Route("/p/{link}", pages.show), Route("/p/{link}", pages.post, methods=["POST"])]


class _Preferences:
    """The request handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def show(self, request: Request) -> Response:
        """Show the form. Change nothing."""
        return self._page(request, await self._visit(link_in(request)), _Shown())

    async def post(self, request: Request) -> Response:
        """Do what one of the forms of the page asks for, if a person pressed its button."""
        form = await read_form(request)
        visit = await self._visit(link_in(request))
        if visit is None:
            return neutral_page(self._service, request)
        action, subscriber = first(form, "do"), visit.owner.subscriber
        if not is_pressed(self._service, request, form, subscriber):
            return self._page(request, visit, self._again(request, form, visit))
        if action in _LINKS:
            return await self._send_link(request, _LINKS[action])
        return await self._do(request, form, visit, action)

    async def _do(self, request: Request, form: Form, visit: Visit, action: str) -> Response:
        """Do what only a link that is not too old is good for, and only for someone who has not left."""
        if visit.is_too_old or visit.owner.suppression is not None:
            return self._page(request, visit, _Shown())
        if action == "address":
            return await self._change_address(request, form, visit)
        if action == "save" and form.keys() >= _FIELDS:
            return await self._save(request, form, visit)
        return self._page(request, visit, self._again(request, form, visit))

    async def _visit(self, link: PersonalLink | None) -> Visit | None:
        now = self._service.now
        return await self._service.read(lambda connection: visit_of(connection, link, now=now))

    async def _save(self, request: Request, form: Form, visit: Visit) -> Response:
        config, now = self._service.config, self._service.now
        subscriber, typed = visit.owner.subscriber, _choices_in(form)
        faults = faults_of(config, subscriber, typed, now=now)
        if faults:
            return self._page(request, visit, _Shown(choices=typed, faults=faults))
        language = language_of(self._service, request, subscriber.record.language)
        change = save_choices(config, link_in(request), typed, language=language, now=now)
        return self._page(request, await self._service.save(change), _Shown(notice=("preferences", "saved")))

    async def _change_address(self, request: Request, form: Form, visit: Visit) -> Response:
        email = normal_text(first(form, "email"))
        if fault := fault_of_address(visit.owner, email):
            return self._page(request, visit, _Shown(faults={"email": fault}, email=email))
        change = ask_to_change(link_in(request), email, key=self._service.key, now=self._service.now)
        await self._service.save_and_send(change)
        return self._page(request, visit, _Shown(notice=("preferences", "address_sent")))

    async def _send_link(self, request: Request, kind: LinkRequestKind) -> Response:
        await self._service.save_and_send(ask_for(link_in(request), kind, now=self._service.now))
        return self._page(request, await self._visit(link_in(request)), _Shown(notice=("preferences", "link_sent")))

    def _again(self, request: Request, form: Form, visit: Visit) -> _Shown:
        """Return the page that asks to press once more, with what was typed."""
        stamp = stamp_to_press_again(self._service, request, form, visit.owner.subscriber)
        typed = _choices_in(form) if form.keys() >= _FIELDS else None
        return _Shown(
            notice=asked_again(self._service, request), choices=typed, email=first(form, "email"), stamp=stamp
        )

    def _page(self, request: Request, visit: Visit | None, shown: _Shown) -> Response:
        if visit is None:
            return neutral_page(self._service, request)
        config, now, owner = self._service.config, self._service.now, visit.owner
        subscriber = owner.subscriber
        language = language_of(self._service, request, subscriber.record.language)
        choices = shown.choices or choices_of(visit, topics=config.settings.topics, now=now)
        return page(
            self._service,
            request,
            "old_preferences.html.j2" if visit.is_too_old else "preferences.html.j2",
            language=language,
            address=masked(owner.address),
            has_left=owner.suppression is not None,
            stamp=shown.stamp or stamp_for(subscriber, now=now),
            notice=shown.notice,
            faults=shown.faults,
            choices=choices,
            link_to_leave=link_to_leave(subscriber),
            asks_tracking=is_tracking_asked(config, subscriber.record),
            email=shown.email,
            topics=topic_choices(self._service, left=config.settings.topics.keys() - choices.topics),
            languages=offered_languages(config, subscriber),
            zones=offered_zones(subscriber, language=language),
            longest_name=LONGEST_NAME,
        )


def _choices_in(form: Form) -> Choices:
    return Choices(
        topics=frozenset(form.get("topic", ())),
        language=first(form, "language"),
        timezone=first(form, "timezone"),
        first_name=normal_text(first(form, "first_name")),
        last_name=normal_text(first(form, "last_name")),
        pause=first(form, "pause").strip(),
        agrees="yes" in form["tracking"] if "tracking" in form else None,  # with its box, the form says "no" too
    )
