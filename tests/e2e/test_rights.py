"""What a person may ask for, as a director answers it: what is known of me, and forget me."""

import csv
import json
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.program import run, write_list
from tests.fakes.sendgrid_api import Answer, SendGridApi
from tests.workspaces import CONFIG, write_workspace

KEY = {"NEWSLETTER_KEY": "0123456789abcdef0123456789abcdef"}
PERSON = "person1@example.org"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = write_workspace(tmp_path)
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")
    run(root, "send", "2026-02", "--to", "everyone", "--yes")
    return root


def files_with(folder: Path, word: str) -> list[str]:
    """The files that hold a word, or have it in their name, but for the list that was imported."""
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.is_file()
        and path.name != "list.csv"
        and (word.encode() in path.read_bytes().lower() or word in path.name.lower())
    )


def was_forgotten_yesterday(root: Path) -> None:
    """Set the time of all erasures back, because commands can follow each other within a second."""
    with sqlite3.connect(root / "newsletter.db") as connection:
        connection.execute("UPDATE forgotten SET created_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-1 day')")
    connection.close()


def test_somebody_is_shown_exported_and_forgotten(workspace: Path) -> None:
    assert "Person1" in run(workspace, "subscribers", "show", "PERSON1@example.org").stdout
    run(workspace, "subscribers", "export", PERSON, "--to", "person.json")
    found = json.loads((workspace / "person.json").read_text(encoding="utf-8"))
    assert [delivery["status"] for delivery in found["deliveries"]] == ["accepted"]
    assert json.loads(run(workspace, "subscribers", "export", PERSON).stdout)["subscriber"] == found["subscriber"]
    (workspace / "person.json").unlink()

    planned = run(workspace, "subscribers", "forget", PERSON, "--dry-run", env=KEY)
    assert "would be erased" in planned.stdout
    assert "Nothing was erased" in planned.stderr
    assert "add --yes" in run(workspace, "subscribers", "forget", PERSON, env=KEY, expect=2).stderr
    assert files_with(workspace, PERSON)

    assert "was erased" in run(workspace, "subscribers", "forget", PERSON, "--yes", env=KEY).stdout

    assert files_with(workspace, PERSON) == []
    assert "was erased on" in run(workspace, "subscribers", "show", PERSON, env=KEY, expect=2).stderr
    assert "Yes. outbox accepted the email" in run(workspace, "audit", "1", PERSON, env=KEY).stdout
    assert "unless they have been erased since then" in run(workspace, "audit", "1", PERSON).stdout
    told = run(workspace, "status", "1").stdout
    assert "3 accepted + 0 excluded + 0 invalid + 0 canceled + 0 unconfirmed = 3 total" in told


def test_an_old_list_does_not_bring_them_back_and_a_new_consent_does(workspace: Path) -> None:
    run(workspace, "subscribers", "forget", PERSON, "--yes", env=KEY)

    assert "NEWSLETTER_KEY" in run(workspace, "subscribers", "import", "list.csv", expect=2).stderr
    rejected = run(workspace, "subscribers", "import", "list.csv", env=KEY, expect=1)
    assert "asked to be erased" in rejected.stdout + rejected.stderr
    assert files_with(workspace, "person1") == []

    was_forgotten_yesterday(workspace)  # a consent of the same second is not newer
    added = run(workspace, "subscribers", "add", PERSON, "--consent-source", "phone", "--tag", "Teacher", env=KEY)
    assert "has consented again" in added.stdout
    assert "teacher" in run(workspace, "subscribers", "show", PERSON).stdout
    refused = run(workspace, "send", "2026-02", "--to", "everyone", "--yes", expect=2).stderr
    assert "no one in segment everyone can be sent" in refused


def test_the_key_is_asked_for_and_never_shown(workspace: Path) -> None:
    assert "NEWSLETTER_KEY is not set" in run(workspace, "subscribers", "forget", PERSON, "--yes", expect=2).stderr
    short = run(workspace, "subscribers", "forget", PERSON, "--yes", env={"NEWSLETTER_KEY": "hush-hush"}, expect=2)
    assert "shorter than 32 characters" in short.stderr
    assert "hush-hush" not in short.stderr
    run(workspace, "subscribers", "forget", PERSON, "--yes", env=KEY)
    other = {"NEWSLETTER_KEY": "f" * 40}
    assert "not the key" in run(workspace, "subscribers", "forget", "person2@example.org", env=other, expect=2).stderr
    assert "not the key" in run(workspace, "subscribers", "import", "list.csv", env=other, expect=2).stderr
    assert files_with(workspace, KEY["NEWSLETTER_KEY"]) == []


def test_an_export_of_everybody_needs_a_file_named_as_one(workspace: Path) -> None:
    told = run(workspace, "subscribers", "export", "out.csv", expect=2).stderr
    assert "newsletter subscribers export --to out.csv" in told
    run(workspace, "subscribers", "export", "--to", "out.csv")
    assert "already exists" in run(workspace, "subscribers", "export", "--to", "out.csv", expect=2).stderr
    run(workspace, "subscribers", "export", "--to", "out.csv", "--force")
    with (workspace / "out.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 3
    assert (workspace / "out.csv").stat().st_mode & 0o777 == 0o600


def test_somebody_is_added_by_hand(workspace: Path) -> None:
    run(workspace, "subscribers", "add", "noor@example.net", "--consent-source", "desk", "--consented-at", "2026-01-31")
    told = run(workspace, "subscribers", "show", "noor@example.net").stdout
    assert "2026-01-31" in told
    assert "desk" in told
    again = run(workspace, "subscribers", "add", "noor@example.net", "--consent-source", "desk", "--last-name", "Amin")
    assert "already on the list" in again.stdout
    wrong = run(workspace, "subscribers", "add", "noor", "--consent-source", "desk", "--timezone", "Mars", expect=2)
    assert "'noor' is not an email address" in wrong.stderr
    assert "'Mars' is not a time zone" in wrong.stderr
    assert "--consent-source" in run(workspace, "subscribers", "add", "bo@example.org", expect=2).stderr


def test_no_address_comes_to_a_log(tmp_path: Path) -> None:
    """Refusals that repeat addresses: of one recipient, then of the mail, then of a broadcast that is resumed."""
    with SendGridApi() as api:
        provider = f'\n[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
        root = write_workspace(tmp_path, {"newsletter.toml": CONFIG + provider})
        write_list(root / "list.csv", 4)
        run(root, "subscribers", "import", "list.csv")
        env = {"SENDGRID_API_KEY": "SG.test-key"}
        field = "personalizations.0.to.0.email"
        api.script(
            Answer.error(400, "The address <person0@example.org> is not a valid address.", of=field),
            Answer.error(403, "person1@example.org is on hold"),
        )
        held = run(root, "send", "2026-02", "--to", "everyone", "--yes", env=env, expect=3)
        api.script(Answer(status=500, body=b'an error at person2@example.org and "person3"@example.org'))
        unknown = run(root, "resume", "1", "--yes", env=env, expect=1)
        resolved = run(
            root, "resolve", "1", "--assume-sent", "--because", "person2@example.org wrote to us", "--yes", env=env
        )

    logged = [held.stdout, held.stderr, unknown.stderr, resolved.stderr]
    logged += [run(root, *arguments).stdout for arguments in (("status", "1"), ("audit", "1"), ("run-due",))]
    with sqlite3.connect(root / "newsletter.db") as connection:
        kept = [
            str(row)
            for query in (
                "SELECT detail FROM journal",
                "SELECT reason FROM chunk",
                "SELECT reason FROM settlement",
                "SELECT reason FROM broadcast",
            )
            for row in connection.execute(query)
        ]
    connection.close()
    everything = "\n".join(logged + kept)
    assert "p***@example.org" in everything
    assert [line for line in everything.splitlines() if "person" in line and "@" in line] == []
    assert "person0@example.org" in run(root, "audit", "1", "--list", "invalid").stdout  # which was asked for


def test_a_director_sees_who_has_paused_and_until_when(workspace: Path) -> None:
    with sqlite3.connect(workspace / "newsletter.db") as connection:
        connection.execute("UPDATE subscriber SET paused_until = '2999-03-01T00:00:00Z' WHERE email = ?", (PERSON,))
    connection.close()
    (workspace / "issues" / "2026-02").rename(workspace / "issues" / "2026-03")
    text = (workspace / "issues" / "2026-03" / "letter.md").read_text(encoding="utf-8")
    (workspace / "issues" / "2026-03" / "letter.md").write_text(f"{text}\nMore.\n", encoding="utf-8")

    sent = run(workspace, "send", "2026-03", "--to", "everyone", "--yes")

    assert "1 paused until 2999-03-01" in sent.stdout + sent.stderr
    assert "not now: paused until 2999-03-01" in run(workspace, "subscribers", "show", PERSON).stdout
    assert "paused until 2999-03-01" in run(workspace, "status", "2").stdout
    assert "paused until 2999-03-01" in run(workspace, "audit", "2", PERSON).stdout
