"""The relay's answers mean the same after a crash, when only their marks and words are left, as while they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.broadcast import Outcome, Verdict
from newsletter.model.replies import Reply
from newsletter.providers.smtp import outcome_of_replies
from newsletter.providers.smtp_dialogue import Answer, ReplyMeaning, meaning_of
from newsletter.providers.smtp_fates import ChunkFates, RelayStanding, answer_of, mark_of
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


def test_what_was_lost_in_the_middle_of_a_log_counts_as_unsent_or_in_doubt_alone() -> None:
    """A power cut can lose any of the last lines, not only those at the end."""
    _, replies = outcome_while_alive([ACCEPTED] * 5)
    replies[1] = Reply(delivery=2, was_begun=False)
    replies[3] = Reply(delivery=4, was_begun=True)

    outcome = outcome_of_replies(replies)

    assert (outcome.verdict, outcome.unsent, set(outcome.uncertain)) == (Verdict.ACCEPTED, frozenset({2, 6, 7, 8}), {4})
