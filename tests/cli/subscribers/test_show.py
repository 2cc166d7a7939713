"""`newsletter subscribers show`: what is recorded about one person, on the screen."""

import re
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from newsletter.cli.subscribers import show
from newsletter.model.person import KnownPerson, LeavingRemark
from newsletter.web.public.leaving import REASONS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GONE = KnownPerson(
    email="ana@example.org",
    subscriber=None,
    past_consents=(),
    suppressions=(),
    past_suppressions=(),
    deliveries=(),
    events=(),
    soft_bounces=(),
    leaving_remarks=(),
    tracking_choices=(),
    link_requests=(),
    imports=(),
)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_that_the_page_offers_is_said_in_words(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    person = replace(GONE, leaving_remarks=(LeavingRemark(at=NOW, reason=reason, remark="Once a month, please."),))

    show._print_known(person, zone="UTC", now=NOW)

    lines = capsys.readouterr().out.splitlines()
    row = lines[lines.index("Why they left") + 2]
    _, words, remark = re.split(r"\s{2,}", row)
    assert words != reason
    assert " " in words
    assert remark == "Once a month, please."


def test_a_person_who_gave_no_reason_has_no_such_part(capsys: pytest.CaptureFixture[str]) -> None:
    show._print_known(GONE, zone="UTC", now=NOW)
    assert "Why they left" not in capsys.readouterr().out


def test_times_are_in_the_newsletters_time_zone(capsys: pytest.CaptureFixture[str]) -> None:
    person = replace(GONE, leaving_remarks=(LeavingRemark(at=NOW, reason="often", remark=""),))
    show._print_known(person, zone="America/Los_Angeles", now=NOW)
    assert "2026-02-28 16:00 PST" in capsys.readouterr().out
