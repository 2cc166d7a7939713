"""Characters that were changed on their way between programs."""

import pytest

from tests.checks.conftest import Workspace


@pytest.mark.parametrize(
    "words",
    [
        "don=E2=80=99t",
        "one=20two",
        "don\\u2019t",
        "tea\\u{1f375}",
        "caf\\xe9",
        "two%20words",
        "caf%C3%A9",
        "so =3Dhe= said=0A",
    ],
)
def test_a_code_instead_of_a_character_blocks_at_its_line(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nand {words} too")

    assert workspace.findings() == [("S19", "letter.md:10")]


@pytest.mark.parametrize(
    "words",
    [
        "100%20",
        "a=b and E=mc2",
        "`two%20words` and `\\u2019`",
        "https://example.org/two%20words?a=20b",
        "ten percent (10%), or 5%CO2",
        "C:\\users",
        "x = 20",
    ],
)
def test_signs_that_mean_themselves_are_fine(workspace: Workspace, words: str) -> None:
    workspace.edit("letter", "grow longer", f"grow longer\nand {words} too")

    assert workspace.findings() == []
