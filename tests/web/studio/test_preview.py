"""The studio's answers, and the studio as a process: it listens on loopback, and lets go of all when interrupted."""

import re
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.config import Config, load_config
from newsletter.errors import InputError
from newsletter.web.studio.application import studio_app
from newsletter.web.studio.server import DEFAULT_PORT, serve_studio
from tests.web.studio.conftest import RunningStudio, Visitor, running_studio

MAIL = "/2026-02/mail.html"


def has_ipv6() -> bool:
    """Whether a program here can listen at ::1."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def picture_in(html: str) -> str:
    """The address of the picture that the mail shows."""
    found = re.search(r'src="(pictures/field-[^"]+)"', html)
    assert found is not None, html
    return found[1]


def test_the_front_leads_to_the_issue_that_was_asked_for(visitor: Visitor) -> None:
    answer = visitor.get("/")
    assert answer.is_redirect
    assert answer.headers["location"] == "/2026-02/"


def test_the_page_shows_the_inbox_row_both_devices_the_text_and_the_weight(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/").text
    assert 'A letter for <mark data-doubt="default">everybody</mark>' in page
    assert "A few words about small things" in page
    assert "Small Press" in page
    assert 'title="The email on a desktop, 640 pixels wide"' in page
    assert 'title="The email on a phone, 360 pixels wide"' in page
    assert "a page about it" in page
    assert "of 102,000 bytes" in page


def test_a_sample_reader_is_greeted_by_name(visitor: Visitor) -> None:
    assert "Dear Friends," in visitor.get(f"{MAIL}?notes=off").text
    assert "Dear Ana," in visitor.get(f"{MAIL}?reader=sample").text
    assert "A letter for Ana" in visitor.get("/2026-02/?reader=sample").text


def test_the_fullest_variant_is_shown_unless_another_is_chosen(visitor: Visitor) -> None:
    assert "Words for teachers alone." in visitor.get(MAIL).text
    assert "Words for teachers alone." in visitor.get(f"{MAIL}?see.only+teachers=shown").text
    assert "Words for teachers alone." not in visitor.get(f"{MAIL}?see.only+teachers=hidden").text
    assert '<option value="hidden" selected>' in visitor.get("/2026-02/?see.only+teachers=hidden").text


def test_what_is_chosen_stays_in_the_links_to_other_issues(visitor: Visitor) -> None:
    page = visitor.get("/2026-02/?scheme=dark&pictures=off").text
    assert 'href="/2026-01/?scheme=dark&amp;pictures=off"' in page


def test_an_answer_to_a_choice_that_does_not_exist_is_the_usual_page(visitor: Visitor) -> None:
    assert visitor.get("/2026-02/?scheme=purple&show=&variant=nobody").status_code == 200


def test_pictures_come_from_the_mail_and_from_nowhere_else(visitor: Visitor) -> None:
    html = visitor.get(MAIL).text
    assert "cid:" not in html
    answer = visitor.get(f"/2026-02/{picture_in(html)}")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    for name in ("nothing.png", "..%2Fissue.yaml", "%2Fetc%2Fpasswd", "letter.md"):
        assert visitor.get(f"/2026-02/pictures/{name}").status_code == 404


def test_hosted_pictures_are_shown_from_here_before_they_are_published(workspace: Path) -> None:
    settings = workspace / "newsletter.toml"
    settings.write_text(settings.read_text() + '\n[archive]\nurl = "https://archive.example.org"\n')
    config = load_config(workspace)
    html = Visitor(studio_app(config, workspace / "issues/2026-02")).get(MAIL).text
    assert picture_in(html)


def test_without_pictures_the_frame_may_not_load_any(visitor: Visitor) -> None:
    assert "img-src 'none'" in visitor.get(f"{MAIL}?pictures=off").headers["content-security-policy"]
    assert "img-src 'self'" in visitor.get(MAIL).headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/2027-01/", "/nope/mail.html", "/nope/events", "/nope/pictures/x.png", "/..%2F/"])
def test_an_unknown_issue_is_not_found(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_the_page_for_an_unknown_issue_lists_the_known_ones(visitor: Visitor) -> None:
    page = visitor.get("/2027-01/").text
    assert "There is no issue 2027-01" in page
    assert 'href="/2026-02/"' in page


def test_an_issue_that_was_never_whole_shows_all_its_mistakes(workspace: Path) -> None:
    (workspace / "issues/2026-02/letter.md").write_text("---\ngreting: Hello\n---\n![](images/none.png)\n")
    (workspace / "issues/2026-02/teaching.md").write_text("---\ntype: unheard-of\n---\nText\n")
    visitor = Visitor(studio_app(load_config(workspace), workspace / "issues/2026-02"))
    answer = visitor.get("/2026-02/")
    assert answer.status_code == 200
    assert "3 errors" in answer.text
    assert "issues/2026-02/letter.md:2" in answer.text
    assert "issues/2026-02/teaching.md:2" in answer.text
    assert "<iframe" in answer.text
    assert "mail.html?" not in answer.text
    assert visitor.get(MAIL).status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8025", "127.0.0.1.evil.example", "localhost.evil:8025", "127.0.0.2:8025", ""]
)
def test_a_foreign_host_is_refused(visitor: Visitor, host: str) -> None:
    for path in ("/", "/2026-02/", MAIL, "/-/files/studio.css"):
        answer = visitor.get(path, host=host)
        assert answer.status_code == 400
        assert "letter" not in answer.text


def test_localhost_is_as_good_as_its_number(visitor: Visitor) -> None:
    assert visitor.get("/2026-02/", host="localhost:8025").status_code == 200


@pytest.mark.parametrize("path", ["/2026-02/", MAIL, "/-/files/studio.css", "/-/files/studio.js", "/2027-01/"])
def test_every_answer_is_protected_and_kept_nowhere(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"


def test_neither_page_nor_mail_runs_a_script_that_is_not_ours(visitor: Visitor) -> None:
    page, mail = visitor.get("/2026-02/"), visitor.get(MAIL)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "default-src 'none'" in mail.headers["content-security-policy"]
    assert "script-src" not in mail.headers["content-security-policy"]
    for sandbox in re.findall(r'sandbox="([^"]*)"', page.text):
        assert "allow-scripts" not in sandbox


def test_what_a_file_says_cannot_become_markup_of_the_page(workspace: Path) -> None:
    path = workspace / "issues/2026-02/issue.yaml"
    path.write_text(path.read_text().replace("A few words", r"\<script>alert(1)\</script>"))
    page = Visitor(studio_app(load_config(workspace), path.parent)).get("/2026-02/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_nothing_in_a_name_runs_when_a_command_is_pasted(workspace: Path) -> None:
    folder = workspace / "issues/2026-02"
    folder = folder.rename(folder.with_name("2026; echo bad"))
    visitor = Visitor(studio_app(load_config(workspace), folder))
    for path in ("/2026;%20echo%20bad/", "/2026;%20echo%20bad/remarks", "/2026;%20echo%20bad/sending"):
        commands = re.findall(r"<code>(newsletter [^<]*)</code>", visitor.get(path).text)
        assert all("echo" not in each or "&#39;2026; echo bad&#39;" in each for each in commands)
    assert "newsletter review &#39;2026; echo bad&#39;" in visitor.get("/2026;%20echo%20bad/remarks").text


def test_the_page_asks_nothing_of_other_hosts(visitor: Visitor) -> None:
    for path in ("/2026-02/", "/-/files/studio.css", "/-/files/studio.js"):
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|url\(|@import""", visitor.get(path).text)


def test_the_page_shows_what_is_waived_as_such_and_says_what_was_not_judged(
    visitor: Visitor, issue_folder: Path
) -> None:
    letter, issue = issue_folder / "letter.md", issue_folder / "issue.yaml"
    letter.write_text(letter.read_text() + "\nTODO: one more word.\n")
    issue.write_text(issue.read_text() + "waive:\n  S6: it is the name of a band\n")

    page = visitor.get("/2026-02/").text

    assert "1 overridden" in page
    assert "Because it is the name of a band" in page
    assert "<li>Accessibility problems in a browser (A6)</li>" in page


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) != 0


def never(url: str) -> None:
    pytest.fail(f"it listens at {url}")


def test_it_says_where_it_listens_once_it_answers(studio: RunningStudio) -> None:
    assert urlsplit(studio.url).hostname == "127.0.0.1"
    with urllib.request.urlopen(f"{studio.url}2026-02/", timeout=20) as answer:
        assert answer.status == 200


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 address of its own")
@pytest.mark.parametrize("host", ["[::1]", "localhost", "127.0.0.1"])
def test_it_answers_at_every_name_of_this_machine(studio: RunningStudio, host: str) -> None:
    with urllib.request.urlopen(f"http://{host}:{urlsplit(studio.url).port}/2026-02/", timeout=20) as answer:
        assert answer.status == 200


def test_it_shows_the_text_behind_a_link_as_it_is_saved(workspace: Path, issue_folder: Path) -> None:
    letter, elsewhere = issue_folder / "letter.md", workspace.parent / "drafts.md"
    letter.rename(elsewhere)
    letter.symlink_to(elsewhere)
    with running_studio(workspace) as studio:
        with urllib.request.urlopen(f"{studio.url}2026-02/events", timeout=20) as stream:
            next(line for line in stream if line.startswith(b"data: "))
            elsewhere.write_text(elsewhere.read_text() + "\nA line behind a link.\n")
            next(line for line in stream if line.startswith(b"data: "))
        with urllib.request.urlopen(f"{studio.url}2026-02/mail.html", timeout=20) as answer:
            assert b"A line behind a link." in answer.read()


def test_ctrl_c_ends_it_with_pages_open_and_frees_its_port(studio: RunningStudio) -> None:
    streams = [urllib.request.urlopen(f"{studio.url}2026-02/events", timeout=20) for _ in range(3)]
    for stream in streams:
        assert stream.readline() == b"retry: 1000\n"
    assert studio.interrupt() == 0
    for stream in streams:
        stream.read()
        stream.close()
    assert is_free(int(urlsplit(studio.url).port or 0))
    assert studio.process.stderr is not None
    assert "Traceback" not in studio.process.stderr.read()


def test_a_second_studio_finds_another_port(workspace: Path) -> None:
    with running_studio(workspace) as first, running_studio(workspace) as second:
        ports = [urlsplit(studio.url).port or 0 for studio in (first, second)]
        assert ports[0] != ports[1]
        assert min(ports) >= DEFAULT_PORT


def test_a_port_that_is_taken_is_refused(studio: RunningStudio, config: Config, issue_folder: Path) -> None:
    taken = urlsplit(studio.url).port
    with pytest.raises(InputError, match=f"port {taken}: another program is using it; delete --port"):
        serve_studio(config, issue_folder, port=taken, on_ready=never)


def test_a_port_that_does_not_exist_is_refused(config: Config, issue_folder: Path) -> None:
    with pytest.raises(InputError, match="this port does not exist"):
        serve_studio(config, issue_folder, port=70_000, on_ready=never)


def test_an_open_page_is_told_of_a_save(studio: RunningStudio, issue_folder: Path) -> None:
    with urllib.request.urlopen(f"{studio.url}2026-02/events", timeout=20) as stream:
        first = next(line for line in stream if line.startswith(b"data: "))
        letter = issue_folder / "letter.md"
        letter.write_text(letter.read_text() + "\nOne more line.\n")
        kind = next(line for line in stream if line.strip())
        second = next(line for line in stream if line.startswith(b"data: "))
        (issue_folder / "issue.yaml").write_text((issue_folder / "issue.yaml").read_text() + "waive:\n  A3: no\n")
        third = next(line for line in stream if line.strip())
    assert kind == b"event: email\n"  # which does not wait for the checks
    assert first != second
    assert third.startswith(b"data: ")  # the checks alone differ
