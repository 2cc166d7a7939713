"""`newsletter setup` in a terminal: from a new folder to a test email, left and taken up, with wrong answers."""

import socket
from pathlib import Path

import pytest

from newsletter.config import CONFIG_FILE, load_config
from tests.e2e.program import run
from tests.e2e.relay import Relay, RelayStep
from tests.e2e.terminal import Terminal
from tests.workspaces import CONFIG, write_workspace

INTERRUPTED = 130
CTRL_C, CTRL_D = "\x03", "\x04"
COMMENTS = (
    "# the law requires it in every email",
    "# links and buttons",
    "# the links in your emails start with this address",
)
FASTER = '[authentication]\nnameservers = ["127.0.0.1:1"]\n'  # where no name server answers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A new workspace, as `init` makes it."""
    told = run(tmp_path, "init", "news")
    assert "cd news && newsletter setup" in told.stderr
    settings = tmp_path / "news" / CONFIG_FILE
    settings.write_text(f"{settings.read_text('utf-8')}\n{FASTER}", encoding="utf-8")
    return tmp_path / "news"


def tell_who_sends(terminal: Terminal) -> None:
    terminal.answer("The newsletter's name: ", "Harbour Letters")
    terminal.answer("The publisher [Harbour Letters]: ", "Harbour House")
    terminal.answer("The address that emails come from: ", "news@harbour.example.org")
    terminal.answer("The sender's name in the inbox [Harbour House]: ")
    terminal.answer("The address for replies [news@harbour.example.org]: ")
    terminal.answer("Your website [https://www.harbour.example.org]: ")
    terminal.answer("Your subscribers' pages [https://news.harbour.example.org]: ")
    terminal.answer("[Enter keeps this]: ")
    terminal.answer("The newsletter's language [en]: ")
    terminal.answer("Your time zone [Europe/London]: ", "Europe/Dublin")


def walk_through(terminal: Terminal, relay: Relay) -> None:
    """Answer every question of a new workspace, and send the test email through a server on this machine."""
    tell_who_sends(terminal)
    terminal.answer("Your postal address, on one line: ", "12 Quay Street, Galway, Ireland")
    terminal.answer("Your logo, a PNG, JPEG or SVG file: ")
    terminal.answer("The color of links and buttons [#9C3353]: ")
    terminal.answer("The service that sends your emails: ", "local")
    terminal.answer("The port [25]: ", str(relay.port))
    terminal.expect(f"localhost:{relay.port} answers")
    terminal.expect("6 of 8  List")
    terminal.answer("[Enter keeps this]: ", "me@example.org")
    terminal.answer("Your address, for test emails [news@harbour.example.org]: ", "me@example.org")
    terminal.answer("Send the test email? [Y/n] ")
    terminal.expect("accepted “[TEST] Welcome to our first letter” for")
    terminal.expect("8 of 8  Service or timer")
    terminal.expect("Everything you need is set up.")


def test_a_new_folder_becomes_a_test_email_without_a_text_editor(root: Path) -> None:
    with Relay() as relay, Terminal(root, "setup") as terminal:
        walk_through(terminal, relay)
        assert terminal.wait() == 0
        assert relay.answered == {"me@example.org": 1}
    assert [line for line in terminal.text.splitlines() if len(line) > 80 and not line.startswith("    */5")] == []
    written = (root / CONFIG_FILE).read_text("utf-8")
    assert [comment for comment in COMMENTS if comment not in written] == []
    again = run(root, "setup")
    assert "to do" not in again.stdout
    assert again.stderr == ""
    assert "S18" in run(root, "check", expect=1).stdout  # the texts of the first issue are left to write


@pytest.mark.parametrize(("key", "code"), [(CTRL_C, INTERRUPTED), (CTRL_D, 0)])
def test_it_is_left_at_any_question_and_taken_up_there(root: Path, key: str, code: int) -> None:
    with Terminal(root, "setup") as terminal:
        terminal.answer("The newsletter's name: ", "Harbour Letters")
        terminal.answer("The publisher [Harbour Letters]: ")
        terminal.expect("The address that emails come from: ")
        terminal.press(key)
        terminal.expect("next: newsletter setup   to continue; your answers are saved")
        assert terminal.wait() == code
    assert load_config(root).settings.newsletter.organization == "Harbour Letters"
    with Terminal(root, "setup") as terminal:
        shown = terminal.expect("The address that emails come from: ")
        terminal.press(CTRL_D)
        terminal.wait()

    assert "Setting up Harbour Letters" in shown
    assert "The newsletter's name:" not in shown
    assert "Traceback" not in terminal.text


def test_one_step_can_be_chosen_and_all_its_answers_changed(root: Path) -> None:
    with Terminal(root, "setup", "sender") as terminal:
        tell_who_sends(terminal)
        terminal.expect("Left to do: postal address")
        assert terminal.wait() == 0
    with Terminal(root, "setup", "sender") as terminal:
        terminal.answer("The newsletter's name [Harbour Letters]: ", "Quay Letters")
        terminal.expect("The publisher [Harbour House]: ")
        terminal.press(CTRL_D)
        terminal.wait()

    assert load_config(root).settings.newsletter.name == "Quay Letters"


def test_a_faint_color_and_an_unreadable_logo_are_asked_for_again(root: Path) -> None:
    (root / "logo.png").write_bytes(b"no image")
    with Terminal(root, "setup", "look") as terminal:
        terminal.answer("SVG file: ", "nowhere.svg")
        assert "there is no file nowhere.svg" in terminal.answer("SVG file: ", "logo.png")
        assert "error: the image logo.png cannot be read" in terminal.answer("SVG file: ")
        terminal.answer("[#9C3353]: ", "blue")
        assert "'blue' is not a color" in terminal.answer("[#9C3353]: ", "#ff9900")
        terminal.expect("a contrast of only 1.84:1")
        terminal.answer("Use #B05000, the closest that works? [Y/n] ", "n")
        terminal.answer("[#9C3353]: ", "#ff9900")
        terminal.answer("Use #B05000, the closest that works? [Y/n] ")
        assert terminal.wait() == 0

    assert load_config(root).settings.brand.light.accent == "#B05000"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_wrong_port_is_told_and_corrected(root: Path) -> None:
    with Relay() as relay:
        with Terminal(root, "setup", "provider") as terminal:
            terminal.answer("The service that sends your emails: ", "nonsense")
            assert "'nonsense' is not a service or a mail server" in terminal.answer("emails: ", "localhost")
            terminal.answer("The port [25]: ", "eighty")
            terminal.answer("The port [25]: ", str(free_port()))
            terminal.expect("cannot be reached")
            terminal.answer("Check again? [Y/n] ", "n")
            assert terminal.wait() == 0
        with Terminal(root, "setup", "provider") as terminal:
            terminal.answer("The service that sends your emails [local]: ")
            terminal.answer("The port [", str(relay.port))
            terminal.expect(f"localhost:{relay.port} answers")
            assert terminal.wait() == 0


def test_a_provider_that_comes_back_is_found_by_checking_again(root: Path) -> None:
    is_down = True

    def on_step(step: RelayStep, _recipient: str) -> str | None:
        return "554 5.3.2 not now" if is_down and step is RelayStep.GREETING else None

    with Relay(on_step=on_step) as relay, Terminal(root, "setup", "provider") as terminal:
        terminal.answer("The service that sends your emails: ", "localhost")
        terminal.answer("The port [25]: ", str(relay.port))
        terminal.expect("cannot be used")
        terminal.expect("Check again? [Y/n] ")
        is_down = False
        terminal.press("\n")
        terminal.expect(f"localhost:{relay.port} answers")
        assert terminal.wait() == 0


def test_a_host_that_does_not_exist_is_told_without_a_traceback(root: Path) -> None:
    with Terminal(root, "setup", "provider") as terminal:
        terminal.answer("The service that sends your emails: ", "smtp.nowhere.invalid")
        terminal.answer("The port [587]: ")
        terminal.answer("The username: ")
        terminal.expect("smtp.nowhere.invalid:587 cannot be reached")
        terminal.answer("Check again? [Y/n] ", "n")
        assert terminal.wait() == 0

    assert "Traceback" not in terminal.text


def test_a_missing_key_is_named_and_a_given_one_is_never_written_or_shown(root: Path) -> None:
    with Terminal(root, "setup", "provider") as terminal:
        terminal.answer("The service that sends your emails: ", "sendgrid")
        terminal.answer("The region of your SendGrid account [global]: ", "mars")
        terminal.answer("The region of your SendGrid account [global]: ", "eu")
        terminal.expect("SENDGRID_API_KEY is not set")
        terminal.answer("Check again? [Y/n] ", "n")
        terminal.wait()
    secret = "SG.very-secret-indeed"
    with Terminal(root, "setup", "provider", env={"SENDGRID_API_KEY": secret, "https_proxy": ""}) as terminal:
        terminal.answer("The service that sends your emails [sendgrid]: ", "fastmail")
        terminal.answer("The username: ", "news@harbour.example.org")
        terminal.expect("NEWSLETTER_SMTP_PASSWORD")
        terminal.press(CTRL_C)
        terminal.wait()

    assert secret not in terminal.text
    assert secret not in (root / CONFIG_FILE).read_text("utf-8")


def test_a_read_only_file_is_told_at_the_first_answer(root: Path) -> None:
    before = (root / CONFIG_FILE).read_bytes()
    (root / CONFIG_FILE).chmod(0o444)
    with Terminal(root, "setup", "address") as terminal:
        terminal.answer("on one line: ", "1 Quay Street, Galway")
        terminal.expect("newsletter.toml is read-only")
        terminal.expect("Your postal address, on one line: ")
        terminal.press(CTRL_D)
        assert terminal.wait() == 0

    assert (root / CONFIG_FILE).read_bytes() == before


def test_a_failed_test_email_is_told_and_tried_again(tmp_path: Path) -> None:
    is_full = True

    def on_step(step: RelayStep, _recipient: str) -> str | None:
        return "550 5.1.1 no such user" if is_full and step is RelayStep.RCPT else None

    with Relay(on_step=on_step) as relay:
        smtp = f'[provider.smtp]\nhost = "localhost"\nport = {relay.port}\nsecurity = "none"\n'
        root = write_workspace(tmp_path, {CONFIG_FILE: f'{CONFIG}\n[provider]\nuse = "smtp"\n{smtp}'})
        with Terminal(root, "setup", "test") as terminal:
            terminal.answer("[Enter keeps this]: ", "me@harbour.example.org")
            terminal.answer("Send the test email? [Y/n] ")
            terminal.expect("me@harbour.example.org was rejected")
            is_full = False
            terminal.answer("Send the test email? [Y/n] ")
            terminal.expect("accepted “[TEST] ")
            assert terminal.wait() == 0
        assert relay.answered == {"me@harbour.example.org": 1}


def test_without_a_terminal_it_says_what_is_left(root: Path, tmp_path: Path) -> None:
    told = run(root, "setup")

    assert told.stdout.count("to do") == 5
    assert "no step 'sendr'; did you mean sender?" in run(root, "setup", "sendr", expect=2).stderr
    assert "newsletter init" in run(tmp_path, "setup", expect=2).stderr


def test_mistakes_in_the_settings_are_told_with_their_lines(root: Path) -> None:
    settings = root / CONFIG_FILE
    settings.write_text(settings.read_text("utf-8").replace("name =", "nam =", 1), encoding="utf-8")

    assert "newsletter.toml:5: " in run(root, "setup", expect=2).stderr


def test_no_placeholder_leaves_this_machine(root: Path) -> None:
    with Relay() as relay:
        settings = root / CONFIG_FILE
        smtp = (
            f'[provider]\nuse = "smtp"\n[provider.smtp]\nhost = "localhost"\nport = {relay.port}\nsecurity = "none"\n'
        )
        text = settings.read_text("utf-8").partition("[provider]")[0] + smtp
        settings.write_text(text, encoding="utf-8")
        issue = next((root / "issues").iterdir()).name
        run(root, "subscribers", "import", "recipients.example.csv")

        test = run(root, "test", issue, "--yes", expect=2)
        stray = run(root, "test", issue, "--to", "bo@our-organization.example", "--yes", expect=2)
        send = run(root, "send", issue, "--to", "everyone", "--yes", expect=1)

        assert "newsletter.toml:7: " in test.stderr
        assert "https://news.our-organization.example comes with a new workspace" in test.stderr
        assert "run: newsletter setup" in test.stderr
        assert "comes with a new workspace" in stray.stderr
        assert "your list still has 3 people from the sample list" in send.stdout
        assert relay.begun == []
