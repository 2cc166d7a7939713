"""How many of something there are, as the program's messages write it."""

import pytest

from newsletter.language.counts import count_of, people_of


@pytest.mark.parametrize(
    ("number", "noun", "written"),
    [
        (0, "subscriber", "0 subscribers"),
        (1, "version", "1 version"),
        (2, "version", "2 versions"),
        (1200, "entry", "1,200 entries"),
        (2, "day", "2 days"),
        (1, "address", "1 address"),
        (2, "address", "2 addresses"),
    ],
)
def test_noun_agrees_with_the_number(number: int, noun: str, written: str) -> None:
    assert count_of(number, noun) == written


def test_one_person_is_no_people() -> None:
    assert (people_of(1), people_of(2000)) == ("1 person", "2,000 people")
