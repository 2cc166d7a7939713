"""Tracked links, the picture that shows opens, and the page on which people end tracking.

A link leads on whatever is known about its reader: to someone who has ended tracking or changed their address, to
machines, and while nothing can be saved. What is recorded is saved after the answer. A page never says more about a
wrong address than that it does not exist.
"""

from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.model.audience import Subscriber
from newsletter.model.personal_links import PersonalLink, Purpose, is_code_of, masked
from newsletter.model.tracked_address import TrackedAddress, is_picture, read_tracked_address
from newsletter.model.tracking import LINK_PATH, PICTURE_PATH
from newsletter.store.database import Connection
from newsletter.store.subscribers import subscriber_with_id
from newsletter.store.tracking import FoundLink, find_link
from newsletter.web.public.pages import Notice, language_of, neutral_page, page, said_page
from newsletter.web.public.pressing import asked_again, is_pressed, stamp_for, stamp_to_press_again
from newsletter.web.public.protection import link_in, read_form
from newsletter.web.public.service import Service
from newsletter.workflows.tracking.consent import choose_tracking, wording_of_page
from newsletter.workflows.tracking.recorder import TrackedVisit, reaction_of

# One transparent pixel: the smallest GIF that all browsers show (43 bytes).
_PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_PIXEL_HEADERS = {"Cross-Origin-Resource-Policy": "cross-origin"}  # web mailboxes show it on pages of their own
_KEPT_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]|"  # everything in an address that is not written in another way already
_NOBODY = "0" * 32  # checked in place of someone who does not exist, so that the check takes place all the same


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of tracked links, of the picture, and of the page that ends tracking."""
    links = _Links(service)
    ending = _Ending(service)
    return [
        Route(f"/{LINK_PATH}/{{address}}", links.follow),
        Route(f"/{PICTURE_PATH}/{{address}}", links.show_pixel),
        Route("/t/{link}", ending.show),
        Route("/t/{link}", ending.post, methods=["POST"]),
    ]


class _Links:
    """The handlers of links and of the picture."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def follow(self, request: Request) -> Response:
        """Lead on to where the link leads. An address that we did not make leads nowhere."""
        address = read_tracked_address(request.path_params["address"])
        found = await self._found(address) if address and not is_picture(address.number) else None
        if address is None or found is None:
            raise HTTPException(404)
        target = found.target or self._service.config.settings.newsletter.website
        headers = {"Location": quote(target, safe=_KEPT_IN_ADDRESSES)}
        return Response(status_code=302, headers=headers, background=self._noting(request, address, found))

    async def show_pixel(self, request: Request) -> Response:
        """Return the picture. It is the same for an address that we did not make, of which nothing is recorded."""
        address = read_tracked_address(request.path_params["address"])
        if address is None or not is_picture(address.number):
            raise HTTPException(404)
        found = await self._found(address)
        noting = self._noting(request, address, found) if found else None
        return Response(_PIXEL, media_type="image/gif", headers=_PIXEL_HEADERS, background=noting)

    async def _found(self, address: TrackedAddress) -> FoundLink | None:
        now = self._service.now
        return await self._service.read(lambda connection: find_link(connection, address, now=now))

    def _noting(self, request: Request, address: TrackedAddress, found: FoundLink) -> BackgroundTask | None:
        """Return the task that records the visit after the answer, or None if nothing may be recorded."""
        headers, now = request.headers, self._service.now
        visit = TrackedVisit(
            agent=headers.get("user-agent", ""),
            client=request.client.host if request.client else "",
            method=request.method,
            purpose=" ".join(headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")),
        )
        reaction = reaction_of(self._service.config, address, found, visit, now=now)
        if reaction is None:
            return None
        recorder = self._service.recorder
        recorder.note(reaction)
        return BackgroundTask(recorder.save, now)


class _Ending:
    """The handlers of the page that ends tracking."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def show(self, request: Request) -> Response:
        """Show the page with the button. Change nothing."""
        reader = await self._reader(request)
        return self._page(request, reader)

    async def post(self, request: Request) -> Response:
        """End tracking if a person pressed the button of our page; otherwise show the page again."""
        form = await read_form(request)
        reader = await self._reader(request)
        if reader is None:
            return neutral_page(self._service, request)
        if not is_pressed(self._service, request, form, reader):
            stamp = stamp_to_press_again(self._service, request, form, reader)
            return self._page(request, reader, notice=asked_again(self._service, request), stamp=stamp)
        now, language = self._service.now, language_of(self._service, request, reader.record.language)
        wording = wording_of_page(language)
        await self._service.save(
            lambda connection: choose_tracking(connection, reader.id, agrees=False, wording=wording, now=now)
        )
        return self._ended_page(request, reader)

    async def _reader(self, request: Request) -> Subscriber | None:
        return await self._service.read(lambda connection: _owner_of(connection, link_in(request)))

    def _page(self, request: Request, reader: Subscriber | None, *, notice: Notice = None, stamp: str = "") -> Response:
        if reader is None:
            return neutral_page(self._service, request)
        if reader.record.tracking_consented_at is None:
            return self._ended_page(request, reader)
        return page(
            self._service,
            request,
            "tracking.html.j2",
            language=reader.record.language,
            address=masked(reader.record.email),
            stamp=stamp or stamp_for(reader, now=self._service.now),
            notice=notice,
        )

    def _ended_page(self, request: Request, reader: Subscriber) -> Response:
        return said_page(
            self._service,
            request,
            ("tracking", "ended"),
            more="email_stays",
            language=reader.record.language,
            address=masked(reader.record.email),
        )


def _owner_of(connection: Connection, link: PersonalLink | None) -> Subscriber | None:
    """Return the owner of a link that ends tracking, or None if no one on the list has it."""
    subscriber = subscriber_with_id(connection, link.subscriber if link else 0)
    token = subscriber.token if subscriber else _NOBODY
    about = str(link.subscriber if link else 0)
    is_owner = is_code_of(link.secret if link else "", token, Purpose.TRACKING, about)
    return subscriber if is_owner else None
