"""The relay's answers mean the same after a crash, when only their marks and words are left, as while they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.broadcast import NextStep, Outcome, Verdict
from newsletter.model.replies import Reply
from newsletter.providers.smtp import outcome_of_replies
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning, meaning_of
from newsletter.providers.smtp_fates import ChunkFates, answer_of, mark_of
from newsletter.providers.smtp_standing import RelayStanding
from newsletter.refusals import Phase, cause_of
from tests.providers.mailings import recipient

PEOPLE = [recipient(number, f"p{number}@example.org") for number in range(1, 9)]
ACCEPTED = Answer(ReplyMeaning.ACCEPTED, "250 2.0.0 queued")


def refused(phase: Phase, code: int, words: str) -> Answer:
    return Answer(meaning_of(phase, code, words), f"{code} {words}", phase, cause_of(code, words, phase=phase))


ANSWERS = [
    ACCEPTED,
    Answer(ReplyMeaning.ADDRESS, "not an address", Phase.RCPT),
    Answer(ReplyMeaning.LOST, "connection refused"),
    Answer(ReplyMeaning.LOST, "broken pipe", Phase.MAIL),
    Answer(ReplyMeaning.UNCERTAIN, "timed out", Phase.CONTENT),
    *(
        refused(*each)
        for each in (
            (Phase.RCPT, 550, "5.1.1 no such user"),
            (Phase.RCPT, 550, "mailbox unavailable"),
            (Phase.RCPT, 452, "4.2.2 mailbox full"),
            (Phase.RCPT, 450, "4.2.1 later"),
            (Phase.RCPT, 550, "5.7.1 rejected due to local policy"),
            (Phase.RCPT, 550, "5.4.5 daily sending quota exceeded"),
            (Phase.CONTENT, 552, "5.3.4 message too big"),
            (Phase.CONTENT, 421, "4.7.0 too many connections"),
            (Phase.MAIL, 451, "4.7.1 rate limit exceeded"),
            (Phase.OPENING, 535, "5.7.8 authentication failed"),
        )
    ),
]


def outcome_while_alive(answers: list[Answer]) -> tuple[Outcome, list[Reply]]:
    """The outcome of a chunk, and what is in its log by then."""
    fates, replies = (
        ChunkFates(PEOPLE, RelayStanding()),
        [Reply(delivery=each.delivery, was_begun=False) for each in PEOPLE],
    )
    for place, (person, answer) in enumerate(zip(PEOPLE, answers, strict=False)):
        fates.begin()
        judged = fates.note(person, answer)
        replies[place] = Reply(delivery=person.delivery, was_begun=True, meaning=mark_of(judged), words=judged.words)
        if fates.is_hopeless:
            break
    return fates.outcome(), replies


@given(answers=st.lists(st.sampled_from(ANSWERS), max_size=len(PEOPLE)))
def test_the_log_of_a_chunk_leads_to_the_same_outcome(answers: list[Answer]) -> None:
    outcome, replies = outcome_while_alive(answers)
    assert outcome_of_replies(replies) == outcome


@pytest.mark.parametrize("answer", ANSWERS[1:], ids=str)
def test_an_answer_comes_back_from_its_mark_and_words(answer: Answer) -> None:
    assert " " not in mark_of(answer)
    assert answer_of(mark_of(answer), answer.words) == answer


@pytest.mark.parametrize(
    "mark", ["", "accep", "later/rcpt", "later/rcpt/no-such-cause", "never/rcpt/", "later/never/", "a/b/c/d"]
)
def test_an_unknown_mark_leaves_the_message_in_doubt(mark: str) -> None:
    assert answer_of(mark, "").meaning is ReplyMeaning.UNCERTAIN


def outcome_of(answers: list[Answer], *, tries: int, are_others_accepted: bool) -> Outcome:
    fates = ChunkFates(PEOPLE, RelayStanding(), tries=tries, are_others_accepted=are_others_accepted)
    for person, answer in zip(PEOPLE, answers, strict=False):
        fates.begin()
        fates.note(person, answer)
        if fates.is_hopeless:
            break
    return fates.outcome()


OURS = ["5.4.5 daily sending quota exceeded", "5.7.1 Relay access denied", "5.7.26 the sender is unauthenticated"]


@pytest.mark.parametrize("words", OURS)
@pytest.mark.parametrize("tries", [0, 1, 2, 9, 50])
def test_what_is_ours_stays_ours_however_often_as_long_as_no_one_else_is_accepted(words: str, tries: int) -> None:
    answers = [refused(Phase.RCPT, 550, words)] * 8

    outcome = outcome_of(answers, tries=tries, are_others_accepted=False)

    assert outcome.next_step is NextStep.PAUSE
    assert (set(outcome.blameless), outcome.doubted, outcome.deferred) == ({1}, {}, {})


@pytest.mark.parametrize("words", OURS)
def test_what_is_ours_for_one_person_only_is_theirs_after_all(words: str) -> None:
    """A limit passes, so these people are tried again for a day. Anything else is like a policy against them."""
    outcome = outcome_of([refused(Phase.RCPT, 550, words)], tries=2, are_others_accepted=True)

    assert outcome.next_step is NextStep.GO_ON
    assert not outcome.blameless
    assert bool(outcome.deferred) == ("quota" in words)
    assert bool(outcome.doubted) == ("quota" not in words)


THEIRS_FOR_NOW = [
    "4.4.1 <ana@example.net>: connect to mx.example.net: Connection timed out",
    "4.2.0 <ana@example.net>: Recipient address rejected: Greylisted",
    "4.2.2 mailbox full",
    "4.2.1 The user is receiving mail at a rate that prevents more",
    "greylisting in action, please try later",
]


@pytest.mark.parametrize("words", THEIRS_FOR_NOW)
def test_people_whose_own_servers_are_out_of_order_do_not_stop_the_others(words: str) -> None:
    outcome = outcome_of([refused(Phase.RCPT, 450, words)] * 7 + [ACCEPTED], tries=0, are_others_accepted=False)

    assert (outcome.verdict, outcome.next_step) == (Verdict.ACCEPTED, NextStep.GO_ON)
    assert set(outcome.deferred) == {1, 2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize("words", ["4.3.0 try again", "4.7.1 not now", "no"])
def test_people_who_are_refused_for_now_without_a_reason_of_their_own_do(words: str) -> None:
    outcome = outcome_of([refused(Phase.RCPT, 450, words)] * 7 + [ACCEPTED], tries=0, are_others_accepted=False)

    assert (outcome.verdict, outcome.next_step) == (Verdict.READY, NextStep.WAIT)
    assert (set(outcome.blameless), outcome.deferred) == ({1, 2, 3, 4, 5}, {})


@pytest.mark.parametrize("are_others_accepted", [True, False])
def test_people_who_were_refused_before_count_unless_others_were_accepted_since(are_others_accepted: bool) -> None:
    answers = [refused(Phase.RCPT, 550, "5.7.1 local policy")] * 8

    outcome = outcome_of(answers, tries=1, are_others_accepted=are_others_accepted)

    if are_others_accepted:
        assert (outcome.next_step, len(outcome.doubted)) == (NextStep.GO_ON, 8)
    else:
        assert (outcome.next_step, set(outcome.blameless)) == (NextStep.PAUSE, {1, 2, 3, 4, 5})


def test_what_was_lost_in_the_middle_of_a_log_counts_as_unsent_or_in_doubt_alone() -> None:
    """A power cut can lose any of the last lines, not only those at the end."""
    _, replies = outcome_while_alive([ACCEPTED] * 5)
    replies[1] = Reply(delivery=2, was_begun=False)
    replies[3] = Reply(delivery=4, was_begun=True)

    outcome = outcome_of_replies(replies)

    assert (outcome.verdict, outcome.unsent, set(outcome.uncertain)) == (Verdict.ACCEPTED, frozenset({2, 6, 7, 8}), {4})
