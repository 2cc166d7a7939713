"""The February issue, sent to readers in 12 zones, and a correction: the outbox has what `build --as` shows."""

import re
import shutil
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest

from tests.e2e.program import run

REPOSITORY = Path(__file__).parents[2]
ZONES = {
    "": "",
    "America/Los_Angeles": "",
    "America/Phoenix": "9:00 am – noon (Phoenix)",
    "America/New_York": "11:00 am – 2:00 pm (New York)",
    "America/Sao_Paulo": "13:00–16:00 (São Paulo)",
    "Europe/London": "16:00–19:00 (London)",
    "Europe/Berlin": "17:00–20:00 (Berlin)",
    "Africa/Cairo": "6:00–9:00 pm (Cairo)",
    "Asia/Kolkata": "9:30 pm – Thu 12:30 am (Kolkata)",
    "Asia/Tokyo": "Thu, Feb 26, 01:00–04:00 (Tokyo)",
    "Australia/Sydney": "Thu, Feb 26, 3:00–6:00 am (Sydney)",
    "Pacific/Auckland": "Thu, Feb 26, 5:00–8:00 am (Auckland)",
}
PERSONAL_STAMP = re.compile(r"/p/\d+-[\w.-]+")  # it says when the link was made

TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def february(tmp_path: Path) -> Path:
    """The February issue in a workspace with a reader in each zone."""
    shutil.copy(REPOSITORY / "newsletter.toml", tmp_path)
    for folder in ("brand", "issues"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    rows = [f"p{number}@example.org,P{number},{zone},2026-01-01,test" for number, zone in enumerate(ZONES)]
    head = "email,first_name,timezone,consented_at,consent_source"
    (tmp_path / "list.csv").write_text("\n".join([head, *rows]) + "\n")
    run(tmp_path, "subscribers", "import", "list.csv")
    return tmp_path


def parts(file: Path) -> tuple[str, str, str]:
    """The subject, HTML and text of a saved email."""
    email = cast("EmailMessage", message_from_bytes(file.read_bytes(), policy=policy.default))
    html, text = (cast("EmailMessage", email.get_body((kind,))).get_content() for kind in ("html", "plain"))
    return str(email["Subject"]), PERSONAL_STAMP.sub("", html), PERSONAL_STAMP.sub("", text)


def test_each_reader_gets_what_was_previewed_and_a_correction_if_it_changes(february: Path) -> None:
    waived = ("--waive", "E1", "--because", "it is February", "--yes")
    run(february, "send", "2026-02", "--to", "everyone", *waived)
    sent = {file.name.partition("@")[0]: file for file in (february / "outbox").rglob("*.eml")}
    assert len(sent) == len(ZONES)

    for number, local in enumerate(ZONES.values()):
        run(february, "build", "2026-02", "--as", f"p{number}@example.org")
        built = parts(february / "build/2026-02/subscriber.eml")
        assert built == parts(sent[f"p{number}"])
        (line,) = [each for each in built[2].splitlines() if each.startswith("Wednesday, February 25, 2026 | 8:00")]
        assert line == f"Wednesday, February 25, 2026 | 8:00–11:00 am PT{local and f' · {local}'}"
        assert not local or f" · {local}" in TAG.sub("", built[1]).replace("\N{NO-BREAK SPACE}", " ")


def test_a_correction_goes_through_the_outbox_once_and_mends_the_archive(february: Path) -> None:
    settings = february / "newsletter.toml"
    settings.write_text(settings.read_text() + '\n[archive]\nurl = "https://www.example.org/letters"\nto = "site"\n')
    event = february / "issues/2026-02/events/self-forgiveness.md"
    event.write_text(event.read_text().replace("2026-02-25", "2036-02-27"))
    waived = ("--waive", "E1", "--because", "past", "--waive", "E5", "--because", "far", "--yes")
    run(february, "send", "2026-02", "--to", "everyone", *waived)
    event.write_text(event.read_text().replace(" 08:00", " 07:00").replace(" 11:00", " 10:00"))

    planned = run(february, "correct", "2026-02", "self-forgiveness", "--dry-run")
    assert "told earlier: Wednesday, February 27, 2036 | 8:00–11:00 am PT" in planned.stderr + planned.stdout
    run(february, "correct", "2026-02", "self-forgiveness", "--yes")
    corrected = [file for file in (february / "outbox").rglob("*.eml") if "/b2-" in str(file)]
    assert len(corrected) == len(ZONES)
    (tokyo,) = [parts(file)[2] for file in corrected if b"p9@example.org" in file.read_bytes()]
    assert "Thu, Feb 28, 01:00–04:00 (Tokyo)" in tokyo
    assert "Thu, Feb 28, 00:00–03:00 (Tokyo)" in tokyo
    calendar = february / "site/events/2026-02-self-forgiveness.ics"
    assert "T070000" in calendar.read_text()
    again = run(february, "correct", "2026-02", "self-forgiveness", "--yes")
    assert "was told what is true now" in again.stdout
    assert len(list((february / "outbox").iterdir())) == 2
