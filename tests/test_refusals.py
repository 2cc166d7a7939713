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
        (Phase.RCPT, "552 5.2.2 The email account is over quota and inactive", "inactive"),  # Gmail
        (Phase.RCPT, "550 5.2.2 Mailbox quota exceeded, the account is no longer active", "inactive"),
        (Phase.RCPT, "452 4.2.2 The email account is over quota and inactive", "mailbox-full"),  # for now
        (Phase.RCPT, "552 5.2.2 The email account is over quota", "mailbox-full"),
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


@pytest.mark.parametrize(
    ("phase", "reply", "whose"),
    [
        (
            Phase.CONTENT,
            "550 5.7.1 Sending from domain example.org is not permitted; please verify your domain first.",
            OURS,
        ),  # Mailersend-like
        (Phase.RCPT, "550 5.7.1 Sender domain not verified for this account", OURS),
        (Phase.CONTENT, "554 5.7.1 Your account has reached its monthly sending allowance", OURS),
        (Phase.RCPT, "450 4.7.1 <news@example.org>: Sender address rejected: Throttled, sent too many messages", OURS),
        (Phase.RCPT, "554 5.7.1 <news@example.org>: Sender address rejected: Access denied", OURS),
        (Phase.RCPT, "553 5.7.1 <news@example.org>: Sender address rejected: not owned by user ana", OURS),
        (Phase.RCPT, "550 5.7.1 Client does not have permissions to send as this sender", OURS),  # Exchange
        (Phase.RCPT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", OURS),
        (Phase.RCPT, "550 5.7.368 Remote server returned authentication required to relay", OURS),
        (Phase.CONTENT, "550 5.4.5 Daily SMTP relay sending limit exceeded for user.", OURS),
        (
            Phase.CONTENT,
            "421 4.7.0 Our system has detected an unusual rate of unsolicited mail originating from your IP",
            OURS,
        ),
        (
            Phase.CONTENT,
            "550 5.7.26 Your email has been blocked because the sender is unauthenticated.",
            OURS,
        ),
        (Phase.CONTENT, "550 5.7.1 Email quota exceeded, upgrade your plan", OURS),
        (
            Phase.RCPT,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant",
            OURS,
        ),
        (Phase.RCPT, "550 5.7.1 Message rejected: your account is temporarily blocked for sending spam", OURS),
        (Phase.RCPT, "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", OURS),
        (Phase.RCPT, "550 This message was blocked because your IP is listed at zen.example", OURS),
        (Phase.RCPT, "554 Refused. Your IP address is listed in the RBL at bl.example.net", OURS),
        (Phase.RCPT, "550 5.7.1 Mail from 192.0.2.1 refused: bad reputation", OURS),
        (Phase.RCPT, "554 5.7.1 Rejected: no reverse DNS for your IP", OURS),
        (Phase.RCPT, "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", OURS),
        (
            Phase.MAIL,
            "553 5.1.8 <news@example.org>... Domain of sender address news@example.org does not exist",
            OURS,
        ),  # sendmail
        (Phase.RCPT, "501 5.1.8 <news@example.org>... Sender domain must exist", OURS),
        (
            Phase.RCPT,
            "550 5.7.1 <ana@example.net>... Relaying denied. IP name lookup failed [192.0.2.1]",
            OURS,
        ),  # sendmail
        (Phase.RCPT, "550 5.7.1 <ana@example.net>... Relaying denied. Proper authentication required.", OURS),
        (Phase.RCPT, "550 authentication is required for relay", OURS),
        (
            Phase.RCPT,
            "550 Please turn on SMTP Authentication in your mail client.",
            OURS,
        ),  # cPanel Exim
        (Phase.RCPT, "550 relay not permitted", OURS),
        (Phase.RCPT, "451 Temporary local problem - please try later", EITHER),
        (Phase.RCPT, "550 You have exceeded the number of allowed recipients per day", OURS),
        (Phase.RCPT, "552 5.7.0 Number of recipients exceeds the maximum for today", OURS),
        (
            Phase.RCPT,
            "550 5.7.1 User news@example.org has exceeded its 24-hour sending limit.",
            OURS,
        ),  # Rackspace / Intermedia
        (Phase.RCPT, "554 5.7.1 Blocked: too many recipients in the last hour", OURS),
        (Phase.RCPT, "452 4.5.3 Too many recipients", OURS),
        (Phase.RCPT, "421 4.4.5 Too many connections to this host.", OURS),
        (Phase.RCPT, "421 4.3.2 Too many open connections.", OURS),
        (Phase.CONTENT, "550 5.7.1 Mail rejected, account over quota of outbound messages", OURS),
        (Phase.CONTENT, "452 4.3.1 Insufficient system storage", OURS),
        (Phase.RCPT, "452 4.3.1 Insufficient system resources", OURS),
        (Phase.RCPT, "451 4.3.5 Server configuration error", OURS),
        (Phase.RCPT, "451 4.3.0 Error: queue file write error", OURS),
        (Phase.CONTENT, "552 5.3.4 Message size exceeds file system imposed limit", OURS),
        (Phase.CONTENT, "554 5.7.0 Message contains a virus", EITHER),
        (
            Phase.RCPT,
            "550 5.1.1 <ana@example.net>: Recipient address rejected: User unknown in virtual mailbox table",
            THEIRS,
        ),
        (Phase.RCPT, "550 5.1.1 <ana@example.net>: Email address could not be found, or was misspelled (G8)", THEIRS),
        (Phase.RCPT, "550 No such user here", THEIRS),
        (Phase.RCPT, "550 Invalid recipient <ana@example.net> (Mode: normal)", THEIRS),
        (Phase.RCPT, "553 sorry, no mailbox here by that name (#5.1.1)", THEIRS),
        (Phase.RCPT, "550 sorry, this address no longer accepts mail", THEIRS),
        (Phase.RCPT, "552 5.2.2 <ana@example.net>: Quota exceeded (mailbox for user is full)", THEIRS),
        (Phase.CONTENT, "552 5.2.2 Mailbox size limit exceeded", THEIRS),
        (Phase.CONTENT, "452 4.2.2 Over quota", THEIRS),
        (Phase.RCPT, "550 5.2.1 The email account that you tried to reach is disabled", THEIRS),
        (Phase.RCPT, "554 5.7.1 <ana@example.net>: Recipient address rejected: Account is disabled", THEIRS),
        (Phase.RCPT, "550 5.1.1 Account has been suspended", THEIRS),
        (Phase.RCPT, "451 4.7.1 Greylisting in action, please come back later", THEIRS),
        (
            Phase.RCPT,
            "450 4.1.1 <ana@example.net>: unverified address: Address verification in progress",
            THEIRS,
        ),
        (Phase.RCPT, "550 5.4.4 Host or domain name not found", THEIRS),
        (Phase.RCPT, "554 rejected due to recipient's own filter: blocked by recipient", THEIRS),
        (Phase.CONTENT, "554 5.7.1 Message blocked by content filter", EITHER),
        (Phase.CONTENT, "550 High probability of spam", EITHER),
        (Phase.RCPT, "550 5.7.0 Local Policy Violation", EITHER),
        (Phase.RCPT, "554 5.7.1 Service unavailable; message rejected", EITHER),
        # The words around an account, a quota or an address show whose it is.
        (Phase.RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", OURS),
        (Phase.CONTENT, "554 5.2.252 SendAsDenied; a@example.org not allowed to send as b@example.org", OURS),
        (Phase.RCPT, "554 5.7.1 <x>: Recipient address rejected: Policy rejection; Quota exceeded", OURS),
        (Phase.RCPT, "450 4.7.1 <x>: Recipient address rejected: Policy Rejection- Quota Exceeded", OURS),
        (Phase.RCPT, "552 5.2.2 Sender over quota for outgoing messages", OURS),
        (Phase.RCPT, "552 5.2.2 User's mail quota exceeded", THEIRS),
        (Phase.RCPT, "550 5.2.2 mailbox full; user has reached account limit", THEIRS),
        (Phase.RCPT, "452 4.2.2 over quota: daily quota of the recipient reached", THEIRS),
        (Phase.RCPT, "550 Quota exceeded", EITHER),
        (Phase.RCPT, "550 account has been disabled", EITHER),
        (Phase.RCPT, "550 your account has been disabled", OURS),
        (Phase.CONTENT, "550 account has been disabled", OURS),
        (Phase.RCPT, "550 This account has been disabled or discontinued [#102].", THEIRS),
        (Phase.RCPT, "550 Address unknown: recipient not verified", THEIRS),
        (Phase.CONTENT, "554 Message rejected: Email address is not verified", OURS),
        (Phase.RCPT, "550 Verification failed for <ana@example.net>: No such person at this address", THEIRS),
        (Phase.CONTENT, "550 5.7.1 The 'From' address you supplied is not a Sender Signature on your account.", OURS),
        (Phase.CONTENT, "550 5.7.1 Your account is pending approval.", OURS),
        (Phase.CONTENT, "554 Access denied: User x is not authorized to perform ses:SendRawEmail", OURS),
        (Phase.RCPT, "550 5.7.0 Limit of 500 mails reached", OURS),
        (Phase.RCPT, "550 5.4.6 Unusual sending activity detected.", OURS),
        (Phase.RCPT, "502 5.7.0 Your SMTP account is not yet activated.", OURS),
        (Phase.RCPT, "550 5.7.1 You are not allowed to use this sender address", OURS),
        (Phase.CONTENT, "554 5.7.1 Sender not allowed: info@example.org", OURS),
        (Phase.RCPT, "550 Your domain has been suspended for unpaid invoices", OURS),
        (Phase.RCPT, "554 5.7.1 Account suspended for abuse, contact your provider", EITHER),
        (Phase.CONTENT, "550 5.7.1 Your plan does not allow sending to more than 500 recipients per month", OURS),
        (Phase.RCPT, "450 4.7.1 You have been rate limited, slow down", OURS),
        (Phase.RCPT, "451 4.7.1 Hourly email limit exceeded for news@example.org", OURS),
        (Phase.RCPT, "550 Monthly email allowance exhausted", OURS),
        (Phase.CONTENT, "550 Message quota has been used up", OURS),
        (Phase.RCPT, "421 4.7.0 Maximum messages per session reached", OURS),
        (Phase.RCPT, "452 4.5.3 Error: too many messages for this connection", OURS),
        (Phase.RCPT, "421 Too many messages in one connection", OURS),
        (Phase.RCPT, "530 5.7.0 Must issue a STARTTLS command first", OURS),
        (Phase.RCPT, "550 5.7.1 Authentication is required to send mail", OURS),
        (Phase.RCPT, "550 you must check your mail first (POP before SMTP)", EITHER),
        (Phase.RCPT, "553 5.3.0 <ana@example.net>... Relaying denied", OURS),
        (Phase.RCPT, "571 Delivery not authorized, message refused", EITHER),
        (Phase.RCPT, "550 5.7.27 Sender address has null MX", OURS),
        (Phase.CONTENT, "550 5.7.23 SPF validation failed", OURS),
        (Phase.CONTENT, "550 DMARC policy of example.org rejects this message", OURS),
        (Phase.CONTENT, "554 5.7.5 DKIM signature did not verify", OURS),
        (Phase.RCPT, "550 IP 192.0.2.1 is blacklisted", OURS),
        (Phase.RCPT, "550 5.7.1 Your server's IP has a bad reputation", OURS),
        (Phase.RCPT, "550 5.2.1 Mailbox deactivated", THEIRS),
        (Phase.RCPT, "550 5.1.1 This mailbox is inactive", THEIRS),
        (Phase.RCPT, "550 Mailbox is inactive", THEIRS),
        (Phase.RCPT, "550 The recipient's mailbox is full and can't accept messages now", THEIRS),
        (Phase.RCPT, "452 4.2.2 The email account that you tried to reach is over quota", THEIRS),
        (Phase.RCPT, "450 4.2.1 Mailbox temporarily disabled", THEIRS),
        (Phase.RCPT, "550 Account not found", THEIRS),
        (Phase.RCPT, "550 #5.1.0 Address rejected ana@example.net", THEIRS),
        (Phase.RCPT, "550 5.1.1 RCP-P1 user unknown", THEIRS),
        (Phase.RCPT, "551 User has moved; please try another address", THEIRS),
        (Phase.RCPT, "550 No account by that name here", THEIRS),
        (Phase.RCPT, "550 Unknown local part ana in <ana@example.net>", THEIRS),
        (Phase.RCPT, "450 4.7.1 Recipient address rejected: Policy restrictions; try again later", EITHER),
        (Phase.RCPT, "451 4.7.1 Please try again later (greylisted)", THEIRS),
        (Phase.RCPT, "451 4.4.3 Temporary server error looking up the recipient's domain", THEIRS),
        (Phase.CONTENT, "554 5.7.1 This message was classified as spam", EITHER),
        (Phase.CONTENT, "554 Transaction failed", EITHER),
        (Phase.RCPT, "550 5.7.1 Access denied", EITHER),
        # Codes of vendors that the table does not know, and no code and no words at all
        (Phase.RCPT, "550 no", EITHER),
        (Phase.RCPT, "553 sorry", EITHER),
        (Phase.RCPT, "550 5.2.250 no", EITHER),
        (Phase.CONTENT, "550 5.1.77 no", EITHER),
    ],
)
def test_the_words_of_servers_tell_whose_fault_it_is(phase: Phase, reply: str, whose: Whose) -> None:
    code, _, words = reply.partition(" ")

    assert cause_of(int(code), words, phase=phase).whose is whose


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
    ("words", "code"),
    [
        ("5.1.1 no", "5.1.1"),
        ("4.7.650 x", "4.7.650"),
        ("no 5.1.1", ""),
        ("192.0.2.1 x", ""),
        ("no (#5.1.1)", "5.1.1"),
        ("#5.1.0 no", "5.1.0"),
    ],
)
def test_the_enhanced_code_is_at_the_beginning_or_as_qmail_has_it(words: str, code: str) -> None:
    assert enhanced_code_in(words) == code
