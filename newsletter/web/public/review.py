"""The page on which a reviewer sees the email as they were asked to judge it, comments on its parts, and approves it.

A GET changes nothing. The email itself is in a frame that runs no scripts and loads nothing from anywhere.
"""

import re
from enum import StrEnum
from html import escape

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.config import CONFIG_FILE
from newsletter.content.loader import ISSUE_FILE, ISSUES_FOLDER
from newsletter.language.catalogue import words_of
from newsletter.model.finding import Severity
from newsletter.model.personal_links import read_link
from newsletter.model.rendered import data_address, with_picture_addresses
from newsletter.model.review import LONGEST_REMARK, ShownBlock, Snapshot
from newsletter.store.database import Connection
from newsletter.store.reviews import pictures_of
from newsletter.web.public.pages import language_of, neutral_page, page
from newsletter.web.public.pressing import asked_again, is_pressed, stamp_for, stamp_to_press_again
from newsletter.web.public.protection import first, read_form
from newsletter.web.public.service import Service
from newsletter.workflows.compose.placed import BLOCK_ATTRIBUTE
from newsletter.workflows.review.answer import (
    WHOLE,
    RefusedRemark,
    ReviewAnswers,
    ReviewStanding,
    ReviewVisit,
    answers_to,
    approve_seen,
    block_named,
    remark_on,
    seen_by,
    visit_of,
)
from newsletter.workflows.review.current import Currency, CurrentContent

_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)
_ATTRIBUTES = r"""(?:[^"'>]|"[^"]*"|'[^']*')*"""
# A block, with the link directly around it if there is one, because links cannot be inside links.
_MARKED = re.compile(
    rf"(?P<link><a\b{_ATTRIBUTES}>\s*)?"
    rf'<(?P<name>[\w:-]+) {BLOCK_ATTRIBUTE}="(?P<number>[0-9]+)"(?P<rest>{_ATTRIBUTES})>'
)
_MARK_STYLE = """<style>
.nl-here{position:relative!important}
a.nl-mark.nl-mark.nl-mark{position:absolute!important;top:0!important;inset-inline-end:-30px!important;z-index:9!important;
width:26px!important;height:26px!important;border-radius:13px!important;border:1px solid #8A8075!important;
background:#fff!important;color:#5E5850!important;font:600 15px/24px sans-serif!important;text-align:center!important;
text-decoration:none!important;padding:0!important;margin:0!important;opacity:.7}
td.nl-here>a.nl-mark.nl-mark.nl-mark{inset-inline-end:2px!important}
.nl-at>a.nl-mark.nl-mark.nl-mark{inset-inline-end:6px!important;top:6px!important}
a.nl-mark.nl-mark.nl-mark:hover,a.nl-mark.nl-mark.nl-mark:focus,:hover>a.nl-mark.nl-mark.nl-mark{opacity:1;background:#9C3353!important;color:#fff!important;border-color:#9C3353!important}
.nl-said{outline:2px solid #9C3353!important;outline-offset:2px!important}
.nl-at{display:block!important;height:0!important;line-height:0!important;font-size:0!important}
@media (max-width:480px){a.nl-mark.nl-mark.nl-mark{inset-inline-end:-18px!important;width:24px!important;
height:24px!important;line-height:22px!important;opacity:.85}}
@media print{.nl-mark{display:none!important}}
</style>"""


class _MailView(StrEnum):
    """How the email is shown."""

    EMAIL = "email"
    PHONE = "phone"
    TEXT = "text"


class _ShownAgain(Struct, frozen=True, kw_only=True):
    """What the page shows besides what is on record."""

    notice: str = ""  # a key of the words
    stamp: str = ""  # of the page that is shown again
    block: str = ""  # the number of the block to comment on, if there is such a block
    said: str = ""  # a comment as it was typed, if it is not saved


class _VisitRecord(Struct, frozen=True, kw_only=True):
    """What is on record about a visit."""

    visit: ReviewVisit
    snapshot: Snapshot
    answers: ReviewAnswers


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the pages for reviewers."""
    pages = _Reviewing(service)
    return [
        *(
            Route(f"/r/{{link}}{slash}", handler, methods=[method])
            for slash in ("", "/")
            for method, handler in (("GET", pages.show), ("POST", pages.post))
        ),
        Route("/r/{link}/mail", pages.mail),
    ]


class _Reviewing:
    """The request handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._current = CurrentContent(service.config)

    async def show(self, request: Request) -> Response:
        """Show the email, the findings and the forms. Change nothing."""
        record = await self._record(request)
        return await self._page(request, record, _ShownAgain(block=request.query_params.get("block", "")))

    async def mail(self, request: Request) -> Response:
        """Return the email itself, for the frame: its images are in it, and each block has a link to comment on it."""
        record = await self._record(request)
        if record is None or record.visit.standing is not ReviewStanding.OPEN:
            return neutral_page(self._service, request)
        review = record.visit.review.id
        pictures = await self._service.read(lambda connection: pictures_of(connection, review))
        addresses = {each.name: data_address(each.content_type, each.content) for each in pictures}
        variant = _variant_in(request, record.snapshot)
        html = with_picture_addresses(record.snapshot.variants[variant].html, addresses)
        html = _with_marks(html, self._marks(request, record, variant))
        return HTMLResponse(html, headers={"Content-Security-Policy": _MAIL_POLICY})

    async def post(self, request: Request) -> Response:
        """Save the comment or the approval that a form of the page sends, if a person pressed its button."""
        form, record = await read_form(request), await self._record(request)
        if record is None or record.visit.standing is not ReviewStanding.OPEN:
            return await self._page(request, record, _ShownAgain())
        reviewer, typed = record.visit.reviewer, _ShownAgain(block=first(form, "block"), said=first(form, "said"))
        if not is_pressed(self._service, request, form, reviewer):
            stamp = stamp_to_press_again(self._service, request, form, reviewer)
            notice = asked_again(self._service, request)
            shown = _ShownAgain(notice=notice[1] if notice else "", stamp=stamp, block=typed.block, said=typed.said)
            return await self._page(request, record, shown)
        if first(form, "do") == "approve":
            return await self._approve(request, record)
        if first(form, "do") == "remark":
            return await self._remark(request, record, typed)
        return await self._page(request, record, _ShownAgain())

    async def _approve(self, request: Request, record: _VisitRecord) -> Response:
        currency = await run_in_threadpool(self._current.compare, record.visit.review)
        if currency is Currency.CHANGED:
            return await self._page(request, record, _ShownAgain())
        now = self._service.now
        approval = await self._service.save(lambda connection: approve_seen(connection, record.visit, now=now))
        notice = "thanks" if approval else "ended"
        return await self._page(request, await self._record(request), _ShownAgain(notice=notice))

    async def _remark(self, request: Request, record: _VisitRecord, typed: _ShownAgain) -> Response:
        block = _block_in(request, record, typed.block)
        if block is None:
            return await self._page(
                request, record, _ShownAgain(notice=RefusedRemark.NO_SUCH_PLACE.value, said=typed.said)
            )
        key, now, visit = self._service.key, self._service.now, record.visit

        def save(connection: Connection) -> RefusedRemark | None:
            return remark_on(connection, visit, block, typed.said, key=key, now=now)

        refused = await self._service.save(save)
        if refused is not None:
            return await self._page(
                request, record, _ShownAgain(notice=refused.value, block=typed.block, said=typed.said)
            )
        return await self._page(request, await self._record(request), _ShownAgain(notice="remark_saved"))

    async def _record(self, request: Request) -> _VisitRecord | None:
        link, now = read_link(request.path_params["link"]), self._service.now

        def read(connection: Connection) -> _VisitRecord | None:
            visit = visit_of(connection, link, now=now)
            if visit is None:
                return None
            return _VisitRecord(visit=visit, snapshot=seen_by(connection, visit), answers=answers_to(connection, visit))

        return await self._service.read(read)

    async def _page(self, request: Request, record: _VisitRecord | None, shown: _ShownAgain) -> Response:
        if record is None:
            return neutral_page(self._service, request)
        visit = record.visit
        if visit.standing is not ReviewStanding.OPEN:
            return page(self._service, request, "review_over.html.j2", status=410, standing=visit.standing.value)
        currency = await run_in_threadpool(self._current.compare, visit.review)
        variant, view = _variant_in(request, record.snapshot), _view_in(request)
        block = _block_in(request, record, shown.block)
        answer = page(
            self._service,
            request,
            "review.html.j2",
            visit=visit,
            snapshot=record.snapshot,
            answers=record.answers,
            shown=record.snapshot.variants[variant],
            variant=variant,
            view=view.value,
            views=[each.value for each in _MailView],
            frame=f"{self._address(request)}/mail?version={variant}",
            address=self._address(request),
            is_changed=currency is Currency.CHANGED,
            is_approved=any(each.by == visit.reviewer.name for each in record.answers.approvals),
            notice=shown.notice,
            stamp=shown.stamp or stamp_for(visit.reviewer, now=self._service.now),
            block=shown.block if block and block.words else WHOLE,
            about=block.words if block else "",
            said=shown.said,
            errors=Severity.ERROR,
            longest_remark=LONGEST_REMARK,
        )
        answer.headers["Content-Security-Policy"] = _PAGE_POLICY
        return answer

    def _address(self, request: Request) -> str:
        return f"{self._service.path}/r/{request.path_params['link']}"

    def _marks(self, request: Request, record: _VisitRecord, variant: int) -> "_Marks":
        said = {(each.path, each.line or None, each.words) for each in record.answers.remarks}
        blocks = record.snapshot.variants[variant].blocks
        return _Marks(
            address=f"{self._address(request)}?version={variant}&view={_view_in(request).value}",
            label=words_of(language_of(self._service, request), "review")["mark"],
            blocks=blocks,
            said=frozenset(
                number for number, block in enumerate(blocks) if (block.path, block.line, block.words) in said
            ),
        )


class _Marks(Struct, frozen=True, kw_only=True):
    """The links with which a reviewer chooses a block of the email."""

    address: str
    label: str  # of each link, with a place for the words of the block
    blocks: tuple[ShownBlock, ...]
    said: frozenset[int]  # the blocks about which something has been said


def _with_marks(html: str, marks: _Marks) -> str:
    """Return the email's HTML with a link on each block, which opens the page's form for a comment on it."""

    def marked(match: re.Match[str]) -> str:
        number = int(match["number"])
        if number >= len(marks.blocks):
            return match[0]
        label = escape(marks.label.format(words=marks.blocks[number].words[:60]))
        address = escape(f"{marks.address}&block={number}#comment")
        link = f'<a class="nl-mark" href="{address}" target="_top" title="{label}" aria-label="{label}">+</a>'
        if match["name"] == "img":
            # One of the two logos is hidden, and a link beside it would not be.
            is_logo = marks.blocks[number].path == CONFIG_FILE
            return match[0] if is_logo else f'<span class="nl-at nl-here">{link}</span>{match[0]}'
        shown = "nl-here nl-said" if number in marks.said else "nl-here"
        return f"{match['link'] or ''}<{match['name']}{_with_class(match['rest'], shown)}>{link}"

    html = _MARKED.sub(marked, html)
    return re.sub(r"<head\b[^>]*>", lambda head: f'{head[0]}<base target="_blank">{_MARK_STYLE}', html, count=1)


def _with_class(attributes: str, names: str) -> str:
    """Return the attributes of a tag with more classes."""
    with_names, found = re.subn(r'(\sclass=")', rf"\g<1>{names} ", attributes, count=1)
    return with_names if found else f' class="{names}"{attributes}'


def _variant_in(request: Request, snapshot: Snapshot) -> int:
    number = request.query_params.get("version", "")
    return next((at for at in range(len(snapshot.variants)) if str(at) == number), 0)


def _view_in(request: Request) -> _MailView:
    view = request.query_params.get("view", "")
    return _MailView(view) if view in set(_MailView) else _MailView.EMAIL


def _block_in(request: Request, record: _VisitRecord, block: str) -> ShownBlock | None:
    issue_file = f"{ISSUES_FOLDER}/{record.visit.review.issue}/{ISSUE_FILE}"
    return block_named(record.snapshot, _variant_in(request, record.snapshot), block, issue_file=issue_file)
