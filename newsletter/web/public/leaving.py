"""Leave: one click in an email app (RFC 8058), or the page that the link in the email opens.

A GET changes nothing, because scanners follow every link of an email. A POST leaves, whatever its body and headers are:
the link itself is all the authority there is. Only our own form, which says so in its field `from`, has to prove that a
person pressed its button a moment after the page was shown.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.model.personal_links import Purpose, age_of, masked, read_link, stamp_of
from newsletter.store.service import keep_remark
from newsletter.web.public.pages import neutral_page, page, topic_choices
from newsletter.web.public.pressing import is_pressed, stamp_for, stamp_to_press_again
from newsletter.web.public.protection import Form, first, is_own_form, read_form
from newsletter.web.public.service import Service
from newsletter.workflows.suppressions.leave import (
    BY_ONE_CLICK,
    ON_THE_PAGE,
    UNDO_WITHIN,
    LinkOwner,
    OwnLeaving,
    choose_topics,
    leave,
    owner_of,
    undo_leaving,
)

REASONS = ("often", "content", "never", "other")  # why people leave, as the page's words have it
_LONGEST_REMARK = 1000
_Notice = tuple[str, str] | None  # the words that a page shows above its form


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the pages on which people leave."""
    pages = _Leaving(service)
    return [
        Route(f"/u/{{link}}{slash}", handler, methods=[method])
        for slash in ("", "/")
        for method, handler in (("GET", pages.show), ("POST", pages.post))
    ]


class _Leaving:
    """The request handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def show(self, request: Request) -> Response:
        """Show the page with the button. Change nothing."""
        link = read_link(request.path_params["link"])
        leaver = await self._service.read(lambda connection: owner_of(connection, link, now=self._service.now))
        return self._page(request, leaver)

    async def post(self, request: Request) -> Response:
        """Leave, or do what the form of our own page asks for."""
        form = await read_form(request)
        if first(form, "from") != "page":
            return await self._leave(request, BY_ONE_CLICK)
        link = read_link(request.path_params["link"])
        leaver = await self._service.read(lambda connection: owner_of(connection, link, now=self._service.now))
        if leaver is None:
            return neutral_page(self._service, request)
        return await self._do(request, leaver, form)

    async def _do(self, request: Request, leaver: LinkOwner, form: Form) -> Response:
        """Do what a form of our page asks for. Show the page again if it does not prove that a person pressed it."""
        action = first(form, "do")
        if action == "undo":
            is_own = is_own_form(request.headers, self._service.origin)
            return await self._undo(request, leaver, first(form, "stamp"), is_own=is_own)
        if not is_pressed(self._service, request, form, leaver.subscriber):
            stamp = stamp_to_press_again(self._service, request, form, leaver.subscriber)
            return self._page(request, leaver, notice=("general", "again"), stamp=stamp)
        if action == "leave":
            return await self._leave(request, ON_THE_PAGE)
        if action == "topics":
            return await self._choose(request, form)
        return await self._hear_why(request, leaver, form)

    async def _leave(self, request: Request, detail: str) -> Response:
        link, now = read_link(request.path_params["link"]), self._service.now.replace(microsecond=0)
        left = await self._service.save(leave(link, detail=detail, now=now))
        return neutral_page(self._service, request) if left is None else self._left_page(request, left)

    async def _undo(self, request: Request, leaver: LinkOwner, stamp: str, *, is_own: bool) -> Response:
        """Undo a leaving of the last day. The stamp of the button is from the moment of leaving."""
        now, link = self._service.now, read_link(request.path_params["link"])
        age = age_of(stamp, leaver.subscriber.token, Purpose.UNDO, _about(leaver), now=now)
        if not is_own or age is None or age > UNDO_WITHIN:
            return self._staying(request, leaver, "left_title", "undo_late")
        left_at = datetime.fromtimestamp(int(stamp.partition(".")[0]), UTC)
        is_undone = await self._service.save(undo_leaving(link, left_at=left_at, now=now))
        if not is_undone and leaver.suppression is not None:
            return self._staying(request, leaver, "left_title", "undo_late")
        return self._staying(request, leaver, "undone_title", "undone")

    async def _choose(self, request: Request, form: Form) -> Response:
        link, topics = read_link(request.path_params["link"]), self._service.config.settings.topics
        wanted = form.get("topic", ())
        change = choose_topics(link, wanted, topics=topics, now=self._service.now)
        leaver = await self._service.save(change)
        words = "less_saved" if set(wanted) & topics.keys() else "none_chosen"
        return self._page(request, leaver, notice=("leaving", words))

    async def _hear_why(self, request: Request, leaver: LinkOwner, form: Form) -> Response:
        reason, remark = first(form, "reason"), first(form, "remark")[:_LONGEST_REMARK].replace("\0", "")
        now, number = self._service.now, leaver.subscriber.id
        if reason in REASONS or remark:
            reason = reason if reason in REASONS else ""
            await self._service.save(
                lambda connection: keep_remark(connection, number, reason=reason, remark=remark, now=now)
            )
        return self._staying(request, leaver, "left_title", "thanks")

    def _page(self, request: Request, leaver: LinkOwner | None, *, notice: _Notice = None, stamp: str = "") -> Response:
        """Return the page with the button, or the page for those who get no email anyway."""
        if leaver is None:
            return neutral_page(self._service, request)
        if leaver.suppression is not None:
            return self._left_page(request, OwnLeaving(leaver=leaver, undoable_at=None), asks_why=False)
        return page(
            self._service,
            request,
            "leaving.html.j2",
            language=leaver.subscriber.record.language,
            address=masked(leaver.address),
            stamp=stamp or stamp_for(leaver.subscriber, now=self._service.now),
            notice=notice,
            topics=[] if leaver.is_former else topic_choices(self._service, left=leaver.left_topics),
        )

    def _left_page(self, request: Request, left: OwnLeaving, *, asks_why: bool = True) -> Response:
        leaver, at = left.leaver, left.undoable_at
        undo = stamp_of(leaver.subscriber.token, Purpose.UNDO, _about(leaver), now=at) if at else ""
        return page(
            self._service,
            request,
            "left.html.j2",
            language=leaver.subscriber.record.language,
            address=masked(leaver.address),
            undo=undo,
            stamp=stamp_for(leaver.subscriber, now=self._service.now),
            asks_why=asks_why,
            reasons=REASONS,
            notice=None,
        )

    def _staying(self, request: Request, leaver: LinkOwner, title: str, words: str) -> Response:
        return page(
            self._service,
            request,
            "staying.html.j2",
            language=leaver.subscriber.record.language,
            address=masked(leaver.address),
            title=title,
            words=words,
        )


def _about(leaver: LinkOwner) -> str:
    return str(leaver.subscriber.id)
