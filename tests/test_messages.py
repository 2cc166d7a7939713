"""The catalog of messages is complete: nothing that a person may read is left out, and each message is whole."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.messages import PACKAGE, ROOT, messages, texts_of


@pytest.mark.parametrize(
    ("place", "text"),
    [
        # begins like an option, names a tag, has a line break after a value, or names a statement of SQL
        ("newsletter/cli/send/send.py", "--to and --where cannot be combined; give only one of them"),
        ("newsletter/checks/rules/accessibility.py", "put the `title` from issue.yaml in an <h1>"),
        (
            "newsletter/workflows/send/plan_facts.py",
            "it sends the issue to {…}, which holds it until its time, and recalls it if someone leaves",
        ),
        ("newsletter/store/postgresql/failures.py", "GRANT you CREATE on the database"),
        # what is wrong and what to do, in two arguments or in a variable
        ("newsletter/checks/network/link_checker.py", "the link to {…} {…}"),
        # a command's help, and the explanation of a check
        ("newsletter/cli/send/test.py", "Send a test email to your reviewers."),
        ("newsletter/checks/rules/links.py", "Unclear link text. The text of every link must say where it leads"),
        # outside Python
        ("newsletter/checks/data/axe.toml", "has no title; put the `title` from issue.yaml in <title>"),
        ("newsletter/checks/data/rules.toml", "Broken links"),
        ("newsletter/checks/clients/data/judgments.toml", "it only reduces movement"),
        ("newsletter/lists/leaving_reasons.py", "complained about an email"),
        ("newsletter/store/sql/import_shared.sql", "has the same person, and that row is used"),
        ("newsletter/web/studio/pages/issue.html.j2", "Will not receive this issue: {…}"),
        ("newsletter/web/studio/pages/issue.html.j2", "The email on a {…}, {…} pixels wide"),
        ("newsletter/web/studio/pages/studio.js", "The studio has stopped; to start it again, run newsletter preview"),
        ("newsletter/language/catalogues/messages.pot", "Portrait of"),
        ("newsletter/language/catalogues/messages.pot", "Open the menu, the three dots at the top right."),
    ],
)
def test_message_is_listed(place: str, text: str) -> None:
    assert any(text in message.text for message in messages() if message.place.startswith(f"{place}:"))


def test_texts_inside_a_value_of_another_text_are_messages() -> None:
    tree = ast.parse("""say(f"It is {'sent to no one' if n == 0 else 'sent to them all'}, and {n} is over.")""")
    assert [text for _, text in texts_of(tree, PACKAGE / "cli" / "x.py")] == [
        *("It is {…}, and {…} is over.", "sent to no one", "sent to them all"),
    ]


def test_a_name_stands_for_its_texts() -> None:
    source = 'def f(x):\n    remedy = "do this instead"\n    raise E(f"{x} is not right; {remedy}")\n'
    assert list(texts_of(ast.parse(source), PACKAGE / "cli" / "x.py")) == [(3, "{…} is not right; do this instead")]


def test_patterns_queries_and_markup_are_not_messages() -> None:
    source = r"""x = [r"(?:one) two \w three", "SELECT one FROM two", "<p>one two three", "--flag=one two three"]"""
    assert list(texts_of(ast.parse(source), PACKAGE / "cli" / "x.py")) == []


def test_places_are_lines_of_files() -> None:
    for message in messages():
        path, _, line = message.place.rpartition(":")
        assert 1 <= int(line) <= (ROOT / path).read_text(encoding="utf-8").count("\n") + 1


def test_all_messages_are_printed_with_their_places() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.messages"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.splitlines() == [f"{message.place}: {message.text}" for message in messages()]


def test_every_kind_of_file_with_messages_is_read() -> None:
    read = {Path(message.place.rpartition(":")[0]).suffix for message in messages()}
    assert read == {".py", ".toml", ".j2", ".pot", ".js", ".sql"}
