"""The cause of a refusal, by its codes and its words."""

import pytest

from newsletter.refusals import Phase, Reaction, Whose, cause_of, enhanced_code_in, named_cause

OURS, THEIRS, EITHER = Whose.OURS, Whose.THEIRS, Whose.EITHER


@pytest.mark.parametrize(
    ("phase", "reply", "cause"),
    [
        # Quotas, rates and connections of our account
        (Phase.RCPT, "550 5.4.5 Daily user sending quota exceeded", "quota"),  # Gmail
        (Phase.RCPT, "550 5.1.90 You've reached your daily limit for message recipients", "quota"),  # Exchange Online
        (Phase.CONTENT, "454 Throttling failure: Daily message quota exceeded", "quota"),  # SES
        (Phase.RCPT, "550 Domain example.org has exceeded the max emails per hour (250/200)", "quota"),  # Exim, cPanel
        (Phase.RCPT, "550 Maximum credits exceeded", "quota"),  # SendGrid
        (Phase.CONTENT, "454 Throttling failure: Maximum sending rate exceeded", "rate"),  # SES
        (Phase.RCPT, "450 4.7.1 Error: too much mail from 192.0.2.1", "rate"),  # Postfix
        (Phase.CONTENT, "421 4.7.28 an unusual rate of unsolicited mail", "rate"),  # Gmail
        (Phase.OPENING, "421 4.7.0 mx.example.org Error: too many connections from 192.0.2.1", "connections"),
        (Phase.CONTENT, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "connections"),
        # Login, permission, sender
        (Phase.OPENING, "535 5.7.8 Username and Password not accepted", "login"),
        (Phase.MAIL, "530 5.7.57 Client not authenticated to send mail", "login"),
        (Phase.RCPT, "554 5.7.1 <ana@example.net>: Relay access denied", "relaying"),  # Postfix
        (Phase.RCPT, "550 5.7.54 SMTP; Unable to relay recipient", "relaying"),  # Exchange
        (Phase.CONTENT, "554 Message rejected: Email address is not verified", "sender"),  # SES
        (Phase.RCPT, "550 Sender verify failed", "sender"),  # Exim
        (Phase.RCPT, "550 5.1.8 Access denied, bad outbound sender", "suspended"),  # Exchange Online
        (Phase.RCPT, "421 Domain news.example.org is not allowed to send: the account is disabled", "suspended"),
        # Reputation and authentication of our server and domain
        (Phase.CONTENT, "550 5.7.26 the sender is unauthenticated", "authentication"),  # Gmail
        (
            Phase.CONTENT,
            "550 5.7.515 Access denied, the domain doesn't meet the required level",
            "authentication",
        ),
        (Phase.RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using list.example", "blocked-ip"),
        (Phase.RCPT, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "blocked-ip"),  # Exchange Online
        (Phase.RCPT, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. (S3140)", "blocked-ip"),
        (Phase.RCPT, "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1", "blocked-ip"),  # Yahoo
        (Phase.CONTENT, "550 5.7.25 The IP address has no PTR record", "reverse-name"),  # Gmail
        # The message
        (Phase.MAIL, "552 5.3.4 Message size exceeds fixed limit", "too-large"),
        (Phase.CONTENT, "554 5.6.0 Message contains invalid header", "content"),
        # The recipient
        (Phase.RCPT, "550 5.1.1 The email account that you tried to reach does not exist", "no-such-address"),
        (Phase.RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "no-such-address"),
        (Phase.RCPT, "556 5.1.10 Recipient address has null MX", "no-such-domain"),
        (Phase.RCPT, "550 5.5.0 Requested action not taken: mailbox unavailable", "no-such-address"),  # Outlook.com
        (Phase.RCPT, "554 delivery error: dd This user doesn't have a yahoo.com account", "no-such-address"),
        (Phase.RCPT, "550 Unrouteable address", "no-such-address"),  # Exim
        (Phase.RCPT, "552 5.2.2 The email account is over quota and inactive", "mailbox-full"),  # Gmail
        (Phase.RCPT, "452 mailbox is full", "mailbox-full"),
        (Phase.RCPT, "450 4.2.1 The user is receiving mail at a rate that prevents more", "mailbox-busy"),  # Gmail
        (Phase.RCPT, "550 5.2.1 mailbox disabled", "disabled"),
        (Phase.RCPT, "450 4.2.0 Greylisted, please try again in 300 seconds", "greylisted"),
        (Phase.RCPT, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", "restricted"),
        (Phase.RCPT, "550 5.7.17 mailbox owner has changed", "new-owner"),
        # Either
        (Phase.CONTENT, "554 5.7.1 [HM08] Message rejected due to local policy", "policy"),  # Apple
        (Phase.CONTENT, "554 5.7.9 Message not accepted for policy reasons", "policy"),  # Yahoo
        (Phase.CONTENT, "550 5.7.1 this message is likely unsolicited mail", "spam"),  # Gmail
        (Phase.RCPT, "550 Administrative prohibition", "policy"),  # Exim
        (Phase.RCPT, "451 4.3.0 Temporary lookup failure", "for-now"),
    ],
)
def test_a_refusal_has_the_cause_that_its_codes_and_words_tell(phase: Phase, reply: str, cause: str) -> None:
    code, _, words = reply.partition(" ")

    assert cause_of(int(code), words, phase=phase).name == cause


@pytest.mark.parametrize("words", ["quota exceeded for sender", "sender address rejected", "relay access denied"])
@pytest.mark.parametrize("code", ["5.1.1", "5.1.6"])
def test_words_lose_against_a_code_of_another_kind(code: str, words: str) -> None:
    assert cause_of(550, f"{code} {words}", phase=Phase.RCPT).whose is THEIRS


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.MAIL])
@pytest.mark.parametrize("reply", [450, 550])
@pytest.mark.parametrize("words", ["5.1.1 no such user", "5.7.1 local policy", "no"])
def test_before_a_recipient_is_named_a_refusal_is_ours(phase: Phase, reply: int, words: str) -> None:
    assert cause_of(reply, words, phase=phase).whose is OURS


@pytest.mark.parametrize("phase", [None, *Phase])
@pytest.mark.parametrize("reply", range(400, 600, 7))
@pytest.mark.parametrize("words", ["", "5.9.99 what", "5.0.0", "\x00\xff", "4.7.999 x" * 200])
def test_every_refusal_has_a_cause(phase: Phase | None, reply: int, words: str) -> None:
    found = cause_of(reply, words, phase=phase)

    assert found.says
    assert found.remedy


def test_a_bounce_is_judged_by_its_status_and_without_a_phase() -> None:
    assert cause_of(550, "smtp; said: no", enhanced="5.1.1").name == "no-such-address"
    assert cause_of(550, "mailbox full", enhanced="5.2.2").whose is THEIRS


def test_the_causes_say_whether_a_person_must_act() -> None:
    assert named_cause("quota").passes_after_minutes is not None
    assert named_cause("login").passes_after_minutes is None
    assert named_cause("connections").then is Reaction.RETIRE
    assert named_cause("policy").whose is EITHER


@pytest.mark.parametrize(
    ("words", "code"), [("5.1.1 no", "5.1.1"), ("4.7.650 x", "4.7.650"), ("no 5.1.1", ""), ("192.0.2.1 x", "")]
)
def test_the_enhanced_code_is_at_the_beginning(words: str, code: str) -> None:
    assert enhanced_code_in(words) == code
