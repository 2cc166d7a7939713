"""What bad input gets: one clear message naming the place and the remedy, a proper exit code, nothing half done."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.program import run, write_list
from tests.fakes.sendgrid_api import SendGridApi
from tests.workspaces import CONFIG, ISSUE, LETTER, write_workspace

SEND = ("send", "2026-02", "--to", "everyone", "--yes")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = write_workspace(tmp_path)
    write_list(root / "list.csv", 3)
    run(root, "subscribers", "import", "list.csv")
    return root


def config_with(old: str, new: str) -> str:
    assert old in CONFIG
    return CONFIG.replace(old, new)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            config_with("[newsletter]", "[newsletter"),
            "newsletter.toml:1: the table newsletter is not closed; write [newsletter]",
        ),
        (
            config_with("timezone", "timezon"),
            "newsletter.toml:9: unknown key 'newsletter › timezon'; did you mean timezone?",
        ),
        (
            config_with("America/Los_Angeles", "America/Nowhere"),
            "newsletter.toml:9: newsletter › timezone: 'America/Now",
        ),
        (config_with("news@example.org", "news at example"), "newsletter.toml:4: newsletter › from"),
        (config_with("https://news", "http://news"), "newsletter.toml:12: service › url"),
        (
            config_with("https://news.example.org", "https://news.example.org/?a=<b>"),
            "newsletter.toml:12: service › url",
        ),
        (config_with('"noor@example.net"', '"noor"'), "newsletter.toml:18: reviewers › reviewers › item 2"),
        (CONFIG + '[provider]\nuse = "pigeon"\n', "newsletter.toml:20: provider › use: there is no provider 'pigeon'"),
        (CONFIG + '[provider]\nuse = "smtp"\n', "smtp has no settings; add these two lines: [provider.smtp]"),
        (
            CONFIG + '[provider.smtp]\nhost = "mail.example.org"\nsecurity = "none"\n',
            "would cross the network unencrypted",
        ),
        (CONFIG + '[provider.sendgrid]\napi_url = "http://api.example.org"\n', "would cross the network unencrypted"),
        (
            CONFIG + '[database]\nurl = "mysql://x"\n',
            "newsletter.toml:20: database › url: 'mysql://x' is not a database",
        ),
        (
            CONFIG + '[brand.light]\naccent = "red"\n',
            "newsletter.toml:20: brand › light › accent: 'red' is not a color",
        ),
    ],
)
def test_a_mistake_in_the_settings_names_its_line(tmp_path: Path, config: str, expected: str) -> None:
    root = write_workspace(tmp_path, {"newsletter.toml": config})
    assert expected in run(root, "build", expect=2).stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("build", "2026-2"), "there is no issue '2026-2' in issues/; did you mean 2026-02?"),
        (
            ("send", "2026-02", "--to", "teacher", "--yes"),
            "there is no segment 'teacher' in newsletter.toml; did you mean",
        ),
        (("test", "2026-02", "--to", "reviewer", "--yes"), "'reviewer' is neither a group of reviewers nor an email"),
        (("status", "7"), "there is no broadcast 7"),
        (("resume",), "no unfinished broadcast"),
        (("resume", "7"), "there is no broadcast 7"),
        (("new", "../x"), "cannot be an issue's name"),
        (("new", "2026-03", "--date", "soon"), "soon is not a date"),
        (("subscribers", "import", "nowhere.csv"), "nowhere.csv"),
        (("subscribers", "import", "issues"), "issues"),
        (("preview", "2026-99"), "there is no issue '2026-99'"),
        (("check", "--format", "xml"), "--format: 'xml' is not valid; choose from"),
        (("bild",), "`newsletter` has no command bild; did you mean build?"),
        (("subscribers", "zap"), "`newsletter subscribers` has no command zap; `newsletter subscribers --help` lists"),
        (("build", "--a", "x"), "`newsletter build` has no option '--a'; "),
        (("check", "--formt", "json"), "`newsletter check` has no option '--formt'; did you mean --format?"),
        (("--nope",), "`newsletter` has no option '--nope'; `newsletter --help` lists its options"),
        (("status", "1", "2"), "`newsletter status` does not take the argument 2; "),
        (("audit",), "BROADCAST is missing; "),
        (("check", "--without"), "--without has no value; write --without TOOL"),
        (("status", "--json=yes"), "--json takes no value; write only --json"),
    ],
)
def test_a_wrong_argument_is_told(workspace: Path, arguments: tuple[str, ...], expected: str) -> None:
    told = run(workspace, *arguments, expect=2).stderr
    assert expected in " ".join(told.split())
    assert told.startswith("error: ")
    assert told.count("error: ") == len(told.splitlines()) == 1


def test_a_group_without_a_command_shows_its_help(workspace: Path) -> None:
    shown = run(workspace, "subscribers", "--", expect=2).stdout
    assert shown == run(workspace, "subscribers", expect=2).stdout != ""


def test_a_wrong_value_from_the_environment_is_told_by_the_name_of_its_variable(workspace: Path) -> None:
    told = run(workspace, "check", env={"NEWSLETTER_WITHOUT": "browser sleep"}, expect=2).stderr
    assert told == ("error: NEWSLETTER_WITHOUT: 'sleep' is not valid; choose from browser, network, spamassassin\n")


def test_outside_a_workspace_the_way_in_is_told(tmp_path: Path) -> None:
    assert "create one with `newsletter init`" in run(tmp_path, "build", expect=2).stderr


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("tagged('teacher'", "segment teachers"),
        ("languag = 'es'", "did you mean language?"),
        ("1; DROP TABLE subscriber", "segment teachers"),
    ],
)
def test_a_wrong_segment_is_told_with_its_place(workspace: Path, expression: str, expected: str) -> None:
    write_workspace(workspace, {"newsletter.toml": config_with("'tagged(\"teacher\")'", f'"{expression}"')})
    told = run(workspace, "segments", expect=2).stderr
    assert expected in told
    assert "^" in told


def test_a_merge_field_that_nobody_has_holds_the_mail_back(workspace: Path) -> None:
    write_workspace(workspace, {"issues/2026-02/letter.md": LETTER + "\nYour {{ plant }} sends its love.\n"})
    told = run(workspace, *SEND, expect=1).stdout
    assert "issues/2026-02/letter.md:6: error" in told


@pytest.mark.parametrize(
    ("provider", "env", "expected"),
    [
        ('[provider]\nuse = "sendgrid"\n', {}, "SENDGRID_API_KEY"),
        (
            '[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nusername = "me"\n',
            {},
            "NEWSLETTER_SMTP_PASSWORD",
        ),
    ],
)
def test_a_missing_secret_is_named_before_anything_happens(
    workspace: Path, provider: str, env: dict[str, str], expected: str
) -> None:
    write_workspace(workspace, {"newsletter.toml": CONFIG + provider})
    assert expected in run(workspace, *SEND, env=env, expect=3).stderr
    assert "There are no broadcasts yet" in run(workspace, "status").stdout


def test_a_refused_connection_is_told(workspace: Path) -> None:
    smtp = '[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\n'
    write_workspace(workspace, {"newsletter.toml": CONFIG + smtp})
    refused = run(workspace, "test", "2026-02", "--to", "ana@example.org", "--yes", expect=3)
    assert "refused" in refused.stderr.lower()


def test_a_refused_key_pauses_with_the_next_step_and_never_shows_the_key(workspace: Path) -> None:
    with SendGridApi(api_key="SG.right-key") as api:
        provider = f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
        write_workspace(workspace, {"newsletter.toml": CONFIG + provider})
        paused = run(workspace, *SEND, env={"SENDGRID_API_KEY": "SG.wrong-key"}, expect=3)
        assert "SENDGRID_API_KEY" in paused.stdout
        assert "SG.wrong-key" not in paused.stdout + paused.stderr
        assert b"SG.wrong-key" not in (workspace / "newsletter.db").read_bytes()
        run(workspace, "resume", "--yes", env={"SENDGRID_API_KEY": "SG.right-key"})
        assert len(api.accepted) == 3


def test_a_foreign_database_is_left_alone(workspace: Path) -> None:
    foreign = workspace / "newsletter.db"
    foreign.unlink()
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE recipe (title TEXT)")
    connection.close()
    before = foreign.read_bytes()
    assert "newsletter.db" in run(workspace, "segments", expect=2).stderr
    assert foreign.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(workspace: Path) -> None:
    (workspace / "newsletter.db").unlink()
    (workspace / "newsletter.db").write_text("these are my notes, not a database\n" * 40)
    assert "newsletter.db" in run(workspace, "segments", expect=2).stderr
    assert "my notes" in (workspace / "newsletter.db").read_text()


def test_a_resume_with_another_provider_changes_nothing(workspace: Path) -> None:
    smtp = '[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\n'
    with SendGridApi(api_key="SG.right-key") as api:
        provider = f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
        write_workspace(workspace, {"newsletter.toml": CONFIG + provider})
        run(workspace, *SEND, env={"SENDGRID_API_KEY": "SG.wrong-key"}, expect=3)
    write_workspace(workspace, {"newsletter.toml": CONFIG + smtp})
    assert "started with sendgrid" in run(workspace, "resume", "1", "--yes", expect=2).stderr
    assert "paused" in run(workspace, "status", "1").stdout


def test_a_place_that_cannot_be_written_is_named_and_the_last_build_stays(workspace: Path) -> None:
    shutil.rmtree(workspace / "build")
    (workspace / "build").write_text("a file where the folder should be")
    assert "build" in run(workspace, "build", expect=2).stderr
    (workspace / "outbox").write_text("a file where the folder should be")
    assert "outbox" in run(workspace, "test", "2026-02", "--to", "ana@example.org", "--yes", expect=3).stderr


def test_a_database_that_may_not_be_written_is_named(workspace: Path) -> None:
    write_workspace(workspace, {"newsletter.toml": CONFIG + '[database]\nurl = "sqlite:////sys/newsletter.db"\n'})
    told = run(workspace, "segments", expect=2).stderr
    assert "permission to save files in /sys/; " in told
    assert "url under [database]" in told


def test_a_template_mistake_names_the_template_and_the_line(workspace: Path) -> None:
    write_workspace(workspace, {"templates/sections/letter.mjml.j2": "<mj-section>\n{% if %}\n</mj-section>\n"})
    assert "templates/sections/letter.mjml.j2:2" in run(workspace, "build", expect=2).stderr


def test_content_cannot_run_code(workspace: Path) -> None:
    hostile = (
        r'\<script>alert(1)\</script> `<script>` \[x](javascript:alert(1)) {{ first_name | default("<b>") }}' + "\n"
    )
    write_workspace(
        workspace,
        {
            "issues/2026-02/letter.md": hostile,
            "issues/2026-02/issue.yaml": ISSUE.replace(
                "title: A small letter", r"title: '\<mj-raw>\<script>1\</script>'"
            ),
        },
    )
    run(workspace, "build")
    html = (workspace / "build/2026-02/email.html").read_text()
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize(
    "arguments",
    [
        ("subscribers", "import", "list.csv", "--basis", "\udcff"),
        ("subscribers", "import", "l\udcffst.csv"),
        ("subscribers", "list", "--where", 'language = "\udcff"'),
        ("subscribers", "show", "\udcff"),
        ("suppressions", "add", "ana@example.org", "--because", "\udcff"),
    ],
)
def test_an_argument_that_is_not_text_is_refused(workspace: Path, arguments: tuple[str, ...]) -> None:
    (workspace / "l\udcffst.csv").write_text("email\nana@example.org\n")

    done = run(workspace, *arguments, expect=2)

    assert "contains a character that your terminal cannot encode" in done.stderr
