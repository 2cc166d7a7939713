"""Lists of addresses that must not be mailed: read from any usual file, and written so that they can be read again."""

import csv
import io
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InputError, MistakesError, NewsletterError
from newsletter.lists.exports import write_suppressions, write_suppressions_json
from newsletter.lists.leavers import UnclearColumnsError
from newsletter.lists.suppression_list import read_suppressions
from newsletter.lists.suppression_rows import SuppressionTerms
from newsletter.model.audience import Suppression, SuppressionReason

NOW = datetime(2026, 2, 19, 8, 0, tzinfo=UTC)
TOPICS = {"events": "Events and courses", "news": "News"}
LEFT, BOUNCED = SuppressionReason.UNSUBSCRIBED, SuppressionReason.BOUNCED
LEFT_ALL = SuppressionTerms()


def read(path: Path, content: str | bytes, terms: SuppressionTerms = LEFT_ALL) -> list[Suppression]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_suppressions(path, terms=terms, topics=TOPICS, now=NOW))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "left.csv"


def left_between(email: str, first: datetime, length: timedelta, **fields: object) -> Suppression:
    return left(email, created_at=first, repeated_at=first + length, **fields)


def left(email: str, **fields: object) -> Suppression:
    return Suppression(**{"email": email, "reason": LEFT, "created_at": NOW, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        "ana@example.org\nbo@example.org\n",
        "\n  ana@example.org\r\n\r\nbo@example.org",
        "\ufeffana@example.org\nbo@example.org\n",
        "ana@example.org\nbo@example.org\n".encode("utf-16"),
        "email\nana@example.org\nbo@example.org\n",
        "\n\nName;E-Mail\nAna;ana@example.org\n;bo@example.org\n",
        'email,comment\nana@example.org,"left,\nby letter"\n\nbo@example.org,\n',
        "Email Address\tother\nana@example.org\tx\n\t\nbo@example.org\t\n",
    ],
)
def test_addresses_are_read_from_lines_and_from_columns(file: Path, content: str | bytes) -> None:
    assert read(file, content) == [left("ana@example.org"), left("bo@example.org")]


def test_columns_say_what_the_terms_leave_open(file: Path) -> None:
    terms = SuppressionTerms(reason=SuppressionReason.MANUAL, topic="news", detail="from the old tool")
    content = (
        "email,reason,topic,detail,created_at\n"
        "ana@example.org,Bounced,events,550 gone,2025-01-31T10:00:00Z\n"
        "bo@example.org,,,,\n"
    )

    assert read(file, content, terms) == [
        left(
            "ana@example.org",
            reason=BOUNCED,
            topic="events",
            detail="550 gone",
            created_at=datetime(2025, 1, 31, 10, tzinfo=UTC),
        ),
        left("bo@example.org", reason=SuppressionReason.MANUAL, topic="news", detail="from the old tool"),
    ]


def test_the_export_of_a_provider_is_read_with_its_words_and_times(file: Path) -> None:
    content = "status,reason,email,created\n5.1.1,550 5.1.1 no such user,ana@example.org,1443651141\n"

    assert read(file, content, SuppressionTerms(reason=BOUNCED)) == [
        left(
            "ana@example.org",
            reason=BOUNCED,
            detail="550 5.1.1 no such user",
            created_at=datetime.fromtimestamp(1443651141, UTC),
        )
    ]


def test_all_mistakes_are_told_with_their_lines(file: Path) -> None:
    content = (
        "email,reason,topic,created_at\n"
        "ana@example.org,,,\n"
        "nobody,,,\n"
        "bo@example.org,unsubscribd,,\n"
        "cy@example.org,,event,\n"
        "di@example.org,,,tomorrow\n"
        "ed@example.org,,,2031-01-01\n"
        ",bounced,,\n"
        "flo@example.org,,news; offers,\n"
        "gus@example.org,left; angry,,\n"
    )

    with pytest.raises(MistakesError) as refusal:
        read(file, content)

    told = [(mistake.line, mistake.what, mistake.remedy) for mistake in refusal.value.mistakes]
    assert [line for line, *_ in told] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert told[0][1].startswith("'nobody' is not an email address")
    assert told[1][1] == "'unsubscribd' is not a valid reason"
    assert told[2][1:] == ("there is no topic 'event' in newsletter.toml", "did you mean events?")
    assert told[3][1:] == ("'tomorrow' is not a date", "write it as 2026-01-31 or 2026-01-31T08:00Z")
    assert told[4][1:] == ("the date '2031-01-01' is in the future", "write the day on which the person unsubscribed")
    assert told[5][1:] == ("the address is missing", "correct or delete the line")
    assert told[6][1] == "there is no topic 'news; offers' in newsletter.toml"
    assert told[7][1] == "'left; angry' is not a valid reason"


def test_a_file_that_is_no_list_is_told_in_a_few_lines(file: Path) -> None:
    with pytest.raises(MistakesError) as refusal:
        read(file, "a@\n" * 5000)

    assert len(refusal.value.mistakes) == 101
    assert "4,900 more lines" in refusal.value.mistakes[-1].what


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("name,phone\nAna,7\n", "left.csv:1: there are no addresses, and there is no column named email"),
        (b"PK\x03\x04 and so on", "it is a workbook"),
        (
            "email,reason\nana@example.org,bounced\nbo@example.org,x,y\n",
            "left.csv:3: the row has 3 cells, and the header has 2",
        ),
        (
            'email\nana@example.org\n"bo@example.org\n',
            "left.csv:3: the file cannot be read from here on, because its quotes do not match",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(file: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(NewsletterError, match=message):
        read(file, content)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file "):
        list(read_suppressions(tmp_path / "no.csv", terms=SuppressionTerms(), topics={}, now=NOW))


_WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), max_size=20)
_SUPPRESSIONS = st.builds(
    Suppression,
    email=st.sampled_from(
        ["ana@example.org", "+bo@example.org", "-c=@example.org", "'d@example.org", "zoë@example.org"]
    ),
    reason=st.sampled_from(SuppressionReason),
    created_at=st.integers(1, 20_000_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    topic=st.sampled_from(["", *TOPICS]),
    detail=_WORDS,
)


@given(suppressions=st.lists(_SUPPRESSIONS, max_size=8))
def test_what_is_written_is_read_again_as_it_was(
    suppressions: list[Suppression], tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = io.StringIO()
    assert write_suppressions(suppressions, written) == len(suppressions)

    path = tmp_path_factory.getbasetemp() / "written.csv"
    assert read(path, written.getvalue()) == suppressions


@given(content=st.binary(max_size=300))
def test_any_bytes_end_in_suppressions_or_in_a_message(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    with suppress(NewsletterError):
        assert all("@" in each.email for each in read(path, content))


def test_no_cell_is_taken_for_a_formula() -> None:
    written = io.StringIO()

    write_suppressions([left("+ana@example.org", detail="=1+1")], written)

    cells = next(csv.reader(written.getvalue().splitlines()[1:]))
    assert cells == ["'+ana@example.org", "", "unsubscribed", "'=1+1", "2026-02-19T08:00:00Z", "", ""]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_json_is_a_list_of_objects(count: int) -> None:
    written = io.StringIO()

    assert write_suppressions_json([left(f"person{number}@example.org") for number in range(count)], written) == count
    assert [each["email"] for each in json.loads(written.getvalue())] == [
        f"person{number}@example.org" for number in range(count)
    ]


def test_column_of_streets_is_not_taken_for_addresses(file: Path) -> None:
    assert read(file, "name,address,email\nAna,1 Main Street,ana@example.org\n") == [left("ana@example.org")]
    assert read(file, "name,address\nAna,ana@example.org\n") == [left("ana@example.org")]


def test_no_column_of_addresses_is_left_out_unsaid(file: Path) -> None:
    with pytest.raises(MistakesError, match="the columns 'email' and 'Email Address' both contain addresses"):
        read(file, "email,Email Address\nana@example.org,bo@example.org\n")


def test_the_whole_export_of_a_tool_gives_those_who_left_since_they_did(file: Path) -> None:
    content = (
        "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,CLEAN_TIME\n"
        "ana@example.org,Ana,2024-01-01 00:00:00,2024-01-01 00:00:00,,\n"
        "bo@example.org,Bo,2024-01-01 00:00:00,2024-01-01 00:00:00,2025-03-04 05:06:07,\n"
        "cy@example.org,Cy,2024-01-01 00:00:00,2024-01-01 00:00:00,,2025-04-05 06:07:08\n"
    )

    assert read(file, content) == [
        left_between("bo@example.org", datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC), timedelta(hours=12)),
        left_between("cy@example.org", datetime(2025, 4, 5, 6, 7, 8, tzinfo=UTC), timedelta(hours=12), reason=BOUNCED),
    ]


@pytest.mark.parametrize(
    ("header", "mailed", "gone"),
    [
        (
            "email,active_subscription,created_at,email_disabled",
            "true,2024-01-01T00:00:00Z,false",
            "false,2024-01-01,true",
        ),
        ("email,subscribed_to_emails,created_at", "true,2024-01-01", "false,2024-01-01"),
        ("uuid,email,name,attributes,status,created_at", "Ana,{},enabled,2024-01-01", "Bo,{},blocklisted,2024-01-01"),
        ("email,creation_date,type", "2024-01-01,regular", "2024-01-01,unsubscribed"),
        ("EMAIL,ADDED_TIME,EMAIL_BLACKLISTED", "01-02-2024 10:00:00,No", "01-02-2024 10:00:00,Yes"),
        ("first_name,email,created_at,status", "2024-01-01,active", "2024-01-01,cancelled"),
        ("email,Status,created_at", "Subscribed,2024-01-01", "Opted out,2024-01-01"),
        ("email,unsubscribed,created_at", "no,2024-01-01", "yes,2024-01-01"),
    ],
)
def test_when_somebody_joined_is_not_since_when_they_are_not_mailed(
    file: Path, header: str, mailed: str, gone: str
) -> None:
    before = "x," if header.split(",", maxsplit=1)[0] in {"uuid", "first_name"} else ""

    assert read(file, f"{header}\n{before}ana@example.org,{mailed}\n{before}bo@example.org,{gone}\n") == [
        left("bo@example.org")
    ]


def test_a_list_of_ones_own_says_by_its_columns_who_left_and_when(file: Path) -> None:
    content = (
        "email,first_name,status,unsubscribed_at,created_at\n"
        "ana@example.org,Ana,subscribed,,2024-01-01\n"
        "bo@example.org,Bo,unsubscribed,2025-03-04,2024-01-01\n"
        "cy@example.org,Cy,complained,,2024-01-01\n"
        "di@example.org,Di,pending,,2024-01-01\n"
        "ed@example.org,Ed,,0000-00-00 00:00:00,2024-01-01\n"
        "no address,Flo,active,,\n"
    )

    assert read(file, content) == [
        left_between("bo@example.org", datetime(2025, 3, 4, tzinfo=UTC), timedelta(hours=36, seconds=-1)),
        left("cy@example.org", reason=SuppressionReason.COMPLAINED),
    ]


def test_a_reason_counts_beside_a_status_that_says_nothing(file: Path) -> None:
    content = "email,status,reason\nana@example.org,,bounced\nbo@example.org,active,manual\ncy@example.org,5.1.1,\n"

    with pytest.raises(MistakesError, match=r"left\.csv:4: '5\.1\.1' is not a valid reason"):
        read(file, content)
    assert read(file, content, SuppressionTerms(reason=BOUNCED)) == [
        left("ana@example.org", reason=BOUNCED),
        left("cy@example.org", reason=BOUNCED, detail="5.1.1"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "line,email,fate,remark\n2,ana@example.org,added,\n",
            "left.csv:1: this is the report of an import, which does not say who unsubscribed; name a file",
        ),
        (
            "email,consented_at,consent_source\nana@example.org,2025-01-01,form\n",
            "left.csv:1: this is a list of subscribers, and no column says who unsubscribed",
        ),
        (
            "email,consented_at,consent_basis,consent_source\nana@example.org,2025-01-01,,form\n",
            "left.csv:1: this is a list of subscribers, and no column says who unsubscribed",
        ),
        (
            "Email Address,OPTIN_TIME,CONFIRM_TIME\nana@example.org,2025-01-01,2025-01-01\n",
            "left.csv:1: this is a list of subscribers from Mailchimp, and no column says who unsubscribed",
        ),
        (
            "email,status\nana@example.org,active\nbo@example.org,\n",
            "left.csv: no row says that someone unsubscribed, bounced or complained",
        ),
        (
            "email,status\nana@example.org,gold\nbo@example.org,unsubscribed\n",
            "left.csv:2: 'gold' does not say whether this person unsubscribed; keep only the rows",
        ),
        ("a@example.org\n" + "x" * 7_000_000, "left.csv:2: the row that begins here has more than"),
        ("email\n" + "x" * 7_000_000, "left.csv:2: the row that begins here has more than"),
        (f'email\n"{"x" * 4_194_305}"\n', "left.csv:2: the row that begins here has more than"),
        (f'"{"x" * 4_194_305}"\na@example.org\n', "left.csv:1: the row that begins here has more than"),
        (f'email\n"a"b@example.org,{"x" * 3_000_000}\n', "left.csv:2: the file cannot be read from here on"),
        ('email\n"' + "x\n" * 3_000_000, "left.csv:2: the row that begins here has more than"),
        (",".join(f"c{number}" for number in range(1001)), "left.csv:1: the file has 1,001 columns"),
    ],
)
def test_a_file_that_would_suppress_everybody_or_is_no_list_is_refused(file: Path, content: str, message: str) -> None:
    with pytest.raises(MistakesError) as refusal:
        read(file, content)

    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (
            "email,first_name,Opted out once\nb@example.org,B,yes\na@example.org,A,no\n",
            "Opted out once",
        ),
        ("email,Newsletter\na@example.org,ja\nb@example.org,nein\n", "Newsletter"),
        ("email,Newsletter\na@example.org,ja\n", "Newsletter"),
        ("email,Left\na@example.org,2020\n", "Left"),
        ("email,Left\na@example.org,\nb@example.org,2020-05-06\n", "Left"),
    ],
)
def test_column_that_may_say_who_left_has_to_be_explained(tmp_path: Path, text: str, column: str) -> None:
    path = tmp_path / "left.csv"
    path.write_text(text)

    def blocked(mapping: Mapping[str, str]) -> list[str]:
        found = read_suppressions(path, terms=SuppressionTerms(), topics={}, mapping=mapping, now=NOW)
        return [each.email for each in found]

    with pytest.raises(UnclearColumnsError, match=f'add --map "{re.escape(column)}=unsubscribed"'):
        blocked({})
    assert len(blocked({column: ""})) == text.count("@")
    if "b@" in text:
        assert blocked({column: "unsubscribed"}) == ["b@example.org"]


def test_column_that_is_empty_or_counts_needs_no_explanation(tmp_path: Path) -> None:
    path = tmp_path / "left.csv"
    path.write_text("email,Left,Bounce count\na@example.org,,7\n")

    assert len(list(read_suppressions(path, terms=SuppressionTerms(), topics={}, now=NOW))) == 1


@pytest.mark.parametrize(
    ("mapping", "told"), [({"Lef": "unsubscribed"}, "not in the file"), ({"Left": "city"}, "'city'")]
)
def test_answer_that_means_nothing_is_a_mistake(tmp_path: Path, mapping: Mapping[str, str], told: str) -> None:
    path = tmp_path / "left.csv"
    path.write_text("email,Left\na@example.org,yes\n")

    with pytest.raises(MistakesError, match=told):
        list(read_suppressions(path, terms=SuppressionTerms(), topics={}, mapping=mapping, now=NOW))
