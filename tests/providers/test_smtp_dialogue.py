"""What a relay's reply means, by its codes and its words."""

import pytest

from newsletter.providers.smtp_dialogue import Phase, ReplyMeaning, meaning_of


@pytest.mark.parametrize(
    ("phase", "reply", "meaning"),
    [
        (Phase.OPENING, "421 4.3.2 shutting down", ReplyMeaning.CLOSED),
        (Phase.OPENING, "454 4.7.0 temporary authentication failure", ReplyMeaning.CLOSED),
        (Phase.OPENING, "535 5.7.8 wrong password", ReplyMeaning.US),
        (Phase.OPENING, "554 5.7.1 you are on a list", ReplyMeaning.US),
        (Phase.MAIL, "451 4.3.0 busy", ReplyMeaning.CLOSED),
        (Phase.MAIL, "530 5.7.0 log in first", ReplyMeaning.US),
        (Phase.MAIL, "552 5.3.4 too big", ReplyMeaning.MESSAGE),
        (Phase.RCPT, "450 4.2.1 later", ReplyMeaning.LATER),
        (Phase.RCPT, "550 5.1.1 no such user", ReplyMeaning.ADDRESS),
        (Phase.RCPT, "550 5.1.2 no such domain", ReplyMeaning.RECIPIENT),
        (Phase.RCPT, "556 5.1.10 null MX", ReplyMeaning.RECIPIENT),
        (Phase.RCPT, "550 no such user", ReplyMeaning.RECIPIENT),
        (Phase.RCPT, "550 moderated list", ReplyMeaning.POLICY),
        (Phase.RCPT, "550 5.6.7 address outside ASCII", ReplyMeaning.RECIPIENT),
        (Phase.RCPT, "552 5.2.2 user over quota", ReplyMeaning.RECIPIENT),
        (Phase.RCPT, "550 5.1.0 rejected", ReplyMeaning.RECIPIENT),
        (Phase.RCPT, "550 5.1.0 Sender address rejected", ReplyMeaning.US),
        (Phase.RCPT, "550 5.1.8 bad sender", ReplyMeaning.US),
        (Phase.RCPT, "550 5.4.5 daily sending quota exceeded", ReplyMeaning.US),
        (Phase.RCPT, "550 over your hourly limit", ReplyMeaning.US),
        (Phase.RCPT, "503 MAIL first", ReplyMeaning.US),
        (Phase.CONTENT, "550 looks like spam", ReplyMeaning.POLICY),
        (Phase.RCPT, "550 relaying denied", ReplyMeaning.US),
        (Phase.RCPT, "530 log in first", ReplyMeaning.US),
        (Phase.RCPT, "503 5.5.1 bad sequence", ReplyMeaning.US),
        (Phase.RCPT, "451 4.7.1 message rate limit exceeded", ReplyMeaning.RATE),
        (Phase.RCPT, "550 5.7.1 rate limit exceeded", ReplyMeaning.US),
        (Phase.OPENING, "421 4.7.0 too many connections", ReplyMeaning.CONNECTIONS),
        (Phase.CONTENT, "432 4.3.2 sender thread limit exceeded", ReplyMeaning.CONNECTIONS),
        (Phase.RCPT, "451 4.7.1 greylisted", ReplyMeaning.LATER),
        (Phase.RCPT, "421 4.3.2 shutting down", ReplyMeaning.CLOSED),
        (Phase.RCPT, "550 5.7.1 local policy", ReplyMeaning.POLICY),
        (Phase.DATA, "451 4.3.0 busy", ReplyMeaning.LATER),
        (Phase.CONTENT, "451 4.7.1 later", ReplyMeaning.LATER),
        (Phase.CONTENT, "552 too big", ReplyMeaning.MESSAGE),
        (Phase.CONTENT, "554 refused", ReplyMeaning.POLICY),
        (Phase.CONTENT, "550 5.7.1 spam", ReplyMeaning.POLICY),
        (Phase.CONTENT, "550 5.1.1 no such user", ReplyMeaning.ADDRESS),
        (Phase.CONTENT, "354 go on", ReplyMeaning.UNCERTAIN),
        (Phase.RCPT, "999 what", ReplyMeaning.LOST),
    ],
)
def test_a_reply_means_what_its_codes_say(phase: Phase, reply: str, meaning: ReplyMeaning) -> None:
    code, _, words = reply.partition(" ")

    assert meaning_of(phase, int(code), words) is meaning
