"""Refusals in a row are counted as the relay gave them, whichever connection hears of them first."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from newsletter.providers.smtp_dialogue import ReplyMeaning
from newsletter.providers.smtp_standing import Refusal, RelayStanding, Turn

IN_A_ROW = 5
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
