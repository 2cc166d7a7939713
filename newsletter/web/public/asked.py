"""The pages behind the links that people asked for: their data, and the confirmation of another address.

Such a link is sent to one mailbox, works for a short time, and has a key of its own. The links in the newsletter would
not do for this, because people forward it.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.model.personal_links import PersonalLink, masked
from newsletter.web.public.pages import Notice, neutral_page, page, said_page
from newsletter.web.public.pressing import asked_again, is_pressed, stamp_for, stamp_to_press_again
from newsletter.web.public.protection import Form, first, link_in, read_form
from newsletter.web.public.service import Service
from newsletter.workflows.preferences.address import AddressChange, change_asked_for, confirm_change
from newsletter.workflows.preferences.data import data_file, data_of, delete_person, owner_of_data
from newsletter.workflows.suppressions.leave import LinkOwner

_FILE = "my-data.json"


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the pages that people asked for."""
    pages = _Asked(service)
    return [Route("/my/{link}", pages.show), Route("/my/{link}", pages.post, methods=["POST"])]


class _Asked:
    """The request handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def show(self, request: Request) -> Response:
        """Show the page with the buttons. Change nothing, and show no data: a scanner opens every link."""
        return await self._page(request)

    async def post(self, request: Request) -> Response:
        """Do what one of the buttons asks for, if a person pressed it."""
        form, link, now = await read_form(request), link_in(request), self._service.now
        change = await self._service.read(lambda connection: change_asked_for(connection, link, now=now))
        owner = change.owner if change else await self._owner(link)
        if owner is None:
            return neutral_page(self._service, request)
        if not is_pressed(self._service, request, form, owner.subscriber):
            stamp = stamp_to_press_again(self._service, request, form, owner.subscriber)
            return await self._page(request, notice=asked_again(self._service, request), stamp=stamp)
        if change is not None:
            return await self._confirm(request)
        return await self._do(request, form, owner)

    async def _do(self, request: Request, form: Form, owner: LinkOwner) -> Response:
        action, database, now = first(form, "do"), self._service.database, self._service.now
        if action == "download":
            body = await run_in_threadpool(data_file, database, owner, now=now)
            headers = {"Content-Disposition": f'attachment; filename="{_FILE}"'}
            return Response(body, media_type="application/json", headers=headers)
        if action == "delete" and self._service.key is not None:
            key = self._service.key
            await run_in_threadpool(delete_person, self._service.config, database, owner, key=key, now=now)
            return said_page(
                self._service,
                request,
                ("asked", "deleted"),
                language=owner.subscriber.record.language,
                address=masked(owner.address),
            )
        return await self._page(request, shows_data=action == "show")

    async def _confirm(self, request: Request) -> Response:
        link, now = link_in(request), self._service.now
        change = await self._service.save_and_send(confirm_change(link, key=self._service.key, now=now))
        if change is None:
            return neutral_page(self._service, request)
        return self._change_page(request, change, state=change.state.value)

    async def _owner(self, link: PersonalLink | None) -> LinkOwner | None:
        now = self._service.now
        return await self._service.read(lambda connection: owner_of_data(connection, link, now=now))

    async def _page(
        self, request: Request, *, notice: Notice = None, stamp: str = "", shows_data: bool = False
    ) -> Response:
        link, now = link_in(request), self._service.now
        change = await self._service.read(lambda connection: change_asked_for(connection, link, now=now))
        if change is not None:
            return self._change_page(request, change, notice=notice, stamp=stamp)
        owner = await self._owner(link)
        if owner is None:
            return neutral_page(self._service, request)
        person = await run_in_threadpool(data_of, self._service.database, owner) if shows_data else None
        return self._said(
            request,
            owner,
            "data.html.j2",
            notice=notice,
            stamp=stamp or stamp_for(owner.subscriber, now=now),
            can_delete=self._service.key is not None,
            person=person,
        )

    def _change_page(
        self, request: Request, change: AddressChange, *, state: str = "asked", notice: Notice = None, stamp: str = ""
    ) -> Response:
        return self._said(
            request,
            change.owner,
            "address.html.j2",
            notice=notice,
            stamp=stamp or stamp_for(change.owner.subscriber, now=self._service.now),
            state=state,
            old=masked(change.old),
            new=masked(change.new),
        )

    def _said(self, request: Request, owner: LinkOwner, template: str, **values: object) -> Response:
        language = owner.subscriber.record.language
        return page(
            self._service, request, template, language=language, status=200, address=masked(owner.address), **values
        )
