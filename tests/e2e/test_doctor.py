"""The doctor, as a person asks for it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.network.surroundings import authority, publish_sound_zone, server_context, sound_pages
from tests.e2e.program import command, environment, run
from tests.fakes.name_server import NameServer
from tests.fakes.sendgrid_api import SendGridApi
from tests.workspaces import CONFIG, write_workspace

ONLINE = {"NEWSLETTER_WITHOUT": "browser spamassassin"}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A workspace whose domain has no DMARC record and whose SendGrid key may not send; and its environment."""
    root = tmp_path_factory.mktemp("doctor")
    certificates = root / "authority.pem"
    authority().cert_pem.write_to_path(str(certificates))
    with NameServer() as names, sound_pages(server_context("127.0.0.1")) as pages, SendGridApi() as api:
        publish_sound_zone(names)
        names.drop("_dmarc.example.org", "TXT")
        api.account.authenticate("example.org", is_valid=True)
        api.account.scopes.remove("mail.send")
        settings = (
            f'[provider]\nuse = "sendgrid"\n[provider.sendgrid]\napi_url = "{api.url}"\n'
            f'[authentication]\nnameservers = ["{names.place}"]\n'
        )
        config = CONFIG.replace("https://news.example.org", pages.url)
        write_workspace(root / "workspace", {"newsletter.toml": f"{config}\n{settings}"})
        yield (
            root / "workspace",
            {**ONLINE, "SENDGRID_API_KEY": api.api_key, "SSL_CERT_FILE": str(certificates)},
        )


def test_what_is_wrong_is_told_with_the_record_to_publish(broken: tuple[Path, dict[str, str]]) -> None:
    root, environ = broken

    page = run(root, "doctor", env=environ, expect=1).stdout

    assert "the key lacks mail.send: no email can be sent" in page
    assert "example.org has no DMARC record" in page
    assert (
        "  name   _dmarc.example.org\n  type   TXT\n  value  v=DMARC1; p=none; rua=mailto:dmarc@example.org\n" in page
    )
    assert environ["SENDGRID_API_KEY"] not in page


def test_a_script_gets_all_of_it(broken: tuple[Path, dict[str, str]]) -> None:
    root, environ = broken

    found = json.loads(run(root, "doctor", "--json", env=environ, expect=1).stdout)

    items = {item["id"]: item for section in found["sections"] for item in section["items"]}
    assert items["D3"]["health"] == "error"
    assert items["D3"]["records"][0]["type"] == "TXT"
    assert items["D2"]["health"] == "ok"


def test_a_new_workspace_has_no_error(tmp_path: Path) -> None:
    run(tmp_path, "init", "small")

    page = run(tmp_path / "small", "doctor", env=ONLINE).stdout

    assert "newsletter.toml is valid" in page
    assert "skipped" in page
    assert "error" not in page


def test_settings_with_mistakes_are_told_and_no_traceback(tmp_path: Path) -> None:
    write_workspace(tmp_path, {"newsletter.toml": CONFIG.replace("America/Los_Angeles", "Nowhere")})

    page = run(tmp_path, "doctor", expect=1).stdout

    assert "newsletter.toml:9: " in page


def has_namespaces() -> bool:
    """Whether this machine can stand in for one without namespaces, which is made inside a namespace."""
    return (
        shutil.which("unshare") is not None and not subprocess.run(["unshare", "-Ur", "true"], check=False).returncode
    )


@pytest.mark.skipif(not has_namespaces(), reason="this kernel lets us make no namespace to take the rest away in")
@pytest.mark.parametrize("arguments", ["doctor", "check", "check --format json", "check --format github"])
def test_a_kernel_that_confines_no_browser_is_told(tmp_path: Path, arguments: str) -> None:
    write_workspace(tmp_path)
    deny = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    done = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", deny, "sh", *command(*arguments.split())],
        cwd=tmp_path,
        env=environment({"NEWSLETTER_WITHOUT": "network spamassassin"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Chromium ran as root and without its sandbox" in done.stdout + done.stderr, done.stderr
    assert "docs/security.md" in done.stdout
