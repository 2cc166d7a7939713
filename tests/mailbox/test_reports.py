"""What the emails of the corpus mean, and that no email raises an error."""

import pytest

from newsletter.mailbox.reports import reports_in
from newsletter.model.mail_report import Trace, TraceHint
from newsletter.model.return_paths import ReturnPurpose, is_genuine
from tests.mailbox.corpus import ADDRESS, BROADCAST, EXPECTED, NONCE, RECEIVED_AT, SUBSCRIBER, TOKEN, mail


@pytest.mark.parametrize("name", EXPECTED)
def test_an_email_of_the_corpus_gives_its_kind_its_cause_and_its_person(name: str) -> None:
    expected = EXPECTED[name]

    (report,) = reports_in(mail(name), received_at=RECEIVED_AT)

    assert (report.kind, report.cause) == (expected.kind, expected.cause), report
    first = report.traces[0]
    assert first.hint == expected.by
    assert _is_right(first), first
    if expected.at:
        assert report.at.isoformat() == expected.at
    assert "@example.net" not in report.detail.replace("***@example.net", "")


def _is_right(trace: Trace) -> bool:
    if trace.hint is TraceHint.ADDRESS:
        return trace.address == ADDRESS
    if trace.hint is TraceHint.RETURN_PATH:
        whose = (trace.subscriber, trace.broadcast)
        return whose == (SUBSCRIBER, BROADCAST) and is_genuine(
            ReturnPurpose(trace.address), *whose, trace.secret, token=TOKEN
        )
    if trace.hint is TraceHint.MESSAGE_ID:
        return (trace.subscriber, trace.broadcast, trace.secret) == (SUBSCRIBER, BROADCAST, NONCE)
    return (trace.subscriber, trace.secret) == (SUBSCRIBER, TOKEN)


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Mon, 23 Nov 2026 09:00:09 +0100", "2026-11-23T08:00:09+00:00"),
        ("Mon, 23 Nov 2026 08:00:09", "2026-11-23T08:00:09+00:00"),
        ("Tue, 1 Dec 2026 08:00:09 +0000", "2026-11-30T12:00:00+00:00"),  # its clock is fast
        ("Thu, 1 Jan 1970 00:00:00 +0000", "2026-11-30T12:00:00+00:00"),
        ("yesterday", "2026-11-30T12:00:00+00:00"),
        ("", "2026-11-30T12:00:00+00:00"),
    ],
)
def test_a_wrong_clock_does_not_decide_when_something_happened(date: str, at: str) -> None:
    content = mail("new-owner").replace(b"Date: Mon, 23 Nov 2026 08:00:09 +0000", f"Date: {date}".encode(), 1)

    (report,) = reports_in(content, received_at=RECEIVED_AT)

    assert report.at.isoformat() == at


def test_a_report_about_several_people_without_a_hint_is_one_report_each() -> None:
    content = mail("only-the-recipient").replace(
        b"\n\n--=_b1--", b"\n\nFinal-Recipient: rfc822; bo@example.net\nAction: delayed\nStatus: 4.4.1\n\n--=_b1--"
    )

    first, second = reports_in(content, received_at=RECEIVED_AT)

    assert (first.kind, second.kind) == ("hard", "delayed")
    assert [[trace.address for trace in each.traces] for each in (first, second)] == [[ADDRESS], ["bo@example.net"]]


def test_an_email_with_very_many_hints_is_looked_up_only_a_few_times() -> None:
    ids = " ".join(f"<b1-abc.{number}@example.org>" for number in range(1, 5000))

    (report,) = reports_in(f"References: {ids}\n\n".encode(), received_at=RECEIVED_AT)

    assert len(report.traces) == 100
