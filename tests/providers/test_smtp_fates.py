"""The relay's answers mean the same after a crash, when only their marks and words are left, as while they came."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.broadcast import NextStep, Outcome, Verdict
from newsletter.model.replies import Reply
from newsletter.providers.smtp import outcome_of_replies
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning, meaning_of
from newsletter.providers.smtp_fates import ChunkFates, Refusal, RelayStanding, Turn, answer_of, mark_of
from newsletter.refusals import Phase, cause_of
from tests.providers.mailings import recipient

PEOPLE = [recipient(number, f"p{number}@example.org") for number in range(1, 9)]
IN_A_ROW = 5
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


IN_FLIGHT = 4  # connections


class Connections:
    """Messages under way. The relay answers them in one order, and their threads take note in another."""

    def __init__(self) -> None:
        self.standing = RelayStanding()
        self.begun: dict[int, Turn] = {}
        self.answered: dict[int, tuple[Turn, int | None]] = {}
        self.runs: list[list[int]] = [[]]  # the refusals between two acceptances, in the order of the relay
        self.refusals: dict[int, Refusal] = {}
        self._numbers = count()

    @property
    def is_paused(self) -> bool:
        return any(each.in_a_row for each in self.refusals.values())

    def go_on(self, connection: int, *, is_accepted: bool) -> None:
        """Begin a message on a connection, have the relay answer it, or take note of the answer."""
        if connection in self.answered:
            self.take_note(connection)
        elif connection in self.begun:
            self._answer(connection, is_accepted=is_accepted)
        elif not self.is_paused:
            self.begun[connection] = self.standing.begin()

    def take_note(self, connection: int) -> None:
        turn, number = self.answered.pop(connection)
        if number is None:
            self.standing.accept(turn)
        else:
            self.refusals[number] = self.standing.refuse(ReplyMeaning.POLICY, turn, counts=True)

    def _answer(self, connection: int, *, is_accepted: bool) -> None:
        number = None if is_accepted else next(self._numbers)
        self.answered[connection] = (self.begun.pop(connection), number)
        if number is None:
            self.runs.append([])
        else:
            self.runs[-1].append(number)


@given(steps=st.lists(st.tuples(st.integers(0, IN_FLIGHT - 1), st.integers(0, 3)), max_size=80))
def test_refusals_that_the_relay_gave_in_a_row_are_ours_whichever_thread_is_the_first_to_hear(
    steps: list[tuple[int, int]],
) -> None:
    connections = Connections()
    for connection, lot in steps:
        connections.go_on(connection, is_accepted=lot == 0)
    for connection in list(connections.answered):
        connections.take_note(connection)

    for run in connections.runs:
        if len(run) >= IN_A_ROW:
            assert all(connections.refusals[number].in_a_row >= IN_A_ROW for number in run)


def test_an_acceptance_between_refusals_shows_that_they_are_not_about_us() -> None:
    standing = RelayStanding()
    for _ in range(3):
        for _ in range(IN_A_ROW - 1):
            refusal = standing.refuse(ReplyMeaning.POLICY, standing.begin(), counts=True)
            assert standing.is_last_word(refusal)
            assert not refusal.in_a_row
        standing.accept(standing.begin())
        assert not standing.is_last_word(refusal)


def test_a_message_that_began_before_a_refusal_says_nothing_about_it() -> None:
    standing = RelayStanding()
    began_before = standing.begin()
    refusals = [standing.refuse(ReplyMeaning.POLICY, standing.begin(), counts=True) for _ in range(IN_A_ROW - 1)]
    standing.accept(began_before)

    last = standing.refuse(ReplyMeaning.POLICY, standing.begin(), counts=True)

    assert {each.in_a_row for each in (*refusals, last)} == {IN_A_ROW}


def test_after_a_pause_the_refusals_are_counted_anew() -> None:
    standing = RelayStanding()
    for _ in range(IN_A_ROW):
        standing.refuse(ReplyMeaning.POLICY, standing.begin(), counts=True)

    assert not standing.refuse(ReplyMeaning.POLICY, standing.begin(), counts=True).in_a_row


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
