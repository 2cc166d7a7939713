"""Preferences by the link in an email: what can be chosen, and what cannot be done with that link alone."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.model.audience import SuppressionReason
from newsletter.model.edit import Edit
from newsletter.model.personal_links import Purpose, code_of, stamp_of
from newsletter.model.preferences import LinkRequestKind
from newsletter.store.database import Database
from newsletter.store.editing import edit_people
from newsletter.store.preferences import link_requests, tracking_choices
from newsletter.store.subscribers import find_subscriber
from newsletter.store.suppressions import add_suppression, suppressions_of
from newsletter.system.moments import text_of
from tests.store.builders import NOW, agree_to_tracking
from tests.web.public.choosing import do, form_of, press, save
from tests.web.public.conftest import TOPICS, ServedPages
from tests.workspaces import CONFIG

ANA, BO = "ana@example.org", "bo@example.org"


@pytest.fixture
def mode() -> str:
    """How broadcasts are tracked."""
    return "consented"


@pytest.fixture
def settings(mode: str) -> str:
    """What newsletter.toml says."""
    return f'{CONFIG}{TOPICS}\n[tracking]\nmode = "{mode}"\n'


def record(served: ServedPages, email: str = ANA):  # type: ignore[no-untyped-def]
    """What the list says about someone."""
    found = find_subscriber(served.database, email)
    assert found is not None
    return found.record


def requests(database: Database, email: str) -> list[LinkRequestKind]:
    """The links that someone asked for, the newest first."""
    found = find_subscriber(database, email)
    assert found is not None
    with database.read() as connection:
        return [each.kind for each in link_requests(connection, found.id)]


def test_everything_is_saved_as_a_whole_and_shown_in_place(served: ServedPages) -> None:
    link = served.preferences(ANA)

    answer = save(
        served,
        link,
        topic=("news",),
        language="pt",
        timezone="America/Sao_Paulo",
        first_name=" Ana  ",
        last_name="Lima",
        pause="2026-04-01",
        tracking="yes",
    )

    found = record(served)
    assert "Suas preferências foram salvas" in answer.text
    assert (found.language, found.timezone) == ("pt", "America/Sao_Paulo")
    assert (found.first_name, found.last_name) == ("Ana", "Lima")
    assert found.paused_until == datetime(2026, 4, 1, 3, tzinfo=UTC)  # midnight in São Paulo
    assert found.tracking_consented_at == served.now
    assert [each.topic for each in suppressions_of(served.database, ANA)] == ["events"]
    assert found.consented_at == NOW
    again = form_of(served.get(link))
    assert (again["pause"], again["topic"], again["tracking"]) == ("2026-04-01", ("news",), ("no", "yes"))


def test_saving_what_is_on_record_changes_nothing(served: ServedPages) -> None:
    before = find_subscriber(served.database, ANA)

    answer = save(served, served.preferences(ANA))

    after = find_subscriber(served.database, ANA)
    assert before is not None
    assert after is not None
    assert "have been saved" in answer.text
    assert after.record == before.record
    assert suppressions_of(served.database, ANA) == ()


def test_the_page_shows_neither_the_address_nor_the_token(served: ServedPages) -> None:
    page = served.get(served.preferences(ANA))

    token = served.link(ANA).partition("-")[2]
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    assert "a…@e….org" in page.text
    assert ANA not in page.text
    assert token not in page.text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("language", "xx", "Choose a language"),
        ("language", "<b>", "Choose a language"),
        ("timezone", "Mars/Base", "Choose a time zone"),
        ("timezone", "Europe", "Choose a time zone"),
        ("timezone", "../etc/passwd", "Choose a time zone"),
        ("first_name", "https://example.org", "Write only a name"),
        ("first_name", "Win 1000 € now", "Write only a name"),
        ("last_name", "x" * 101, "Write only a name"),
        ("last_name", "a\x07b", "Write only a name"),
        ("last_name", "a\nb", "Write only a name"),
        ("last_name", "erased@example.org", "Write only a name"),
        ("pause", "soon", "Write a day"),
        ("pause", "2026-02-30", "Write a day"),
        ("pause", "20260401", "Write a day"),
        ("pause", "2026-W14-3", "Write a day"),
        ("pause", "٢٠٢٦-٠٤-٠١", "Write a day"),
        ("pause", "2026-02-19", "Choose a day after today"),
        ("pause", "0001-01-01", "Choose a day after today"),
        ("pause", "9999-12-31", "Choose a day within"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_is_saved(
    served: ServedPages, field: str, value: str, words: str
) -> None:
    link, before = served.preferences(ANA), record(served)

    answer = save(served, link, **{"topic": (), "tracking": "yes", "pause": "2026-04-01", field: value})

    assert answer.status == 200
    assert answer.text.count(words) == 2  # in the summary, and beside the field
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-fault"' in answer.text
    assert record(served) == before
    assert suppressions_of(served.database, ANA) == ()
    assert "have been saved" not in answer.text
    assert form_of(answer)["tracking"] == ("no", "yes")  # what was typed is still there


def test_a_name_that_is_on_record_stays_whatever_it_is(served: ServedPages) -> None:
    edit_people(served.database, [ANA], Edit(cells={"first_name": "The Smith family of 12"}), shown=0, now=NOW)

    save(served, served.preferences(ANA), language="de")

    assert (record(served).first_name, record(served).language) == ("The Smith family of 12", "de")


def test_a_language_or_zone_that_is_not_offered_stays_if_it_is_on_record(served: ServedPages) -> None:
    cells = {"language": "pt-BR", "timezone": "Asia/Calcutta"}
    edit_people(served.database, [ANA], Edit(cells=cells), shown=0, now=NOW)

    save(served, served.preferences(ANA), first_name="Nia")

    found = record(served)
    assert (found.first_name, found.language, found.timezone) == ("Nia", "pt-BR", "Asia/Calcutta")


def test_a_pause_ends_by_leaving_the_field_empty_or_by_itself(served: ServedPages) -> None:
    link = served.preferences(ANA)
    save(served, link, pause="2026-02-21")
    paused = record(served).paused_until
    save(served, link, pause="")
    ended = record(served).paused_until
    save(served, link, pause="2026-02-21")
    served.later(days=3)

    assert paused == datetime(2026, 2, 21, 8, tzinfo=UTC)  # midnight in the newsletter's own zone
    assert ended is None
    assert form_of(served.get(served.preferences(ANA)))["pause"] == ""


def test_tracking_is_agreed_to_and_withdrawn_at_once_and_both_are_kept_as_proof(served: ServedPages) -> None:
    link = served.preferences(ANA)
    save(served, link, tracking="yes")
    agreed = record(served).tracking_consented_at
    fields = form_of(served.get(link))
    served.later(hours=1)
    press(served, link, {**fields, "tracking": "no"})

    found = find_subscriber(served.database, ANA)
    assert found is not None
    with served.database.read() as connection:
        choices = tracking_choices(connection, found.id)
    assert agreed is not None
    assert found.record.tracking_consented_at is None
    assert [(each.agrees, each.wording) for each in choices] == [(False, "1 en"), (True, "1 en")]
    assert [each.at for each in choices] == [served.now, agreed]


@pytest.mark.parametrize("mode", ["off", "totals"])
def test_who_has_not_agreed_is_asked_about_tracking_only_where_that_is_of_use(served: ServedPages) -> None:
    link = served.preferences(ANA)
    fields = form_of(served.get(link))
    save(served, link, tracking="yes", first_name="Nia")

    assert "tracking" not in fields
    assert (record(served).first_name, record(served).tracking_consented_at) == ("Nia", None)


@pytest.mark.parametrize("mode", ["off", "totals"])
def test_who_has_agreed_can_withdraw_whatever_is_tracked_now(served: ServedPages) -> None:
    agree_to_tracking(served.database, ANA)
    link = served.preferences(ANA)
    fields = form_of(served.get(link))
    save(served, link, tracking="no")

    assert fields["tracking"] == ("no", "yes")
    assert record(served).tracking_consented_at is None
    assert "tracking" not in form_of(served.get(link))


def test_a_page_that_did_not_ask_about_tracking_withdraws_nothing(served: ServedPages) -> None:
    link = served.preferences(ANA)
    fields = form_of(served.get(link))
    del fields["tracking"]
    agree_to_tracking(served.database, ANA)
    served.later(seconds=5)
    press(served, link, {**fields, "first_name": "Nia"})

    assert record(served).first_name == "Nia"
    assert record(served).tracking_consented_at is not None


def test_a_topic_that_someone_else_blocked_is_not_given_back(served: ServedPages) -> None:
    add_suppression(served.database, ANA, SuppressionReason.MANUAL, topic="events", now=NOW)

    save(served, served.preferences(ANA), topic=("news", "events"))

    assert [each.topic for each in suppressions_of(served.database, ANA)] == ["events"]


def test_who_has_left_sees_no_form_but_can_ask_for_their_data(served: ServedPages) -> None:
    link = served.preferences(ANA)
    fields = form_of(served.get(link))
    add_suppression(served.database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)
    served.later(seconds=5)

    page = press(served, link, {**fields, "first_name": "Nia"})
    do(served, link, "address", email="new@example.org")
    do(served, link, "data")

    assert "gets no email from us" in page.text
    assert 'value="save"' not in page.text
    assert record(served).first_name == "Ana"
    assert requests(served.database, ANA) == [LinkRequestKind.DATA]


def leaving_link(served: ServedPages, email: str) -> str:
    """The link for unsubscribing on someone's page with preferences."""
    page = served.get(served.preferences(email)).text
    return page.split('class="button" href="')[1].split('"')[0]


def test_the_page_leads_to_unsubscribing_without_giving_the_token_away(served: ServedPages) -> None:
    link = leaving_link(served, ANA)
    left_before = served.get(link).text
    do(served, link, "leave")

    assert "a…@e….org" in left_before
    assert served.link(ANA).partition("-")[2] not in link
    assert [each.reason for each in suppressions_of(served.database, ANA)] == [SuppressionReason.UNSUBSCRIBED]
    assert suppressions_of(served.database, BO) == ()


def test_a_code_for_unsubscribing_is_of_one_person_and_opens_nothing_else(served: ServedPages) -> None:
    link, foreign = leaving_link(served, ANA), leaving_link(served, BO)
    number, code = link.removeprefix("/u/").split("-", 1)
    person = find_subscriber(served.database, ANA)
    assert person is not None
    codes = {purpose: code_of(person.token, purpose, str(person.id)) for purpose in Purpose}
    wrong = [
        f"/u/{number}-{foreign.removeprefix('/u/').split('-', 1)[1]}",
        *(f"/u/{number}-{each}" for purpose, each in codes.items() if purpose is not Purpose.LEAVE),
        *(f"/{kind}/{number}-{code}" for kind in ("p", "t", "my", "join")),
    ]

    for path in wrong:
        served.ask("POST", path, b"List-Unsubscribe=One-Click")

    assert codes[Purpose.LEAVE] == code
    assert len({served.get(path).body for path in wrong}) == 1
    assert suppressions_of(served.database, ANA) == ()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "?do=save&first_name=X", "?do=data&from=page", "/?x=y"])
def test_a_scanner_changes_nothing(served: ServedPages, method: str, query: str) -> None:
    before = record(served)

    answers = [served.ask(method, served.preferences(ANA) + query) for _ in range(3)]

    assert {answer.status for answer in answers} == {200}
    assert record(served) == before
    assert requests(served.database, ANA) == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"])
def test_other_methods_are_refused(served: ServedPages, method: str) -> None:
    assert served.ask(method, served.preferences(ANA), b"").status == 405


def test_links_that_are_not_ours_get_the_same_page_to_the_byte(served: ServedPages) -> None:
    ana, bo = served.preferences(ANA), served.preferences(BO)
    person = find_subscriber(served.database, ANA)
    assert person is not None
    seconds, code = ana.partition("-")[2].split(".")
    other = {purpose: stamp_of(person.token, purpose, str(person.id), now=NOW) for purpose in Purpose}
    links = [
        f"/p/{person.id}-{person.token}",  # the link that unsubscribes
        *(f"/p/{person.id}-{stamp}" for purpose, stamp in other.items() if purpose is not Purpose.PREFERENCES),
        f"/p/{person.id}-{bo.partition('-')[2]}",  # of someone else
        bo.replace(f"/p/{bo[3:].partition('-')[0]}-", "/p/999-"),
        f"/p/{person.id}-{int(seconds) + 86_400}.{code}",  # made younger
        f"/p/{person.id}-{int(seconds) - 86_400}.{code}",
        f"/p/{person.id}-{seconds}.{code[:-1]}",
        f"/p/{person.id}-{seconds}.{code}{code[-1]}",
        f"/p/{person.id}-{seconds}.{'A' if code[0] != 'A' else 'B'}{code[1:]}",
        f"/p/{person.id}-{seconds}{code}",
        f"/p/{person.id}-{code}",
        served.preferences(ANA, days_ago=-3),  # from the future
        "/p/1-%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9",
        f"/p/0-{seconds}.{code}",
        "/p/x",
    ]
    form = {"from": "page", "do": "data", "stamp": served.get(ana).value_of("stamp")}
    served.later(seconds=5)

    answers = [served.get(link) for link in links] + [press(served, link, form) for link in links]

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert requests(served.database, ANA) == requests(served.database, BO) == []


@pytest.mark.parametrize(
    ("stamp", "seconds", "headers"),
    [
        ("", 5, {}),
        ("own", 0, {}),
        ("own", 25 * 3600, {}),
        ("bo", 5, {}),
        ("own", 5, {"Origin": "https://evil.example.com"}),
        ("own", 5, {"Origin": "null"}),
        ("own", 5, {"Sec_Fetch_Site": "cross-site"}),
        ("0000000000.AAAAAAAAAAAAAAAAAAAAAA", 5, {}),
    ],
)
@pytest.mark.parametrize("action", ["save", "data", "address"])
def test_a_form_counts_only_if_a_person_pressed_it_on_our_page(
    served: ServedPages, action: str, stamp: str, seconds: int, headers: dict[str, str]
) -> None:
    link = served.preferences(ANA)
    fields = form_of(served.get(link))
    stamps = {"own": fields["stamp"], "bo": form_of(served.get(served.preferences(BO)))["stamp"]}
    served.later(seconds=seconds)
    typed = {**fields, "do": action, "stamp": stamps.get(stamp, stamp), "first_name": "Nia", "email": "new@example.org"}

    answer = press(served, link, typed, **headers)

    assert answer.status == 200
    assert "press the button once more" in answer.text
    assert record(served).first_name == "Ana"
    assert requests(served.database, ANA) == []
    assert form_of(answer)["first_name"] == "Nia"  # nothing has to be typed again


def test_whoever_presses_at_once_presses_twice(served: ServedPages) -> None:
    link = served.preferences(ANA)
    again = press(served, link, {**form_of(served.get(link)), "first_name": "Nia"})
    served.later(seconds=2)

    press(served, link, form_of(again))

    assert record(served).first_name == "Nia"


@pytest.mark.parametrize("missing", ["language", "timezone", "first_name", "last_name", "pause"])
def test_a_form_that_was_cut_off_saves_nothing(served: ServedPages, missing: str) -> None:
    link = served.preferences(ANA)
    fields = form_of(served.get(link))
    del fields[missing]
    served.later(seconds=5)

    press(served, link, {**fields, "topic": (), "tracking": "yes"})

    assert record(served).tracking_consented_at is None
    assert suppressions_of(served.database, ANA) == ()


def test_a_link_of_the_last_year_works_and_an_older_one_only_asks_for_another(served: ServedPages) -> None:
    fresh, old = served.preferences(ANA, days_ago=364), served.preferences(ANA, days_ago=367)
    fields = form_of(served.get(fresh))
    page = served.get(old)
    served.later(seconds=5)

    press(served, old, {**fields, "first_name": "Nia"})
    press(served, old, {**fields, "do": "address", "email": "new@example.org"})
    unchanged, asked = record(served).first_name, requests(served.database, ANA)
    do(served, old, "preferences")

    assert "too old" in page.text
    assert (unchanged, asked) == ("Ana", [])
    assert requests(served.database, ANA) == [LinkRequestKind.PREFERENCES]


def test_a_program_that_has_a_link_asks_for_few_others(served: ServedPages) -> None:
    link = served.preferences(ANA)
    for number in range(12):
        do(served, link, "data")
        do(served, link, "address", email=f"new{number}@example.org")

    assert len(requests(served.database, ANA)) <= 9  # the two of a change count together


def test_a_new_token_ends_the_link(served: ServedPages) -> None:
    link = served.preferences(ANA)
    edit_people(served.database, [ANA], Edit(cells={"email": "new@example.org"}), shown=0, now=NOW)

    page = served.get(link)

    assert "not valid" in page.text


def test_every_answer_protects_the_link_in_its_address(served: ServedPages) -> None:
    for answer in (served.get(served.preferences(ANA)), save(served, served.preferences(ANA))):
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert "set-cookie" not in answer.headers


def test_a_body_that_is_too_large_is_refused(served: ServedPages) -> None:
    answer = served.ask("POST", served.preferences(ANA), b"a=" + b"x" * 70_000)

    assert answer.status == 413


def test_a_stored_pause_is_shown_as_the_day_that_was_chosen(served: ServedPages) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Tokyo", ""):
        save(served, served.preferences(ANA), timezone=zone, pause="2026-05-01")

        until = record(served).paused_until
        assert until is not None
        assert text_of(until).startswith("2026-05-01")
        assert until - datetime(2026, 5, 1, tzinfo=UTC) < timedelta(days=1)
