"""The service serves the archive from its folder: with its headers, and nothing from outside of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from newsletter.config import load_config
from newsletter.store.group_writer import GroupWriter
from newsletter.web.public.app import service_app
from newsletter.web.public.service import Service
from newsletter.workflows.tracking.recorder import Recorder
from tests.store.empty_file import open_test_database
from tests.workspaces import CONFIG, write_workspace


@pytest.fixture(params=["https://letters.example.org", "https://news.example.org/letters"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestClient]:
    files = {
        "newsletter.toml": f'{CONFIG}\n[archive]\nurl = "{request.param}"\nto = "site"\n',
        "site/index.html": "all issues",
        "site/404.html": "nothing here",
        "site/2026-02/index.html": "an issue",
        "site/i/cup-0123456789ab.png": b"png",
        "site/calendar.ics": "BEGIN",
        "site/.newsletter-site.json": "{}",
        "secret.txt": "secret",
    }
    config = load_config(write_workspace(tmp_path, files))
    (tmp_path / "site/link.txt").symlink_to(tmp_path / "secret.txt")
    database = open_test_database(config.database)
    with GroupWriter(database) as writer, Recorder(config, database) as recorder:
        service = Service(config=config, database=database, writer=writer, recorder=recorder)
        yield TestClient(service_app(service), base_url=request.param, follow_redirects=False)


def test_pages_and_files_have_their_headers(archive: TestClient) -> None:
    page, picture, calendar = (archive.get(p) for p in ("2026-02/", "i/cup-0123456789ab.png", "calendar.ics"))
    assert (page.status_code, page.text) == (200, "an issue")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "max-age=300"
    assert "immutable" in picture.headers["cache-control"]
    assert calendar.headers["content-type"] == "text/calendar; charset=utf-8"
    assert archive.get("2026-02/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert archive.get("2026-02").headers["location"] == "2026-02/"


@pytest.mark.parametrize(
    "path",
    ["nowhere", "..%2fsecret.txt", "%2e%2e/secret.txt", ".newsletter-site.json", "link.txt", "i/", "a%00b", "i%5c.."],
)
def test_nothing_else_is_served(archive: TestClient, path: str) -> None:
    answer = archive.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text
