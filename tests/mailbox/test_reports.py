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
