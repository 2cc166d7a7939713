"""A proposal holds for one content and for some time, and a person releases it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.model.broadcast import BroadcastState
from newsletter.model.proposal import Proposal, ProposalState
from newsletter.providers.registry import open_provider
from newsletter.render.memory import Memory
from newsletter.render.theme import Theme
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import list_broadcasts
from newsletter.workflows import proposals
from newsletter.workflows.proposals import ProposalDraft
from newsletter.workflows.send.plan import BroadcastPlan, plan_broadcast
from tests.e2e.program import run, write_list
from tests.store.empty_file import open_test_database
from tests.workspaces import ISSUE, write_workspace

NOW = datetime(2026, 2, 18, 12, tzinfo=UTC)
SOON, LATE = NOW + timedelta(hours=1), NOW + timedelta(hours=73)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with four people on the list."""
    root = write_workspace(tmp_path_factory.mktemp("proposals"))
    write_list(root / "list.csv", 4)
    run(root, "subscribers", "import", "list.csv")
    return root


@pytest.fixture
def config(listed: Path, tmp_path: Path) -> Config:
    root = write_workspace(tmp_path)
    (root / "newsletter.db").write_bytes((listed / "newsletter.db").read_bytes())
    return load_config(root)


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    with open_test_database(config.database) as opened:
        yield opened


def wish(config: Config, segment: str = "everyone", at: str = "", **more: object) -> ProposalDraft:
    folder = config.root / "issues" / "2026-02"
    made = ProposalDraft(folder=folder, segment=segment, at=at, valid_for=timedelta(hours=72), by="An agent 1.0")
    return replace(made, **more)


def propose(config: Config, database: Database, segment: str = "everyone", at: str = "", **more: object) -> Proposal:
    theme = Theme(config.root, Memory())
    return proposals.propose_broadcast(config, database, wish(config, segment, at, **more), theme=theme, now=NOW)


def plan(config: Config, database: Database, proposal: Proposal, *, now: datetime = SOON) -> BroadcastPlan:
    order = proposals.order_of(config, database, proposal, config.root / "issues" / "2026-02", now=now)
    return plan_broadcast(config, database, order, now=now)


def release(config: Config, database: Database, proposal: Proposal, *, now: datetime = SOON) -> int:
    planned = plan(config, database, proposal, now=now)
    return proposals.release(database, proposal, planned, open_provider(config, {}), now=now).id


def test_what_is_proposed_is_saved_and_nothing_is_frozen(config: Config, database: Database) -> None:
    made = propose(config, database, "teachers", at="2026-02-19 08:00")
    assert (made.id, made.issue, made.segment, made.recipients) == (1, "2026-02", "teachers", 2)
    assert made.expires_at == NOW + timedelta(hours=72)
    assert made.schedule is not None
    assert made.schedule.moment_in(made.schedule.zone) == datetime(2026, 2, 19, 16, tzinfo=UTC)
    assert proposals.open_proposals(database, now=NOW) == (made,)
    assert not list_broadcasts(database)


def test_its_hash_and_its_count_are_those_of_the_plan(config: Config, database: Database) -> None:
    made = propose(config, database)
    planned = plan(config, database, made)
    assert planned.request.content_hash == made.content_hash
    assert planned.preview.recipients == made.recipients == 4


def test_a_person_releases_it_once(config: Config, database: Database) -> None:
    made = propose(config, database, "teachers")
    number = release(config, database, made)
    assert [each.state for each in list_broadcasts(database)] == [BroadcastState.RUNNING]
    settled = proposals.require_known(database, made.id)
    assert (settled.state, settled.broadcast) == (ProposalState.RELEASED, number)
    assert proposals.open_proposals(database, now=SOON) == ()
    with pytest.raises(InputError, match="proposal 1 was already released"):
        proposals.require_open(database, 1, issue="2026-02", now=SOON)


def test_a_scheduled_one_waits_for_its_time(config: Config, database: Database) -> None:
    release(config, database, propose(config, database, at="2026-02-19 08:00"))
    (broadcast,) = list_broadcasts(database)
    assert (broadcast.state, broadcast.due_at) == (BroadcastState.SCHEDULED, datetime(2026, 2, 19, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "content"),
    [("letter.md", "Another letter.\n"), ("issue.yaml", ISSUE.replace("A small letter for", "A letter for"))],
)
def test_an_edit_voids_it(config: Config, database: Database, name: str, content: str) -> None:
    made = propose(config, database)
    (config.root / "issues" / "2026-02" / name).write_text(content)
    with pytest.raises(InputError, match="2026-02 has changed since proposal 1 was made, so nothing was sent"):
        release(config, database, made)
    assert not list_broadcasts(database)


def test_an_edit_between_the_plan_and_the_release_is_sent_to_no_one(config: Config, database: Database) -> None:
    """What was planned is what is frozen: the same content as proposed, whatever the files say by now."""
    made = propose(config, database)
    planned = plan(config, database, made)
    (config.root / "issues" / "2026-02" / "letter.md").write_text("Another letter.\n")
    broadcast = proposals.release(database, made, planned, open_provider(config, {}), now=SOON)
    assert broadcast.content_hash == made.content_hash


def test_it_expires(config: Config, database: Database) -> None:
    made = propose(config, database)
    assert proposals.open_proposals(database, now=LATE) == ()
    with pytest.raises(InputError, match=r"proposal 1 expired on 2026-02-21 12:00 UTC; ask the agent to"):
        proposals.require_open(database, 1, issue="2026-02", now=LATE)
    with pytest.raises(InputError, match="expired"):
        release(config, database, made, now=LATE)


def test_it_may_not_be_released_after_its_time(config: Config, database: Database) -> None:
    propose(config, database, at="2026-02-18 06:00")  # in two hours
    with pytest.raises(InputError, match=r"proposal 1 is for Wednesday, February 18, 2026, .* which has passed"):
        proposals.require_open(database, 1, issue="2026-02", now=NOW + timedelta(hours=3))


def test_it_is_about_one_issue(config: Config, database: Database) -> None:
    propose(config, database)
    with pytest.raises(InputError, match="proposal 1 is about the issue 2026-02, not 2026-03"):
        proposals.require_open(database, 1, issue="2026-03", now=SOON)
    with pytest.raises(InputError, match="there is no proposal 9"):
        proposals.require_open(database, 9, issue="2026-02", now=SOON)


def test_a_declined_one_cannot_be_released(config: Config, database: Database) -> None:
    made = propose(config, database)
    proposals.decline(database, made.id)
    with pytest.raises(InputError, match="proposal 1 was already declined"):
        release(config, database, made)
    with pytest.raises(InputError, match="proposal 1 was already declined"):
        proposals.decline(database, made.id)


def test_a_new_one_takes_the_place_of_the_last_but_not_its_number(config: Config, database: Database) -> None:
    for _ in range(3):
        propose(config, database)
    propose(config, database, "teachers")
    assert [each.id for each in proposals.open_proposals(database, now=SOON)] == [3, 4]
    assert propose(config, database, "teachers").id == 5


def test_the_list_may_have_changed_since(config: Config, database: Database) -> None:
    made = propose(config, database)
    run(config.root, "suppressions", "add", "person1@example.org")
    assert plan(config, database, made).preview.recipients == 3


@pytest.mark.parametrize(
    ("segment", "at", "what"),
    [
        ("nobody", "", "there is no segment 'nobody'"),
        ('email = "person1@example.org"', "", "there is no segment"),
        ("everyone", "yesterday", "'yesterday' is not a time"),
        ("everyone", "2026-02-18 01:00", "is in the past"),
    ],
)
def test_what_cannot_be_is_not_proposed(config: Config, database: Database, segment: str, at: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        propose(config, database, segment, at)
    assert proposals.open_proposals(database, now=NOW) == ()


def test_an_issue_with_errors_is_not_proposed(config: Config, database: Database) -> None:
    (config.root / "issues" / "2026-02" / "letter.md").write_text("Come to [our page](http://localhost/x) today.\n")
    with pytest.raises(InputError, match=r"the issue has errors.*\nissues/2026-02/letter.md:1: "):
        propose(config, database)


def test_the_name_of_a_program_cannot_lead_a_reader_astray(config: Config, database: Database) -> None:
    assert propose(config, database, by="A\u202e\x1b[31m\n b " + "x" * 99).proposed_by == ("A[31m b " + "x" * 99)[:60]
    assert propose(config, database, by="\n").proposed_by == "an agent"
