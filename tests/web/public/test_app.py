"""What holds for all pages: where they are, what they say when nothing can be saved, and what they never say."""

from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import StoreError
from newsletter.store.database import Database
from newsletter.store.group_writer import GroupWriter
from tests.store.builders import add, row
from tests.web.public.conftest import ORIGIN, ServedPages, serving
from tests.workspaces import CONFIG, write_workspace

ANA = "ana@example.org"


def test_pages_can_be_below_a_path(tmp_path: Path, database: Database) -> None:
    settings = CONFIG.replace(ORIGIN, f"{ORIGIN}/letters")
    config = load_config(write_workspace(tmp_path / "below", {"newsletter.toml": settings}))
    add(database, row(ANA))
    with serving(config, database) as served:
        page = served.get(f"/letters{served.link(ANA)}")
        elsewhere = served.get(served.link(ANA))
        style = served.get("/letters/style.css")
        answer = served.ask("POST", f"/letters{served.link(ANA)}", b"")

    assert (page.status, elsewhere.status, style.status, answer.status) == (200, 404, 200, 200)
    assert 'href="/letters/style.css?' in page.text
    assert served.has_left(ANA)


def test_what_cannot_be_saved_is_not_confirmed(served: ServedPages, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: GroupWriter, change: object) -> None:
        raise StoreError("database disk image is malformed: /srv/newsletter.db")

    monkeypatch.setattr(GroupWriter, "submit", refuse)
    answer = served.ask("POST", served.link(ANA), b"")

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "Nothing has changed" in answer.text
    assert "newsletter.db" not in answer.text


def test_the_look_is_that_of_the_brand_and_can_be_kept(served: ServedPages) -> None:
    style = served.get("/style.css?1")

    assert "--accent:#9C3353" in style.text
    assert style.headers["content-type"].startswith("text/css")
    assert style.headers["cache-control"] == "public, max-age=604800"


def test_a_logo_that_does_not_exist_is_not_found(served: ServedPages) -> None:
    assert served.get("/logo").status == 404
    assert served.get("/logo-dark").status == 404


@pytest.mark.parametrize("path", ["/", "/u", "/u/", "/u/a/b", "/..%2f..%2fetc/passwd", "/style.css/x", "/%00"])
def test_there_is_nothing_else(served: ServedPages, path: str) -> None:
    answer = served.get(path)

    assert answer.status == 404
    assert "leads nowhere" in answer.text
