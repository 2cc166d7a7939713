"""Reading what caniemail publishes, and the copy of it that the program carries."""

from importlib.resources import files
from pathlib import Path

import pytest

from newsletter.checks.clients.features import NOT_LOOKED_FOR, signs_of
from newsletter.checks.clients.published import newest_version, read_published
from newsletter.checks.clients.report import judgments
from newsletter.checks.clients.table import TABLE_FILE, Support, load_carried, load_table, read_table, written
from newsletter.checks.registry import RULES
from newsletter.errors import MistakesError
from tests.checks.clients.published import answer

URL = "https://example.org/data.json"


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        (["2020-01", "2024-05", "2022-02"], "2024-05"),
        (["2011", "2016", "2019", "16.80"], "16.80"),  # years were names of products before numbers were
        (["9", "12.4", "10.3"], "12.4"),
        (["137.0b3", "68.4"], "137.0b3"),
    ],
)
def test_the_newest_version_counts_whatever_it_is_called(versions: list[str], newest: str) -> None:
    assert newest_version(dict.fromkeys(versions, "y")) == newest


def test_of_each_mail_program_the_newest_version_is_kept_with_its_remarks() -> None:
    table = read_published(answer(), URL)
    gap = table.features[0]

    assert dict(zip(table.clients, gap.answers, strict=True)) == {
        "gmail.desktop-webmail": Support.SEEN,
        "gmail.ios": Support.PARTLY,
        "outlook.windows": Support.UNSEEN,
        "outlook.macos": Support.SEEN,
    }
    assert table.remarks(gap, "gmail.ios") == ("Partial. Only column-gap.",)
    assert table.clients["gmail.desktop-webmail"] == "Gmail in a browser"
    assert (table.source, table.date) == (URL, "2099-01-02")


def test_a_table_is_read_as_it_was_written() -> None:
    table = read_published(answer(), URL)
    assert read_table(written(table)) == table


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>Not here</html>", "line 1 is not JSON"),
        (b"{}", "api_version: field required"),
        (answer().replace(b'"1.0.4"', b'"2.0"'), "api_version"),
        (answer(stats={"gmail": {"ios": {"2024": "yes!"}}}), "data › 0 › stats › gmail › ios › 2024"),
        (answer(stats=None), "data › 0 › stats"),
        (answer(url="javascript:alert(1)"), "url"),
        (answer(title="a\x1b[2J"), "title"),
        (answer(date="yesterday, at nine"), "date"),
        (b'{"api_version": "1.0", "last_update_date": "2026-01-01", "nicenames": {"family": {}, "platform": {}}, '
         b'"data": []}', "data"),
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_refused_and_says_where(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_published(content, URL)


def test_the_carried_table_has_its_date_its_source_and_its_license_beside_it() -> None:
    carried = load_carried()
    data = files("newsletter") / "checks" / "clients" / "data"

    assert carried.date >= "2026-05-13"
    assert carried.source == "https://www.caniemail.com/api/data.json"
    assert "MIT" in carried.license
    assert "Copyright (c) 2019 HTeuMeuLeu" in (data / "caniemail.LICENSE").read_text("utf-8")
    assert (data / TABLE_FILE).read_bytes() == written(carried)


def test_every_feature_of_the_carried_table_is_looked_for_or_left_out_on_purpose() -> None:
    assert {feature.slug for feature in load_carried().features if not signs_of(feature)} == NOT_LOOKED_FOR


def test_every_judgment_is_about_a_feature_that_there_is() -> None:
    known = {feature.slug for feature in load_carried().features} | {"css", "html", "image"}
    judged = judgments()
    assert {*judged.anywhere, *judged.built_in, *judged.other_checks, *judged.remedies} - known == set()
    assert set(judged.anywhere) & set(judged.built_in) == set()
    assert set(judged.other_checks.values()) <= {rule.id for rule in RULES}


def test_the_newer_of_the_two_tables_is_used(tmp_path: Path) -> None:
    own = tmp_path / TABLE_FILE

    own.write_bytes(written(read_published(answer(date="2020-01-01"), URL)))
    assert load_table(tmp_path) == load_carried()

    own.write_bytes(written(read_published(answer(date="2099-01-01"), URL)))
    assert load_table(tmp_path).date == "2099-01-01"


def test_a_damaged_table_of_the_workspace_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / TABLE_FILE).write_bytes(written(load_carried())[:5000])
    with pytest.raises(MistakesError, match=r"caniemail\.json: .*; run .* again, or delete the file"):
        load_table(tmp_path)
