"""Join: a form, the page that the link in the email opens, and the button there.

What the page answers never depends on whose address it is: the form is saved, and everything else is decided later, by
what sends the email. A program that fills in the form, and a client that fills it in too often, get the same page.

A form on another site cannot have the code of our page. What it sends is shown once more, to be checked and sent again.
"""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.model.personal_links import masked
from newsletter.model.signup import LONGEST_NAME, Signup, SignupRefusal
from newsletter.store.service import service_key
from newsletter.store.signups import Confirmation, add_signup, refuse_signup
from newsletter.web.public.limits import ClientLimits
from newsletter.web.public.pages import Notice, language_of, neutral_page, page, said_page
from newsletter.web.public.pressing import asked_again, is_pressed, stamp_for, stamp_to_press_again
from newsletter.web.public.protection import Form, first, link_in, read_form
from newsletter.web.public.service import Service
from newsletter.workflows.signup.join import confirm, is_disposable, signup_of, signup_request, wording_of_form

TRAP = "website"  # a field that people neither see nor fill in
_SECONDS_TO_FILL_IN = 3  # at least


class _Everyone(Struct, frozen=True):
    """The owner of the page with the form, which is the same for everyone."""

    token: str
    id: str = "join"


def routes(service: Service) -> list[BaseRoute]:
    """Return the routes of the pages on which people join."""
    pages = _Joining(service)
    return [
        Route("/join", pages.show),
        Route("/join", pages.post, methods=["POST"]),
        Route("/join/{link}", pages.show_confirmation),
        Route("/join/{link}", pages.press, methods=["POST"]),
    ]


class _Joining:
    """The request handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._everyone = _Everyone(service_key(service.database).hex())
        self._limits = ClientLimits()

    async def show(self, request: Request) -> Response:
        """Show the form."""
        asked = {name: (request.query_params.get(name, ""),) for name in ("form", "language")}
        return self._form(request, asked)

    async def post(self, request: Request) -> Response:
        """Save what was filled in, or show the form again. Both are the same for everyone's address."""
        form, service, now = await read_form(request), self._service, self._service.now
        if first(form, "from") != "page":
            return self._form(request, form, notice=("joining", "check"))
        if not is_pressed(service, request, form, self._everyone, seconds=_SECONDS_TO_FILL_IN):
            stamp = stamp_to_press_again(service, request, form, self._everyone)
            return self._form(request, form, notice=asked_again(service, request), stamp=stamp)
        try:
            wanted = signup_request(
                service.config,
                email=first(form, "email"),
                first_name=first(form, "first_name"),
                topics=form.get("topic", ()),
                wants_tracking=bool(first(form, "tracking")),
                source=first(form, "form"),
                language=language_of(service, request, first(form, "language")),
            )
        except ValueError:
            error = "email_wrong" if first(form, "email") else "email_missing"
            return self._form(request, form, error=error, stamp=first(form, "stamp"))
        if first(form, "wording") != wanted.wording.version:  # the words are others now than those that they agreed to
            return self._form(request, form, notice=("joining", "check"))
        refusal = self._refusal(request, form, wanted.email)
        saving = refuse_signup(refusal, now=now) if refusal else add_signup(wanted, key=service.key, now=now)
        await service.save_and_send(saving)  # one commit for everyone, so that the time of the answer shows nothing
        about = ("joining", "asked")  # it is the same for everyone's address
        return said_page(service, request, about, more="asked_help", language=wanted.language, address=wanted.email)

    async def show_confirmation(self, request: Request) -> Response:
        """Show the page with the button. Change nothing, because scanners follow every link of an email."""
        link = link_in(request)
        signup = await self._service.read(lambda connection: signup_of(connection, link))
        return neutral_page(self._service, request) if signup is None else self._button(request, signup)

    async def press(self, request: Request) -> Response:
        """Confirm the sign-up, if a person pressed the button of our page."""
        form, service, now = await read_form(request), self._service, self._service.now
        link = link_in(request)
        signup = await service.read(lambda connection: signup_of(connection, link))
        if signup is None:
            return neutral_page(service, request)
        if not is_pressed(service, request, form, signup):
            stamp = stamp_to_press_again(service, request, form, signup)
            return self._button(request, signup, notice=asked_again(service, request), stamp=stamp)
        found = await service.save_and_send(confirm(service.config, link, key=service.key, now=now))
        return neutral_page(service, request) if found is None else self._confirmed(request, found)

    def _refusal(self, request: Request, form: Form, email: str) -> SignupRefusal | None:
        """Return why a form is not followed up, whatever its address is, or None."""
        if not self._limits.allow(request):
            return SignupRefusal.CLIENT
        if first(form, TRAP):
            return SignupRefusal.BOT
        return SignupRefusal.DISPOSABLE if is_disposable(self._service.config, email) else None

    def _form(
        self,
        request: Request,
        form: Form,
        *,
        notice: Notice = None,
        error: str = "",
        stamp: str = "",
    ) -> HTMLResponse:
        """Return the page with the form, with everything kept that was filled in."""
        settings, language = self._service.config.settings, language_of(self._service, request, first(form, "language"))
        chosen = form.get("topic", ())
        return page(
            self._service,
            request,
            "join.html.j2",
            language=language,
            status=422 if error else 200,
            notice=notice,
            error=error,
            stamp=stamp or stamp_for(self._everyone, now=self._service.now),
            email=first(form, "email")[:320],
            first_name=first(form, "first_name")[:LONGEST_NAME],
            form=first(form, "form")[:40],
            trap=TRAP,
            longest_name=LONGEST_NAME,
            about=settings.signup.about_in(language, otherwise=settings.newsletter.language),
            asks_tracking=settings.signup.asks_tracking,
            wants_tracking=bool(first(form, "tracking")),
            wording=wording_of_form(self._service.config, language).version,
            topics=[
                {"name": name, "title": title, "is_wanted": name in chosen} for name, title in settings.topics.items()
            ],
        )

    def _button(self, request: Request, signup: Signup, *, notice: Notice = None, stamp: str = "") -> HTMLResponse:
        now = self._service.now
        if signup.confirmed_at is None and not signup.is_valid(now):
            return self._said(request, signup, "late")
        return page(
            self._service,
            request,
            "confirm.html.j2",
            language=signup.language,
            is_asked_again=signup.is_asked_again,
            address=masked(signup.email),
            notice=notice,
            stamp=stamp or stamp_for(signup, now=now),
        )

    def _confirmed(self, request: Request, found: Confirmation) -> HTMLResponse:
        if found.is_late:
            return self._said(request, found.signup, "late")
        return self._said(request, found.signup, "confirmed" if found.is_on_list else "blocked")

    def _said(self, request: Request, signup: Signup, key: str) -> HTMLResponse:
        return said_page(
            self._service, request, ("joining", key), language=signup.language, address=masked(signup.email)
        )
