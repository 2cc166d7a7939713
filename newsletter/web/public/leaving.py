"""Leave: one click in an email app (RFC 8058), or the page that the link in the email opens.

A GET changes nothing, because scanners follow every link of an email. A POST leaves, whatever its body and headers are:
the link itself is all the authority there is. Only our own form, which says so in its field `from`, has to prove that a
person pressed its button a moment after the page was shown.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.model.personal_links import masked
from newsletter.store.service import keep_remark
from newsletter.web.public.pages import Notice, neutral_page, page, said_page, topic_choices
from newsletter.web.public.pressing import asked_again, is_pressed, stamp_for, stamp_to_press_again
from newsletter.web.public.protection import Form, first, link_in, read_form
from newsletter.web.public.service import Service
from newsletter.workflows.suppressions.leave import (
    BY_ONE_CLICK,
    ON_THE_PAGE,
    LinkOwner,
    choose_topics,
    leave,
    owner_of,
    undo_leaving,
)

REASONS = ("often", "content", "never", "other")  # why people leave, as the page's words have it
_LONGEST_REMARK = 1000


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the pages on which people leave."""
    pages = _Leaving(service)
    return [Route("/u/{link}", pages.show), Route("/u/{link}", pages.post, methods=["POST"])]


class _Leaving:
    """The request handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def show(self, request: Request) -> Response:
        """Show the page with the button. Change nothing."""
        link = link_in(request)
        owner = await self._service.read(lambda connection: owner_of(connection, link, now=self._service.now))
        return self._page(request, owner)

    async def post(self, request: Request) -> Response:
        """Leave, or do what the form of our own page asks for."""
        form = await read_form(request)
        if first(form, "from") != "page":
            return await self._leave(request, BY_ONE_CLICK)
        link = link_in(request)
        owner = await self._service.read(lambda connection: owner_of(connection, link, now=self._service.now))
        if owner is None:
            return neutral_page(self._service, request)
        return await self._do(request, owner, form)

    async def _do(self, request: Request, owner: LinkOwner, form: Form) -> Response:
        """Do what a form of our page asks for. Show the page again if it does not prove that a person pressed it."""
        action = first(form, "do")
        if not is_pressed(self._service, request, form, owner.subscriber):
            stamp = stamp_to_press_again(self._service, request, form, owner.subscriber)
            return self._page(request, owner, notice=asked_again(self._service, request), stamp=stamp)
        if action == "leave":
            return await self._leave(request, ON_THE_PAGE)
        if action == "undo":
            return await self._undo(request)
        if action == "topics":
            return await self._choose(request, form)
        return await self._hear_why(request, owner, form)

    async def _leave(self, request: Request, detail: str) -> Response:
        link, now = link_in(request), self._service.now.replace(microsecond=0)
        owner = await self._service.save(leave(link, detail=detail, now=now))
        return self._page(request, owner, asks_why=True)

    async def _undo(self, request: Request) -> Response:
        link = link_in(request)
        owner = await self._service.save(undo_leaving(link, now=self._service.now))
        if owner is None or owner.suppression is not None:
            return self._page(request, owner, notice=("leaving", "undo_late"))
        return said_page(
            self._service,
            request,
            ("leaving", "undone"),
            language=owner.subscriber.record.language,
            address=masked(owner.address),
        )

    async def _choose(self, request: Request, form: Form) -> Response:
        link, topics = link_in(request), self._service.config.settings.topics
        wanted = form.get("topic", ())
        change = choose_topics(link, wanted, topics=topics, now=self._service.now)
        owner = await self._service.save(change)
        words = "less_saved" if set(wanted) & topics.keys() else "none_chosen"
        return self._page(request, owner, notice=("leaving", words))

    async def _hear_why(self, request: Request, owner: LinkOwner, form: Form) -> Response:
        reason, remark = first(form, "reason"), first(form, "remark")[:_LONGEST_REMARK]
        now, number, key = self._service.now, owner.subscriber.id, self._service.key
        if reason in REASONS or remark:
            reason = reason if reason in REASONS else ""
            await self._service.save(
                lambda connection: keep_remark(connection, number, reason=reason, remark=remark, key=key, now=now)
            )
        return self._page(request, owner, notice=("leaving", "thanks"))

    def _page(
        self,
        request: Request,
        owner: LinkOwner | None,
        *,
        notice: Notice = None,
        stamp: str = "",
        asks_why: bool = False,
    ) -> Response:
        """Return the page with the button, or the one for those who get no email anyway."""
        if owner is None:
            return neutral_page(self._service, request)
        now = self._service.now
        return page(
            self._service,
            request,
            "leaving.html.j2" if owner.suppression is None else "left.html.j2",
            language=owner.subscriber.record.language,
            address=masked(owner.address),
            stamp=stamp or stamp_for(owner.subscriber, now=now),
            notice=notice,
            may_undo=owner.may_undo(now),
            asks_why=asks_why,
            reasons=REASONS,
            topics=[] if owner.is_former else topic_choices(self._service, left=owner.left_topics),
        )
