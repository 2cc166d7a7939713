"""The pages of the archive: their addresses, languages, data for machines, and who finds them."""

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from lxml import etree, html
from msgspec.structs import replace

from newsletter.model.published import IssuePage
from newsletter.site.archive import archive_files
from newsletter.site.site import Site
from tests.judges import require_judge
from tests.site.values import FEBRUARY, JANUARY, LATER, PAGES, SPANISH, URL, site_of

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def files_of(site: Site) -> dict[str, bytes]:
    return {file.path: file.content for file in archive_files(site)}


def page_at(files: dict[str, bytes], path: str) -> html.HtmlElement:
    return html.document_fromstring(files[path])


def internal_targets(path: str, root: html.HtmlElement) -> set[str]:
    """Return the paths in the archive that a page refers to."""
    found = set()
    for attribute in root.xpath("//a/@href|//link[@rel!='alternate']/@href|//link[@rel='alternate']/@href|//img/@src"):
        whole = urljoin(f"{URL}/{path}", str(attribute))
        if whole.startswith(f"{URL}/"):
            target = unquote(urlsplit(whole).path.removeprefix("/archive/"))
            found.add(f"{target}index.html" if target.endswith("/") or not target else target)
    return found


def test_every_link_inside_the_archive_leads_to_a_file() -> None:
    files = files_of(site_of(*PAGES, is_searched=True))
    known = {*files, "i/cup-0123456789ab.png"}
    for path, content in files.items():
        if path.endswith(".html"):
            assert internal_targets(path, html.document_fromstring(content)) - known == set()


@pytest.mark.parametrize("path", ["2026-02/index.html", "2026-02/es/index.html", "index.html", "es/index.html"])
def test_versions_name_each_other_and_themselves(path: str) -> None:
    """Google ignores links that are not symmetric, and asks for whole addresses."""
    files = files_of(site_of(*PAGES))
    root = page_at(files, path)
    links = {str(link.get("hreflang")): str(link.get("href")) for link in root.xpath("//link[@hreflang]")}
    own = f"{URL}/{path.removesuffix('index.html')}"
    assert set(links) == {"en", "es", "x-default"}
    assert own in links.values()
    assert links["x-default"] == links["en"]
    assert root.xpath("string(//link[@rel='canonical']/@href)") == own
    assert root.xpath("string(//meta[@property='og:url']/@content)") == own
    other = page_at(files, links["es"].removeprefix(f"{URL}/") + "index.html")
    assert {str(link.get("href")) for link in other.xpath("//link[@hreflang]")} == set(links.values())


def test_an_issue_in_one_language_names_no_others() -> None:
    assert not page_at(files_of(site_of(*PAGES)), "2026-01/index.html").xpath("//link[@hreflang]")


def test_a_page_says_what_it_is_to_machines() -> None:
    root = page_at(files_of(site_of(*PAGES, changed={"2026-02/index.html": LATER})), "2026-02/index.html")
    told = json.loads(root.xpath("string(//script[@type='application/ld+json'])"))
    properties = {str(each.get("property")): str(each.get("content")) for each in root.xpath("//meta[@property]")}
    assert (told["@type"], told["headline"], told["inLanguage"]) == ("NewsArticle", FEBRUARY.title, "en")
    assert told["datePublished"] == "2026-02-19T00:00:00-08:00"
    assert told["dateModified"] == "2026-03-01T12:00:00+00:00"
    assert told["image"][0] == f"{URL}/i/cup-0123456789ab.png"
    assert told["author"]["name"] == "Small Press"
    assert properties["og:title"] == FEBRUARY.title
    assert properties["og:image"].startswith(f"{URL}/i/share-")
    assert (properties["og:locale"], properties["og:locale:alternate"]) == ("en_US", "es_ES")


def test_content_cannot_end_the_script_with_the_data() -> None:
    evil = replace(FEBRUARY, title="</script><script>alert(1)</script>", description='"><b>')
    root = page_at(files_of(site_of(evil)), "2026-02/index.html")
    assert len(root.xpath("//script")) == 2
    assert not root.xpath("//b")
    assert json.loads(root.xpath("string(//script[not(@src)])"))["headline"] == evil.title


def test_an_unlisted_issue_is_only_at_its_own_address() -> None:
    files = files_of(site_of(*PAGES, is_searched=True))
    assert b'<meta name="robots" content="noindex">' in files["draft/index.html"]
    assert b"data-pagefind-body" not in files["draft/index.html"]
    assert b"data-pagefind-body" in files["2026-02/index.html"]
    assert b"noindex" not in files["2026-02/index.html"]
    for path, content in files.items():
        if path != "draft/index.html" and not path.endswith(".png"):
            assert b"draft" not in content, path
            assert b"secret" not in content, path


def test_the_list_in_the_newsletters_language_has_every_issue() -> None:
    spanish_only = replace(SPANISH, issue="solo", id="solo", is_original=True, title="Solo")
    files = files_of(site_of(*PAGES, spanish_only))
    own, spanish = (page_at(files, path) for path in ("index.html", "es/index.html"))
    assert [str(each) for each in own.xpath("//article//a[not(@aria-label)]/text()")] == [
        "Solo",
        FEBRUARY.title,
        "January",
    ]
    assert own.xpath("string(//article[@lang='es']//h2)") == "Solo"
    titles = [str(each) for each in spanish.xpath("//article//a[not(@aria-label)]/text()")]
    assert titles == ["Solo", SPANISH.title]


def test_a_new_issue_changes_few_of_the_other_pages() -> None:
    many = [
        replace(JANUARY, issue=f"2025-{n:02}", id=f"2025-{n:02}", day=JANUARY.day.replace(2025, n))
        for n in range(1, 13)
    ]
    before, after = files_of(site_of(*many)), files_of(site_of(*many, JANUARY))
    changed = {path for path in before if path.endswith("/index.html") and before[path] != after[path]}
    assert changed == {"2025-12/index.html"}


def test_a_renamed_issue_leads_from_its_old_address() -> None:
    renamed = replace(FEBRUARY, issue="february", id="2026-02")
    files = files_of(site_of(renamed, replace(SPANISH, issue="february", id="2026-02")))
    for path, target in (("2026-02/index.html", "february/"), ("2026-02/es/index.html", "february/es/")):
        root = page_at(files, path)
        assert root.xpath("string(//meta[@http-equiv='refresh']/@content)") == f"0;url={URL}/{target}"
        assert root.xpath("string(//link[@rel='canonical']/@href)") == f"{URL}/{target}"
        assert root.xpath("string(//main//a/@href)") == f"{URL}/{target}"
    lines = [f"/archive/2026-02/{folder} {URL}/february/{folder} 301" for folder in ("", "es/")]
    assert files["_redirects"].decode().splitlines() == lines
    assert b"2026-02/" not in files["sitemap.xml"]


def test_no_list_of_former_addresses_names_an_unlisted_issue() -> None:
    hidden = replace(JANUARY, issue="hidden", id="before", is_listed=False)
    files = files_of(site_of(replace(FEBRUARY, issue="february", id="2026-02"), hidden))
    assert b"refresh" in files["before/index.html"]
    assert b"february" in files["_redirects"]
    assert not re.search(rb"hidden|before", files["_redirects"])
    assert "_redirects" not in files_of(site_of(FEBRUARY, hidden))


def test_the_old_address_of_a_renamed_issue_can_belong_to_another() -> None:
    files = files_of(site_of(FEBRUARY, replace(JANUARY, issue="first", id="2026-02")))
    assert b"refresh" not in files["2026-02/index.html"]
    assert "_redirects" not in files


def test_the_sitemap_has_all_listed_pages_and_their_last_change() -> None:
    files = files_of(site_of(*PAGES, changed={"2026-01/index.html": LATER}))
    urls = {
        str(url.findtext(f"{SITEMAP}loc")): url.findtext(f"{SITEMAP}lastmod")
        for url in etree.fromstring(files["sitemap.xml"])
    }
    assert urls == {
        f"{URL}/": None,
        f"{URL}/es/": None,
        f"{URL}/2026-02/": "2026-02-19T00:00:00-08:00",
        f"{URL}/2026-02/es/": "2026-02-19T00:00:00-08:00",
        f"{URL}/2026-01/": "2026-03-01T12:00:00+00:00",
    }
    assert files["robots.txt"].decode().endswith(f"Sitemap: {URL}/sitemap.xml\n")


def test_the_page_for_wrong_addresses_works_at_any_depth() -> None:
    root = page_at(files_of(site_of(*PAGES)), "404.html")
    assert all(str(each).startswith(("https://", "#")) for each in root.xpath("//@href"))
    assert root.xpath("string(//meta[@name='robots']/@content)") == "noindex"


def test_the_form_to_join_posts_to_the_service() -> None:
    for path in ("index.html", "2026-02/index.html"):
        (form,) = page_at(files_of(site_of(*PAGES)), path).xpath("//form")
        assert (form.get("action"), form.get("method")) == ("https://news.example.org/join", "post")
        assert {field.get("name") for field in form.iter("input")} == {"email", "first_name", "form", "language"}


def test_the_style_sheet_cannot_be_broken_by_a_font() -> None:
    brand = {"heading_font": "Georgia; } body { display: none", "body_font": "x</style>"}
    site = site_of(*PAGES)
    site.settings = site.settings.model_copy(update={"brand": site.settings.brand.model_copy(update=brand)})
    (css,) = (content.decode() for path, content in files_of(site).items() if path.endswith(".css"))
    assert "--heading: Georgia  body  display: none;" in css
    assert "</style" not in css


@pytest.mark.parametrize("pages", [PAGES, (), (replace(FEBRUARY, language="ar"),)], ids=["four", "none", "Arabic"])
def test_pages_are_valid_html(pages: tuple[IssuePage, ...], tmp_path: Path) -> None:
    folder = require_judge("html-validate")
    for path, content in files_of(site_of(*pages, is_searched=True)).items():
        if path.endswith(".html"):
            (tmp_path / path.replace("/", "-")).write_bytes(content)
    (tmp_path / ".htmlvalidate.json").write_text('{"root": true, "extends": ["html-validate:recommended"]}')
    command = ["node", str(folder / "bin/html-validate.mjs"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, re.sub(r"\x1b\[\d+m", "", done.stdout)
