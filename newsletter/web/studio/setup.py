"""Setup in the studio: an overview of the steps, and a page for each with its questions, checks and actions."""

import os
from collections.abc import Callable, Mapping
from threading import Lock
from urllib.parse import parse_qs

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.config import CONFIG_FILE
from newsletter.errors import FaultError, Mistake, MistakesError, NewsletterError
from newsletter.model.diagnosis import DnsRecord, HealthItem
from newsletter.web.studio.studio import Studio
from newsletter.web.studio.templates import page
from newsletter.workflows.setup.asking import NO_ANSWER, NearMissError, SetupQuestion, answer
from newsletter.workflows.setup.situation import Situation, look_at
from newsletter.workflows.setup.steps import STEPS, SetupStep, StepState, first_unfinished

_PLACE = "/-/setup"
OTHER = "other"  # chosen to type an answer that is not among the choices
_FIELD_LIMIT = 2_000  # characters of one answer


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of setup."""
    pages = _SetupPages(studio)
    return [
        Route(_PLACE, pages.overview),
        Route(f"{_PLACE}/{{step}}", pages.step),
        Route(f"{_PLACE}/{{step}}", pages.save, methods=["POST"]),
        Route(f"{_PLACE}/{{step}}/act", pages.act, methods=["POST"]),
    ]


class _Trouble(Struct, frozen=True, kw_only=True):
    """Why an answer could not be used: what was typed, the message, and the nearest answer that can."""

    typed: str
    message: str
    nearest: str = ""


class _ListedStep(Struct, frozen=True, kw_only=True):
    """A step in the list of steps."""

    step: SetupStep
    state: StepState


class _SetupPages:
    """The request handlers. Those that are not `async` run in threads, because they read files and ask servers."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._said: dict[str, str] = {}  # what was done in a step; each is shown once
        self._acting = Lock()

    def overview(self, _request: Request) -> Response:
        """Return the list of steps, with what is done."""
        return self._guarded(self._overview)

    def step(self, request: Request) -> Response:
        """Return the page of a step. With `check` in the address, check live."""
        step, is_checked = _step_of(request), "check" in request.query_params
        return self._guarded(lambda: self._shown(step, is_checked=is_checked))

    async def save(self, request: Request) -> Response:
        """Save the answers from the form. Show what cannot be used beside its question."""
        step, fields = _step_of(request), await _fields_of(request)
        return await run_in_threadpool(self._guarded, lambda: self._save(step, fields))

    async def act(self, request: Request) -> Response:
        """Do what the step is about."""
        step = _step_of(request)
        return await run_in_threadpool(self._guarded, lambda: self._act(step))

    def _guarded(self, respond: Callable[[], Response]) -> Response:
        """Return a response, or the page that says what must be corrected before setup can read the workspace."""
        try:
            return respond()
        except MistakesError as err:
            mistakes = err.mistakes
        except NewsletterError as err:  # the database cannot be opened, for example
            what, _, remedy = str(err).partition("; ")
            mistakes = (Mistake(path=CONFIG_FILE, what=what, remedy=remedy or "try again"),)
        return page(self._studio, "setup_mistakes.html.j2", status=409, mistakes=mistakes)

    def _overview(self) -> Response:
        situation = self._situation()
        first = first_unfinished(situation)
        return page(self._studio, "setup.html.j2", steps=_listed(situation), first=first, current="")

    def _situation(self) -> Situation:
        return look_at(self._studio.config.root, os.environ)

    def _save(self, step: SetupStep, fields: Mapping[str, str]) -> Response:
        troubles: dict[str, _Trouble] = {}
        asked = step.asked(self._situation())
        typed = {
            question: _typed(fields, question.name)[:_FIELD_LIMIT] for question in asked if question.name in fields
        }
        # Empty fields come last. Their suggestions follow from the other answers, and are used only if those are fine.
        for question, text in sorted(typed.items(), key=lambda each: not each[1]):
            if text or not troubles:
                try:
                    self._answer(step, question, text)
                except (FaultError, NewsletterError) as err:
                    troubles[question.name] = _trouble(err, text)
        self._studio.proofs.note_changes({self._studio.config.root / CONFIG_FILE})
        if troubles:
            return self._shown(step, status=422, troubles=troubles)
        has_more = step.asked(self._situation()) != asked or step.check or step.act or step.name in self._said
        following = (None if has_more else _after(step)) or step
        self._said.setdefault(following.name, "Saved.")
        return RedirectResponse(f"{_PLACE}/{following.name}", status_code=303)

    def _answer(self, step: SetupStep, question: SetupQuestion, text: str) -> None:
        situation = self._situation()
        if text and text == question.current(situation):
            return
        # In a form, an empty field means no answer. In the terminal, Enter keeps what there is.
        if done := answer(question, situation, text or (NO_ANSWER if question.is_optional else "")):
            self._said[step.name] = done

    def _act(self, step: SetupStep) -> Response:
        if step.act is None:
            raise HTTPException(404, "There is nothing to do in this step.\n")
        if not self._acting.acquire(blocking=False):  # a double click, which must not send a second email
            return self._shown(step, status=409, failure="this is being done already; wait, then reload the page")
        try:
            self._said[step.name] = step.act.run(self._situation())
        except NewsletterError as err:
            return self._shown(step, status=422, failure=str(err))
        finally:
            self._acting.release()
        return RedirectResponse(f"{_PLACE}/{step.name}", status_code=303)

    def _shown(
        self,
        step: SetupStep,
        *,
        status: int = 200,
        is_checked: bool = False,
        troubles: Mapping[str, _Trouble] | None = None,
        failure: str = "",
    ) -> Response:
        situation = self._situation()
        items = step.check(situation) if is_checked and step.check else None
        return page(
            self._studio,
            "setup_step.html.j2",
            status=status,
            steps=_listed(situation),
            current=step.name,
            step=step,
            state=step.state(situation),
            questions=step.asked(situation),
            situation=situation,
            other=OTHER,
            guide=step.guide(situation),
            troubles=troubles or {},
            failure=failure,
            said=self._said.pop(step.name, "") if status == 200 else "",
            items=items,
            records=_records(items or ()),
            following=_after(step),
            accent=situation.config.settings.brand.light.accent,
            dark_accent=situation.config.settings.brand.dark.accent,
        )


def _trouble(err: FaultError | NewsletterError, typed: str) -> _Trouble:
    if isinstance(err, NearMissError):
        return _Trouble(typed=typed, message=err.what, nearest=err.nearest)
    return _Trouble(typed=typed, message=str(err))


def _step_of(request: Request) -> SetupStep:
    name = request.path_params["step"]
    found = next((step for step in STEPS if step.name == name), None)
    if found is None:
        raise HTTPException(404, "Setup has no such step.\n")
    return found


async def _fields_of(request: Request) -> Mapping[str, str]:
    """Return the last value of each field: a button's value comes after that of the field it replaces."""
    fields = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def _typed(fields: Mapping[str, str], name: str) -> str:
    """Return an answer. If none of the choices was chosen, it is in the field beside them."""
    chosen = fields[name].strip()
    return fields.get(f"{name}:other", "").strip() if chosen == OTHER else chosen


def _listed(situation: Situation) -> tuple[_ListedStep, ...]:
    return tuple(_ListedStep(step=step, state=step.state(situation)) for step in STEPS)


def _after(step: SetupStep) -> SetupStep | None:
    """Return the step after this one, or None after the last."""
    return next(iter(STEPS[STEPS.index(step) + 1 :]), None)


def _records(items: tuple[HealthItem, ...]) -> tuple[DnsRecord, ...]:
    return tuple(dict.fromkeys(record for item in items for record in item.records))
