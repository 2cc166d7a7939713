"""Every command that knows the list or the ledger, on PostgreSQL."""

import json
import time
from pathlib import Path

from tests.e2e.program import run, write_list
from tests.fakes.sendgrid_api import Fault, SendGridApi
from tests.postgresql import PostgresServer
from tests.workspaces import CONFIG, ISSUE, write_workspace

KEY = {"SENDGRID_API_KEY": "SG.test-key"}


def postgresql_workspace(root: Path, server: PostgresServer, api: SendGridApi) -> Path:
    """A workspace with five people on its list, which sends through the API."""
    tables = (
        f'\n[database]\nurl = "{server.fresh_database()}"\n'
        f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
        "[delivery]\nrequire_approval = true\nrequire_test = true\n"
    )
    write_workspace(root, {"newsletter.toml": CONFIG + tables})
    write_list(root / "list.csv", 5)
    return root


def test_the_audience_is_kept_and_shown(tmp_path: Path, postgresql_server: PostgresServer) -> None:
    with SendGridApi() as api:
        root = postgresql_workspace(tmp_path, postgresql_server, api)
    run(root, "check", "2026-02")
    run(root, "build", "2026-02")
    assert "5" in run(root, "subscribers", "import", "list.csv").stdout
    run(root, "subscribers", "import", "list.csv")
    run(root, "suppressions", "add", "person0@example.org")
    assert "person0@example.org" in run(root, "suppressions", "list").stdout
    run(root, "suppressions", "remove", "person0@example.org", "--because", "asked", "--yes")
    assert "person1@example.org" in run(root, "subscribers", "show", "person1@example.org").stdout
    run(root, "subscribers", "export", "--to", "out.csv")
    assert len((root / "out.csv").read_text(encoding="utf-8").splitlines()) == 6
    assert "teachers" in run(root, "segments").stdout


def test_somebody_is_forgotten(tmp_path: Path, postgresql_server: PostgresServer) -> None:
    secret = {"NEWSLETTER_KEY": "0123456789abcdef0123456789abcdef"}
    with SendGridApi() as api:
        root = postgresql_workspace(tmp_path, postgresql_server, api)
    run(root, "subscribers", "import", "list.csv")
    assert json.loads(run(root, "subscribers", "export", "person1@example.org").stdout)["subscriber"]["id"]
    assert (
        "would be erased" in run(root, "subscribers", "forget", "person1@example.org", "--dry-run", env=secret).stdout
    )
    told = run(root, "subscribers", "forget", "person1@example.org", "--yes", env=secret)
    assert "VACUUM FULL" in told.stderr
    assert "nothing is known about" in run(root, "subscribers", "show", "person1@example.org", expect=2).stderr
    rejected = run(root, "subscribers", "import", "list.csv", env=secret, expect=1)
    assert "asked to be erased" in rejected.stdout + rejected.stderr
    time.sleep(1)  # moments are kept to the second, and a consent must be newer
    run(root, "subscribers", "add", "person1@example.org", "--consent-source", "phone", env=secret)
    assert "phone" in run(root, "subscribers", "show", "person1@example.org").stdout


def test_a_broadcast_goes_its_whole_way(tmp_path: Path, postgresql_server: PostgresServer) -> None:
    with SendGridApi() as api:
        root = postgresql_workspace(tmp_path, postgresql_server, api)
        run(root, "subscribers", "import", "list.csv")
        run(root, "send", "2026-02", "--to", "teachers", "--yes", env=KEY, expect=1)
        run(root, "test", "2026-02", "--yes", env=KEY)
        run(root, "approve", "2026-02", "--by", "Ana Lima", "--yes")
        copies = len(api.accepted)

        api.script(Fault.QUEUE_THEN_500)
        run(root, "send", "2026-02", "--to", "teachers", "--yes", env=KEY, expect=1)
        run(root, "resolve", "1", "--assume-sent", "--because", "the log shows it", "--yes", env=KEY)
        run(root, "send", "2026-02", "--to", "everyone", "--yes", env=KEY)

        assert len(api.accepted) == copies + 5
    found = json.loads(run(root, "audit", "2", "--json").stdout)
    assert found["adds_up"]
    assert "Yes. sendgrid accepted the email" in run(root, "audit", "2", "person2@example.org").stdout
    run(root, "audit", "2", "--csv", "account.csv")
    assert [one["state"] for one in json.loads(run(root, "status", "--json").stdout)] == ["done", "done"]
    run(root, "resume", "2", "--yes", env=KEY, expect=2)
    run(root, "cancel", "2", "--yes", env=KEY, expect=2)


def test_an_event_is_corrected_for_those_who_were_told_and_the_status_names_it(
    tmp_path: Path, postgresql_server: PostgresServer
) -> None:
    settings = f'{CONFIG}\n[database]\nurl = "{postgresql_server.fresh_database()}"\n'
    event = "---\ntitle: A talk\nstarts: 2036-12-09 08:00\nends: 2036-12-09 09:00\nlocation: Online\n---\nCome.\n"
    write_workspace(
        tmp_path,
        {
            "newsletter.toml": settings,
            "issues/2026-02/issue.yaml": ISSUE.replace("2026-02-19", "2036-11-01") + "  - events\n",
            "issues/2026-02/events/index.md": "---\ntitle: Events\n---\n",
            "issues/2026-02/events/talk.md": event,
        },
    )
    write_list(tmp_path / "list.csv", 3)
    run(tmp_path, "subscribers", "import", "list.csv")
    run(tmp_path, "send", "2026-02", "--to", "everyone", "--waive", "E5", "--because", "far", "--yes")
    assert "No one needs a correction" in run(tmp_path, "correct", "2026-02", "talk", "--yes").stdout
    (tmp_path / "issues/2026-02/events/talk.md").write_text(event.replace("08:00", "07:00"))
    planned = run(tmp_path, "correct", "2026-02", "talk", "--dry-run")
    assert "2026-02-talk (correction)" in planned.stdout
    assert "S14" not in planned.stdout + planned.stderr
    run(tmp_path, "correct", "2026-02", "talk", "--yes")
    assert len([file for file in (tmp_path / "outbox").rglob("*.eml") if "/b2-" in str(file)]) == 3
    assert "2026-02-talk (correction)" in run(tmp_path, "status").stdout
    assert "No one needs a correction" in run(tmp_path, "correct", "2026-02", "talk", "--yes").stdout
