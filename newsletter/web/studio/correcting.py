"""Correct an event from the studio, with the same plan as in the terminal."""

from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.errors import InputError
from newsletter.language.counts import count_of, people_of
from newsletter.web.studio.confirmations import Question, Settlement
from newsletter.web.studio.questions import CHANGED, agreed_to, require_folder
from newsletter.web.studio.road import Fields, Filled, RoadPages, with_form
from newsletter.web.studio.studio import Studio, opened
from newsletter.workflows.publish.on_sending import publish_again
from newsletter.workflows.send.begin import begin
from newsletter.workflows.send.correct import PlannedCorrection, plan_correction
from newsletter.workflows.send.courier import Trip
from newsletter.workflows.send.plan import start_broadcast
from newsletter.workflows.send.plan_facts import STUDIO_SEAT, plan_facts


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the route of corrections."""
    pages = RoadPages(studio)

    def correct(request: Request, fields: Fields) -> Response:
        event = next(iter(fields.get("event", ())), "")
        filled = Filled(form="correction", event=event)
        return pages.ask(request, filled, lambda issue: correction_question(studio, issue, event))

    return [Route("/{issue}/sending/correction", with_form(correct), methods=["POST"])]


def correction_question(studio: Studio, issue: str, event: str, *, notice: str = "") -> Question:
    """Ask whether to correct an event. Show who was told what, and the email's plan. The number has to be typed.

    Raise InputError if no one needs a correction.
    """
    config, now = studio.read_config(), datetime.now(UTC)
    through = studio.courier.open_provider(config).describe()
    planned = _planned(studio, issue, event)
    plan, people = planned.broadcast, planned.broadcast.preview.recipients
    told = (f"{people_of(len(each.people))} told earlier: {each.told.shown}" for each in planned.misled)
    return Question(
        issue=issue,
        title=f"Send a correction to {count_of(people, 'subscriber')}?",
        facts=(
            *plan_facts(config, plan, through=through, seat=STUDIO_SEAT, now=now),
            ("now", planned.event.shown),
            ("before", "\n".join(told)),
        ),
        action=f"Send to {count_of(people, 'subscriber')}",
        notice=notice,
        notes=(*plan.notes, *plan.composed.notes),
        blocking=plan.blocking,
        people=people,
        act=partial(_correct, studio, issue, event, planned, through),
    )


def _planned(studio: Studio, issue: str, event: str) -> PlannedCorrection:
    config, now = studio.read_config(), datetime.now(UTC)
    with opened(config) as database:
        planned = plan_correction(config, database, require_folder(studio, issue), event, now=now)
    if planned is None:
        raise InputError(f"no one needs a correction: everyone who was told about {event} was told what is true now")
    return planned


def _correct(studio: Studio, issue: str, event: str, agreed: PlannedCorrection, through: str) -> Settlement | Question:
    """Create the broadcast exactly as agreed, and publish the new facts. Ask again if anything differs."""
    config, now = studio.read_config(), datetime.now(UTC)
    provider, fresh = studio.courier.open_provider(config), _planned(studio, issue, event)
    plan = fresh.broadcast
    if plan.blocking or provider.describe() != through or agreed_to(plan) != agreed_to(agreed.broadcast):
        return correction_question(studio, issue, event, notice=CHANGED)
    said: list[str] = []
    with opened(config) as database:
        broadcast = start_broadcast(
            database, plan, provider, most=agreed.broadcast.preview.recipients, now=datetime.now(UTC)
        )
        publish_again(config, database, now=now, say=said.append)
        beginning = begin(config, broadcast, plan, now=now)
    studio.courier.send(
        Trip(config=config, broadcast=broadcast.id, is_now=beginning.is_now, ahead=beginning.ahead, stays=False)
    )
    return Settlement(failure="\n".join(said), leads_to=f"sending/{broadcast.id}")
