"""Whatever arrives in the mailbox, it becomes reports, and none that its sender could not have made honestly."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.mailbox.reports import reports_in
from newsletter.model.mail_report import TraceHint
from newsletter.model.return_paths import ReturnPurpose, is_genuine
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import mutated
from tests.mailbox.corpus import EXPECTED, RECEIVED_AT, SUBSCRIBER, TOKEN, mail

_BASES = tuple(map(mail, EXPECTED))
_PIECES = (
    *(
        b"\n",
        b"\r\n",
        b"\n\n",
        b"\r",
        b"\0",
        b"\xff\xfe",
        b"\xe3\x81\x82",
        b"--=_b1\n",
        b"--=_b1--\n",
        b"--=_f1\n",
        b"> ",
        b"<",
        b">",
    ),
    *(b"Content-Type: multipart/mixed; boundary=a\n\n--a\n", b"Content-Type: message/rfc822\n\n", b"Content-Type: ;\n"),
    *(
        b"Content-Type: multipart/report; report-type*0*=x'y'%ZZ; boundary*1=q\n",
        b"Content-Type: text/plain; charset=nix\n",
    ),
    *(b"Content-Type: text/plain; charset=utf-7\n", b"Content-Type: text/plain; charset=idna\n", b"charset*=''\xff"),
    *(
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"Content-Transfer-Encoding: uuencode\n",
    ),
    *(b"=?utf-8?b?/w==?=", b"=?utf-8?b?A?=", b"=?nix?q?=FF?=", b"=?iso-2022-jp?b?GyRC?=", b"=?unknown-8bit?q?=80?="),
    *(
        b"Date: 99 Foo 99999 99:99:99 +9999\n",
        b"Date: Mon, 1 Jan 0001 00:00:00 -2359\n",
        b"Date: \xff\n",
        b"Received: ;;;\n",
    ),
    *(b"To: (((((((\n", b"To: <<<>>>@@@\n", b'To: "\n', b"To: a@b, , ;:;\n", b"X-Failed-Recipients: @,a@b\n"),
    *(
        b"Status: 5.999.999\n",
        b"Status: 5\n",
        b"Action: \n",
        b"Action: failed\n",
        b"Final-Recipient: rfc822;\n",
        b"Diagnostic-Code: smtp; 999 9.9.9\n",
    ),
    *(
        b"550 5.1.1 ",
        b"5.1.1",
        b"421-",
        b"prvs=",
        b"SRS0=a=b=",
        b"SRS1=a=b==c=d=",
        b"b.",
        b".zzzzzzzzzzzzz.",
        b"@",
        b"=",
    ),
    *(
        b"Hi. This is the qmail-send program\n",
        b"Auto-Submitted: auto-replied\n",
        b"Feedback-Type: abuse\n",
        b"List-Unsubscribe: <\n",
    ),
)


@given(
    content=st.one_of(
        mutated(_BASES, _PIECES), st.lists(st.sampled_from(_PIECES), max_size=60).map(b"".join), st.binary(max_size=300)
    )
)
@example(
    content=b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (each, each) for each in range(3000))
)
@example(content=b"Content-Type: message/rfc822\n\n" * 5000)
@example(content=b"Content-Type: message/delivery-status\n\n" + b"Action: failed\n\n" * 60_000)
@example(content=b"X: " + b"(" * 900_000)
@example(content=b"To: " + b"(" * 900_000)
@example(content=b"To: " + b'"\\' * 400_000)
@example(content=b"To: " + b"<a@b>," * 150_000)
@example(content=b"Subject: " + b"=?utf-8?q?a?= " * 60_000)
@example(content=b"From: mailer-daemon@x\n\n" + b"<a@b>:\n" * 140_000)
@example(content=b"From: mailer-daemon@x\n\n" + b"550 5.1.1 " * 100_000)
@example(content=b"From: mailer-daemon@x\nContent-Type: text/html\n\n" + b"<" * 900_000)
@example(content=b"From: mailer-daemon@x\nContent-Type: text/html\n\n" + b"<style " * 120_000)
@example(content=b"From: a@x\n\n" + b"a: b\n " * 150_000)
@example(content=b"From: a@x\n\n" + b"warning " * 120_000)
@example(content=b"Return-Path: <>\n\n" + b"warning " * 120_000)
@example(content=b"Return-Path: <>\n\n" + b" " * 900_000)
@example(content=b"")
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_email_becomes_reports(content: bytes) -> None:
    with limited():
        reports = reports_in(content, received_at=RECEIVED_AT)

    assert 1 <= len(reports) <= 100
    for report in reports:
        assert "cannot be read" not in report.detail
        assert len(report.detail) < 500
        assert report.at <= RECEIVED_AT
        for trace in report.traces:
            if trace.hint is TraceHint.RETURN_PATH and trace.subscriber != SUBSCRIBER:
                whose = (ReturnPurpose(trace.address), trace.subscriber, trace.broadcast, trace.secret)
                assert not is_genuine(*whose, token=TOKEN)
