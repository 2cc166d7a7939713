"""The questions about a broadcast that exists: whether to cancel it, to continue it, or to choose a version of it."""

from datetime import UTC, datetime
from functools import partial

from newsletter.language.counts import count_of
from newsletter.model.broadcast import BroadcastState
from newsletter.store.ledger.status import tally_of
from newsletter.web.studio.confirmations import Question, Settlement
from newsletter.web.studio.questions import CHANGED
from newsletter.web.studio.studio import Studio, opened
from newsletter.workflows.publish.on_sending import publish_again
from newsletter.workflows.send.cancel import CANCEL_PATIENCE, cancel_broadcast, holder_of, plan_cancel
from newsletter.workflows.send.courier import Trip
from newsletter.workflows.send.plan import reopen_broadcast, require_unfinished
from newsletter.workflows.send.questions import cancel_facts, people_to_resume, question_of_resume, resume_facts
from newsletter.workflows.send.schedule import lead_of
from newsletter.workflows.send.status import status_of
from newsletter.workflows.send.winner import choose_winner, comparison_facts, comparison_of, require_choice

_MORE = "More people would get it now than when you were asked."


def cancel_question(studio: Studio, issue: str, number: int) -> Question:
    """Ask whether to cancel a broadcast. Show how many people it still reaches."""
    config, now = studio.config, datetime.now(UTC)
    with opened(config) as database:
        holder = holder_of(config, database, number, partial(studio.courier.open_provider, config), now=now)
        plan = plan_cancel(database, number, holder, now=now)
    return Question(
        issue=issue,
        title=f"Cancel broadcast {number}?",
        facts=tuple(cancel_facts(config, plan, now=now)),
        action=f"Cancel broadcast {number}",
        act=partial(_cancel, studio, number),
    )


def _cancel(studio: Studio, number: int) -> Settlement:
    config, stop = studio.config, studio.courier.new_stop()
    with opened(config) as database:
        holder = holder_of(
            config, database, number, partial(studio.courier.open_provider, config), now=datetime.now(UTC)
        )
        studio.courier.halt(number)
        found = cancel_broadcast(database, number, holder, patience=CANCEL_PATIENCE, stop=stop)
    leads_to = f"sending/{number}"
    if found.state is BroadcastState.CANCELLING:
        what = "It is not completely canceled yet, because another process is still sending. Cancel it again."
        return Settlement(failure=what, leads_to=leads_to)
    return Settlement(leads_to=leads_to)


def winner_question(studio: Studio, issue: str, number: int, *, version: str, notice: str = "") -> Question:
    """Ask whether all others shall get a version. The number of people has to be typed."""
    config, now = studio.read_config(), datetime.now(UTC)
    through = studio.courier.open_provider(config).describe()
    with opened(config) as database:
        watch = require_choice(database, number, version)
        facts = comparison_facts(comparison_of(database, number), zone=config.settings.newsletter.timezone, now=now)
        people = tally_of(database, number).waiting
    subscribers = count_of(people, "subscriber")
    return Question(
        issue=issue,
        title=f"Send version {version} to {subscribers}?",
        facts=(("broadcast", f"{number}: {watch.first:,} were compared"), *facts, ("through", through)),
        action=f"Send version {version} to {subscribers}",
        notice=notice,
        people=people,
        act=partial(_choose, studio, issue, number, version, people),
    )


def _choose(studio: Studio, issue: str, number: int, version: str, agreed: int) -> Settlement | Question:
    config, now = studio.read_config(), datetime.now(UTC)
    with opened(config) as database:
        if tally_of(database, number).waiting > agreed:
            return winner_question(studio, issue, number, version=version, notice=_MORE)
        choose_winner(database, number, version, now=now)
        said: list[str] = []
        publish_again(config, database, now=now, say=said.append)
    studio.courier.send(Trip(config=config, broadcast=number, is_now=True, ahead=lead_of(config), stays=False))
    return Settlement(said=tuple(said), leads_to=f"sending/{number}")


def resume_question(studio: Studio, issue: str, number: int, *, notice: str = "") -> Question:
    """Ask whether to continue a broadcast that was interrupted or paused. The number of people has to be typed."""
    config, now = studio.read_config(), datetime.now(UTC)
    provider = studio.courier.open_provider(config)
    through = provider.describe()
    with opened(config) as database:
        require_unfinished(database, number, provider, lead=lead_of(config), now=now)
        found = status_of(database, number)
    people = people_to_resume(found, now=now)
    subscribers = count_of(people, "subscriber")
    return Question(
        issue=issue,
        title=f"Continue broadcast {number}{f', and {question_of_resume(found, people)}' if people else ''}?",
        facts=tuple(resume_facts(config, found, through=through, now=now)),
        action=f"Send to {subscribers}" if people else f"Continue broadcast {number}",
        notice=notice,
        people=people or None,
        act=partial(_resume, studio, issue, number, people, through),
    )


def _resume(studio: Studio, issue: str, number: int, agreed: int, through: str) -> Settlement | Question:
    config, now = studio.read_config(), datetime.now(UTC)
    lead = lead_of(config)
    provider = studio.courier.open_provider(config)
    if provider.describe() != through:
        return resume_question(studio, issue, number, notice=CHANGED)
    with opened(config) as database:
        require_unfinished(database, number, provider, lead=lead, now=now)
        if people_to_resume(status_of(database, number), now=now) > agreed:
            return resume_question(studio, issue, number, notice=_MORE)
        reopen_broadcast(database, number, now=now)
    studio.courier.send(Trip(config=config, broadcast=number, is_now=True, ahead=lead, stays=False))
    return Settlement(leads_to=f"sending/{number}")
