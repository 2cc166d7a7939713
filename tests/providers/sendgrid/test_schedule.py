"""Mail that SendGrid holds until its time, and what happens to it when it is cancelled."""

import json
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.errors import BatchLimitError, ProviderError, StillHeldError
from newsletter.model.broadcast import Mailing, NextStep, Verdict
from newsletter.providers.base import Provider, Scheduler
from tests.fakes.sendgrid_api import Answer, Fault, SendGridApi
from tests.providers.mailings import chunk, mailing, recipient
from tests.providers.sendgrid.parts import API_KEY, scheduler_of, sendgrid, submit
from tests.providers.workspace import NOW

DUE = NOW + timedelta(hours=3)
ANA, BEN = recipient(1, "ana@example.org"), recipient(2, "ben@example.org")


@pytest.fixture
def scheduler(provider: Provider) -> Scheduler:
    """Its scheduler."""
    return scheduler_of(provider)


def test_held_mail_reaches_people_at_its_time_and_not_before(api: SendGridApi, provider: Provider) -> None:
    held = _held_mailing(provider)

    outcome = submit(provider, replace(chunk(ANA, BEN, of=held), hold_until=DUE))

    assert outcome.verdict is Verdict.ACCEPTED
    assert not api.delivered(DUE - timedelta(seconds=1))
    assert [mail.email for mail in api.delivered(DUE)] == [ANA.email, BEN.email]
    request = json.loads(api.bodies[0])
    assert (request["send_at"], request["batch_id"]) == (int(DUE.timestamp()), held.batch_id)


def test_mail_without_a_time_leaves_at_once_and_belongs_to_no_batch(api: SendGridApi, provider: Provider) -> None:
    submit(provider, chunk(ANA, of=_held_mailing(provider)))

    assert [mail.email for mail in api.delivered(NOW)] == [ANA.email]
    assert not json.loads(api.bodies[0]).keys() & {"send_at", "batch_id"}


def test_mail_whose_time_has_passed_leaves_at_once(api: SendGridApi, provider: Provider) -> None:
    late = NOW - timedelta(minutes=1)

    submit(provider, replace(chunk(ANA, of=_held_mailing(provider)), hold_until=late))

    assert len(api.delivered(NOW)) == 1


def test_mail_can_be_held_as_long_as_the_scheduler_says(
    api: SendGridApi, provider: Provider, scheduler: Scheduler
) -> None:
    furthest = replace(chunk(ANA, of=_held_mailing(provider)), hold_until=NOW + scheduler.longest)

    assert submit(provider, furthest).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("batch_id", "ahead", "field"), [(None, timedelta(hours=73), "send_at"), ("unknown", timedelta(1), "batch_id")]
)
def test_a_time_or_a_batch_that_sendgrid_refuses_pauses_and_blames_no_message(
    api: SendGridApi, provider: Provider, batch_id: str | None, ahead: timedelta, field: str
) -> None:
    of = _held_mailing(provider) if batch_id is None else replace(mailing(), batch_id=batch_id)

    outcome = submit(provider, replace(chunk(ANA, of=of), hold_until=NOW + ahead))

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.PAUSE)
    assert field in outcome.reason
    assert "clock" in outcome.reason
    assert not outcome.invalid


def test_each_batch_has_its_own_id(scheduler: Scheduler) -> None:
    assert scheduler.open_batch() != scheduler.open_batch()


def test_a_cancelled_batch_reaches_nobody(api: SendGridApi, provider: Provider, scheduler: Scheduler) -> None:
    held = _held_mailing(provider)
    submit(provider, replace(chunk(ANA, of=held), hold_until=DUE))

    scheduler.cancel_batch(held.batch_id)
    submit(provider, replace(chunk(BEN, of=held, number=2), hold_until=DUE))  # on its way while it was cancelled

    assert not api.delivered(DUE + timedelta(days=1))


def test_other_batches_are_not_cancelled_with_one(api: SendGridApi, provider: Provider, scheduler: Scheduler) -> None:
    one, other = _held_mailing(provider), _held_mailing(provider)
    submit(provider, replace(chunk(ANA, of=one), hold_until=DUE))
    submit(provider, replace(chunk(BEN, of=other), hold_until=DUE))

    scheduler.cancel_batch(one.batch_id)

    assert [mail.email for mail in api.delivered(DUE)] == [BEN.email]


@pytest.mark.parametrize(("seconds_too_late", "reaches"), [(0, False), (1, True)])
def test_the_margin_is_what_sendgrid_needs(
    api: SendGridApi, provider: Provider, scheduler: Scheduler, seconds_too_late: int, reaches: bool
) -> None:
    held = _held_mailing(provider)
    submit(provider, replace(chunk(ANA, of=held), hold_until=DUE))
    api.now = DUE - scheduler.margin + timedelta(seconds=seconds_too_late)

    scheduler.cancel_batch(held.batch_id)

    assert bool(api.delivered(DUE)) is reaches


def test_cancelling_again_is_fine(api: SendGridApi, scheduler: Scheduler) -> None:
    batch_id = scheduler.open_batch()

    scheduler.cancel_batch(batch_id)
    scheduler.cancel_batch(batch_id)

    assert _statuses(api) == {batch_id: "cancel"}


def test_a_batch_that_somebody_paused_is_cancelled(api: SendGridApi, scheduler: Scheduler) -> None:
    batch_id = scheduler.open_batch()
    api.schedules.set({"batch_id": batch_id, "status": "pause"}, NOW)

    scheduler.cancel_batch(batch_id)

    assert _statuses(api) == {batch_id: "cancel"}


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.QUEUE_THEN_RESET, Fault.QUEUE_THEN_500, Fault.TRUNCATE])
def test_a_cancel_whose_answer_is_lost_is_an_error_and_can_be_repeated(
    api: SendGridApi, scheduler: Scheduler, fault: Fault
) -> None:
    batch_id = scheduler.open_batch()
    api.script(fault)

    with pytest.raises(ProviderError, match="cancel again"):
        scheduler.cancel_batch(batch_id)
    scheduler.cancel_batch(batch_id)

    assert _statuses(api) == {batch_id: "cancel"}


@pytest.mark.parametrize("step", [Answer.error(503, "busy"), Fault.QUEUE_THEN_RESET, Answer(status=200, body=b"[]")])
@pytest.mark.parametrize("requests_before", [1, 2])  # the question what status it has, and its change
def test_a_batch_counts_as_cancelled_only_when_sendgrid_has_said_so(
    api: SendGridApi, scheduler: Scheduler, step: Answer | Fault, requests_before: int
) -> None:
    batch_id = scheduler.open_batch()
    api.schedules.set({"batch_id": batch_id, "status": "pause"}, NOW)
    api.script(*[Fault.NONE] * requests_before, step)

    with pytest.raises(ProviderError):
        scheduler.cancel_batch(batch_id)
    scheduler.cancel_batch(batch_id)

    assert _statuses(api) == {batch_id: "cancel"}


def test_the_eleventh_batch_is_not_cancelled_and_says_what_to_do(api: SendGridApi, scheduler: Scheduler) -> None:
    for _ in range(10):
        scheduler.cancel_batch(scheduler.open_batch())
    eleventh = scheduler.open_batch()

    with pytest.raises(ProviderError, match="10 canceled or paused batches, and the limit is 10: remove one"):
        scheduler.cancel_batch(eleventh)

    assert eleventh not in _statuses(api)


def test_a_cleared_batch_makes_room_for_another(api: SendGridApi, scheduler: Scheduler) -> None:
    batches = [scheduler.open_batch() for _ in range(scheduler.most_cancelled + 1)]
    for batch in batches[:-1]:
        scheduler.cancel_batch(batch)
    with pytest.raises(BatchLimitError):
        scheduler.cancel_batch(batches[-1])

    scheduler.clear_batch(batches[0])
    scheduler.clear_batch(batches[0])
    scheduler.cancel_batch(batches[-1])

    assert batches[0] not in _statuses(api)


def test_what_was_cleared_before_its_time_is_sent_and_what_was_discarded_is_not(
    api: SendGridApi, provider: Provider, scheduler: Scheduler
) -> None:
    early, late = _held_mailing(provider), _held_mailing(provider)
    submit(provider, replace(chunk(ANA, of=early), hold_until=DUE))
    submit(provider, replace(chunk(BEN, of=late), hold_until=DUE))
    for mailing_ in (early, late):
        scheduler.cancel_batch(mailing_.batch_id)

    scheduler.clear_batch(early.batch_id)
    api.now = DUE + timedelta(minutes=30)
    scheduler.clear_batch(late.batch_id)

    assert [mail.email for mail in api.delivered(DUE + timedelta(hours=1))] == [ANA.email]


@pytest.mark.parametrize("step", [Answer.error(403, "access forbidden"), Fault.RESET, Answer.error(500, "busy")])
def test_a_batch_that_may_still_have_a_status_is_an_error(
    api: SendGridApi, scheduler: Scheduler, step: Answer | Fault
) -> None:
    batch_id = scheduler.open_batch()
    scheduler.cancel_batch(batch_id)
    api.script(step)

    with pytest.raises(ProviderError, match="did not delete the status of a past batch"):
        scheduler.clear_batch(batch_id)

    assert batch_id in _statuses(api)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 429])
def test_a_refusal_certainly_leaves_the_batch_held(api: SendGridApi, scheduler: Scheduler, status: int) -> None:
    batch_id = scheduler.open_batch()
    api.script(Answer.error(status, "no"))

    with pytest.raises(StillHeldError):
        scheduler.cancel_batch(batch_id)

    assert not _statuses(api)


@pytest.mark.parametrize(
    "step", [Answer.error(500, "busy"), Answer(status=200), Fault.QUEUE_THEN_RESET, Fault.TRUNCATE]
)
def test_after_any_other_answer_a_batch_may_be_cancelled(
    api: SendGridApi, scheduler: Scheduler, step: Answer | Fault
) -> None:
    batch_id = scheduler.open_batch()
    api.script(step)

    with pytest.raises(ProviderError) as caught:
        scheduler.cancel_batch(batch_id)

    assert not isinstance(caught.value, StillHeldError)


def test_a_paused_batch_whose_change_fails_may_be_cancelled(api: SendGridApi, scheduler: Scheduler) -> None:
    batch_id = scheduler.open_batch()
    api.schedules.set({"batch_id": batch_id, "status": "pause"}, NOW)
    api.script(Fault.NONE, Fault.NONE, Answer.error(403, "no"))

    with pytest.raises(ProviderError) as caught:
        scheduler.cancel_batch(batch_id)

    assert not isinstance(caught.value, StillHeldError)


def test_an_unknown_batch_is_an_error(scheduler: Scheduler) -> None:
    with pytest.raises(ProviderError, match="invalid batch id"):
        scheduler.cancel_batch("no-such-batch")


def test_a_batch_id_stays_one_part_of_the_address(api: SendGridApi, scheduler: Scheduler) -> None:
    with pytest.raises(ProviderError):
        scheduler.cancel_batch("../mail/send?x=")

    assert [exchange.path for exchange in api.exchanges][1] == "/v3/user/scheduled_sends/..%2Fmail%2Fsend%3Fx%3D"


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "read SendGrid's message"),
        (401, "SENDGRID_API_KEY"),
        (403, "permission"),
        (404, "api_url"),
        (405, "api_url"),
        (429, "wait"),
        (500, "wait"),
        (503, "wait"),
    ],
)
def test_a_refusal_names_the_answer_and_what_to_do_and_keeps_the_key(
    api: SendGridApi, scheduler: Scheduler, status: int, advice: str
) -> None:
    api.script(*[Answer.error(status, f"no: Bearer {API_KEY}")] * 2)

    for refused in (scheduler.open_batch, lambda: scheduler.cancel_batch("x")):
        with pytest.raises(ProviderError, match=str(status)) as caught:
            refused()
        assert advice in str(caught.value)
        assert "again" in str(caught.value)
        assert API_KEY not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=201),
        Answer(status=201, body=b'{"batch_id": ""}'),
        Answer(status=201, body=b'{"batch_id": "a/b"}'),
        Answer(status=201, body=b"[]"),
        Answer(status=200, body=b'{"batch_id": "abc"}'),
    ],
)
def test_an_answer_without_a_batch_id_is_an_error(api: SendGridApi, scheduler: Scheduler, answer: Answer) -> None:
    api.script(answer)

    with pytest.raises(ProviderError, match="no batch id"):
        scheduler.open_batch()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_takes_the_key_nowhere(
    api: SendGridApi, scheduler: Scheduler, status: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        api.script(Answer(status=status, headers={"Location": f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"}))
        with pytest.raises(ProviderError):
            scheduler.cancel_batch("x")
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):  # no one came
            elsewhere.accept()


def test_an_answer_that_never_comes_is_not_waited_for(api: SendGridApi, tmp_path: Path) -> None:
    api.script(Fault.HANG)

    with pytest.raises(ProviderError, match="the answer was lost"):
        scheduler_of(sendgrid(tmp_path, api.url, more="timeout_seconds = 0.3")).open_batch()


def test_where_nothing_listens_it_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

    with pytest.raises(ProviderError, match="could not be reached"):
        scheduler_of(sendgrid(tmp_path, url)).cancel_batch("x")


def _held_mailing(provider: Provider) -> Mailing:
    return replace(mailing(), batch_id=scheduler_of(provider).open_batch())


def _statuses(api: SendGridApi) -> dict[str, str]:
    return {batch_id: status.status for batch_id, status in api.schedules.statuses.items()}
