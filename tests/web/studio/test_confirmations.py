"""Questions that are answered once, however many people answer and however often."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.errors import ProviderError
from newsletter.model.finding import Finding, Place, Severity
from newsletter.web.studio.confirmations import Confirmations, Question, Settlement, is_typed

DONE = Settlement(said=("done",))


def question(act: Callable[[], Settlement | Question], **changes: object) -> Question:
    fields = {"issue": "2026-02", "title": "Do it?", "facts": (), "action": "Do it", "act": act, **changes}
    return Question(**fields)  # type: ignore[arg-type]


def test_what_was_asked_is_done_once_however_many_answer_at_a_time() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def act() -> Settlement:
        done.append(1)
        begun.set()
        go_on.wait(20)
        return DONE

    questions = Confirmations()
    asked = questions.find("2026-02", questions.ask(question(act)))
    assert asked is not None
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(questions.answer, asked) for _ in range(4)]
        assert begun.wait(20)
        go_on.set()
        for answer in answers:
            answer.result()
    assert (done, asked.settlement) == ([1], DONE)


def test_a_failure_is_not_tried_again() -> None:
    tries = []

    def act() -> Settlement:
        tries.append(1)
        raise ProviderError("no answer; try later")

    questions = Confirmations()
    asked = questions.find("2026-02", questions.ask(question(act)))
    assert asked is not None
    for _ in range(3):
        questions.answer(asked)
    assert len(tries) == 1
    assert asked.settlement == Settlement(failure="no answer; try later")


def test_a_fault_of_the_program_uses_the_question_up() -> None:
    def act() -> Settlement:
        raise ZeroDivisionError

    questions = Confirmations()
    asked = questions.find("2026-02", questions.ask(question(act)))
    assert asked is not None
    with pytest.raises(ZeroDivisionError):
        questions.answer(asked)
    assert asked.settlement is not None
    questions.answer(asked)


def test_a_question_that_comes_of_an_answer_has_a_key_of_its_own() -> None:
    questions = Confirmations()
    later = question(lambda: DONE)
    asked = questions.find("2026-02", questions.ask(question(lambda: later)))
    assert asked is not None
    questions.answer(asked)
    again = asked.again
    questions.answer(asked)
    assert asked.again == again
    found = questions.find("2026-02", again)
    assert found is not None
    assert found.question is later


def test_nothing_is_done_while_a_problem_blocks_it() -> None:
    finding = Finding(rule="R1", severity=Severity.ERROR, place=Place(path="issues/2026-02"), what="no", remedy="wait")
    questions = Confirmations()
    blocked = question(lambda: pytest.fail("it was done"), blocking=(finding,))
    asked = questions.find("2026-02", questions.ask(blocked))
    assert asked is not None
    questions.answer(asked)
    assert asked.settlement is None


def test_old_questions_are_forgotten_and_those_of_other_issues_not_found() -> None:
    questions = Confirmations()
    keys = [questions.ask(question(lambda: DONE)) for _ in range(60)]
    assert questions.find("2026-02", keys[0]) is None
    assert questions.find("2026-02", keys[-1]) is not None
    assert questions.find("2026-03", keys[-1]) is None
    assert len(set(keys)) == 60


@pytest.mark.parametrize(
    ("people", "typed", "is_right"),
    [
        (1200, "1200", True),
        (1200, "1,200", True),
        (1200, "1.200", True),
        (1200, " 1 200 ", True),
        (1200, "1\u202f200", True),
        (1200, "1’200", True),
        (1200, "120", False),
        (1200, "12000", False),
        (1200, "+1200", False),
        (1200, "1200.0", False),
        (1200, "１２００", False),
        (1200, "1e3", False),
        (1200, "01200", True),
        (1200, "9" * 5000, False),
        (1200, "", False),
        (0, "", False),
        (None, "", True),
    ],
)
def test_the_number_has_to_be_the_same(people: int | None, typed: str, is_right: bool) -> None:
    assert is_typed(question(lambda: DONE, people=people), typed) is is_right
