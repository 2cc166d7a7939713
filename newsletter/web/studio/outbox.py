"""The outbox: the emails that were saved as files instead of being sent, searchable, each shown without risk."""

import re
from collections import OrderedDict
from secrets import token_urlsafe

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.mailbox.opened import OpenedMail, header_lines
from newsletter.web.studio.road import Fields, with_form
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.workflows.outbox import MOST_SEARCHED, OutboxFile, folder_of, open_file

_ON_A_PAGE = 50
_MOST_SEARCHES = 100  # that are remembered
_LONGEST_SEARCH = 200
_BROADCAST = re.compile(r"b(\d{1,18})-")
# Nothing is loaded from anywhere: the images inside the email are part of its HTML. Scripts, forms and links that would
# lead the frame or the page elsewhere do not work.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the outbox, of the search, and of one email."""
    pages = _OutboxPages(studio)
    return [
        Route("/-/outbox", pages.list),
        Route("/-/outbox/search", with_form(pages.search), methods=["POST"]),
        Route("/-/outbox/{key}", pages.mail),
        Route("/-/outbox/{key}/mail.html", pages.frame),
    ]


class _OutboxPages:
    """The request handlers. They run in threads, because they read files.

    A search may contain an address, so a page's URL contains only the key of the search.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._searches: OrderedDict[str, str] = OrderedDict()

    def list(self, request: Request) -> Response:
        """Return one page of the list."""
        key = request.query_params.get("search", "")
        search = self._searches.get(key, "")
        number = _page_number(request.query_params.get("page", "1"))
        config = self._studio.config
        found = self._studio.outbox.page(config, search=search, first=(number - 1) * _ON_A_PAGE, count=_ON_A_PAGE)
        return page(
            self._studio,
            "outbox.html.j2",
            found=found,
            emails=[(file, line, _named(file)) for file, line in found.mails],
            search=search,
            key=key if search else "",
            number=number,
            pages=max(1, -(-found.count // _ON_A_PAGE)),
            is_reading=self._studio.outbox.is_reading,
            most_searched=MOST_SEARCHED,
            folder=config.shown(folder_of(config)),
            is_used=config.settings.provider.use == "outbox",
        )

    def search(self, _request: Request, fields: Fields) -> Response:
        """Remember the words from the form. Redirect to the emails that contain them."""
        words = " ".join(next(iter(fields.get("words", ())), "").split())[:_LONGEST_SEARCH]
        if not words:
            return RedirectResponse("/-/outbox", status_code=303)
        key = token_urlsafe(12)
        self._searches[key] = words
        while len(self._searches) > _MOST_SEARCHES:
            self._searches.popitem(last=False)
        return RedirectResponse(f"/-/outbox?search={key}", status_code=303)

    def mail(self, request: Request) -> Response:
        """Return the page of one email."""
        file, mail = self._opened(request)
        key = request.query_params.get("search", "")
        return page(
            self._studio,
            "outbox_mail.html.j2",
            file=file,
            named=_named(file),
            mail=mail,
            lines=header_lines(mail.header),
            key=key if key in self._searches else "",
            has_remote_images="src=" in mail.html and re.search(r"""src\s*=\s*["']?https?:""", mail.html) is not None,
        )

    def frame(self, request: Request) -> Response:
        """Return the HTML of one email, for a frame on its page."""
        _, mail = self._opened(request)
        return HTMLResponse(
            mail.html.encode("utf-8", "replace"),
            headers={"Content-Security-Policy": _MAIL_POLICY, "Referrer-Policy": "no-referrer"},
        )

    def _opened(self, request: Request) -> tuple[OutboxFile, OpenedMail]:
        file = self._studio.outbox.find(self._studio.config, request.path_params["key"])
        mail = open_file(self._studio.config, file) if file else None
        if file is None or mail is None:
            raise HTTPException(404, "There is no such email in the outbox. It may have been deleted.\n")
        return file, mail


def _named(file: OutboxFile) -> str:
    """Return what an email belongs to."""
    found = _BROADCAST.match(file.folder)
    return f"Broadcast {found[1]}" if found else file.folder.partition("-")[0].capitalize()[:40]


def _page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else 1
