"""The email in pieces is the email, and only unknown values are marked."""

from pathlib import Path

from newsletter.config import load_config
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.marking import MarkedText, MergeDoubt, marked_mail
from newsletter.workflows.compose.sample import mail_of, sample_reader
from tests.store.builders import NOW
from tests.workspaces import write_workspace

LETTER = """\
Dear {{ first_name | default("Friends") }}, from {{ city }}: {{ first_name | default("you") }} & {{ last_name }}.
[Open](https://www.example.org/?name={{ last_name }})
"""


def doubts(text: MarkedText) -> list[tuple[str, MergeDoubt | None]]:
    return [(piece.field, piece.doubt) for piece in text.pieces if piece.doubt]


def test_pieces_join_to_the_email_and_name_what_is_unknown(tmp_path: Path) -> None:
    config = load_config(write_workspace(tmp_path, {"issues/2026-02/letter.md": LETTER}))
    variant = compose_issue(config, tmp_path / "issues/2026-02").rendered.fullest
    for values in ({}, {"last_name": "<b>Lima</b>"}, {"first_name": "Ana", "last_name": "Lima", "city": "Lisbon"}):
        reader = sample_reader(config, values)
        marked, mail = marked_mail(config, variant, reader, made_at=NOW), mail_of(config, variant, reader, made_at=NOW)
        assert (str(marked.subject), str(marked.html), str(marked.text)) == (mail.subject, mail.html, mail.text)
        unknown = {"first_name", "last_name", "city"} - values.keys()
        assert {field for field, _ in doubts(marked.html)} == unknown
        assert set(doubts(marked.text)) == {
            (field, MergeDoubt.DEFAULT if field == "first_name" else MergeDoubt.MISSING) for field in unknown
        }
        replaced = marked.text.marked(lambda piece: f"«{piece.field}»")
        assert ("«city»" in replaced) is ("city" in unknown)
