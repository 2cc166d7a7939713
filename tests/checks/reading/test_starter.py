"""Nothing that a new workspace says can be sent by mistake: each of its words and addresses, alone, is an error."""

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from newsletter.checks.reading.starter import STARTER_DOMAIN, is_starter_address, placeholder_settings, sample_people
from newsletter.config import load_config
from newsletter.model.finding import Severity
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.new import init_workspace
from newsletter.workflows.setup.settings_file import changed_text

STARTER = Path(__file__).parents[3] / "newsletter" / "starter"
OWN = "harbour.example.org"
# What a director may leave: settings, labels, and words that fit any issue.
MAY_STAY = {
    *("letter", "research", "events", "about", "Worth knowing", "Coming up", "About us", "Director", "Live online"),
    *("New", "Reserve your place", "Read the full study", "Visit our website", "Warmly,"),
    'Dear {{ first_name | default("friends") }},',
}
REPLACED = {
    ("newsletter", "name"): "Harbour Letters",
    ("newsletter", "organization"): "Harbour House",
    ("newsletter", "from"): f"Harbour House <news@{OWN}>",
    ("newsletter", "reply_to"): f"hello@{OWN}",
    ("newsletter", "address"): "Harbour House, 12 Quay Street, Galway, Ireland",
    ("newsletter", "website"): f"https://www.{OWN}",
    ("newsletter", "reason"): "You get Harbour Letters because you asked for them on the quay.",
    ("service", "url"): f"https://news.{OWN}",
    ("reviewers", "reviewers"): (f"me@{OWN}",),
    ("provider", "use"): "smtp",
    ("provider", "smtp", "host"): f"smtp.{OWN}",
    ("provider", "smtp", "username"): f"news@{OWN}",
}
SEEN_IN_TESTS_ALONE = {("reviewers", "reviewers")}  # nothing in a broadcast comes from it; see the tests of `test`


def sayings() -> Iterator[tuple[str, str]]:
    """Yield every value and every sentence of the starter's issue, with its file."""
    for path in sorted((STARTER / "issue").rglob("*.*")):
        text = path.read_text(encoding="utf-8")
        head, _, body = text.removeprefix("---\n").partition("---\n") if path.suffix == ".md" else (text, "", "")
        values = re.findall(
            r"^ *-? *(?:\w+: )?(\S.*)$", re.sub(r"^ *\w+:\n", "", head, flags=re.MULTILINE), re.MULTILINE
        )
        lines = [" ".join(block.split()) for block in re.split(r"\n\n+|^- ", body, flags=re.MULTILINE)]
        sentences = [each for line in lines for each in re.split(r"(?<=[.!?])\s+", line)]
        for said in (*values, *sentences):
            if said and "@" not in said:  # dates are filled in
                yield str(path.relative_to(STARTER / "issue")), said.strip('"')


SAYINGS = sorted({(file, said) for file, said in sayings() if said not in MAY_STAY})


@pytest.fixture(scope="module")
def replaced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new workspace in which all that must be replaced was replaced."""
    root = tmp_path_factory.mktemp("starter") / "news"
    init_workspace(root, date(2026, 11, 30))
    settings = root / "newsletter.toml"
    settings.write_text(changed_text(settings.read_text("utf-8"), REPLACED), encoding="utf-8")
    for number, (file, said) in enumerate(SAYINGS):
        path = root / "issues" / "2026-11" / file
        text = path.read_text("utf-8")
        own = f"https://{OWN}/{number}" if said.startswith("http") else f"Words of our own, number {number}"
        own += said[-1] if said[-1] in ".!?" else ""
        path.write_text(re.sub(r"\s+".join(map(re.escape, said.split())), own, text, count=1), encoding="utf-8")
    return root


def errors_in(root: Path) -> list[str]:
    composed = compose_issue(load_config(root), root / "issues" / "2026-11")
    return [str(each) for each in composed.findings if each.rule == "S18" and each.severity is Severity.ERROR]


def test_a_workspace_without_placeholders_has_none_of_these_errors(replaced: Path) -> None:
    assert errors_in(replaced) == []


@pytest.mark.parametrize(("file", "said"), SAYINGS, ids=lambda value: value[:30])
def test_each_saying_of_the_first_issue_is_an_error(file: str, said: str, replaced: Path, tmp_path: Path) -> None:
    number = SAYINGS.index((file, said))
    root = shutil.copytree(replaced, tmp_path / "news", ignore=shutil.ignore_patterns("build"))
    path = root / "issues" / "2026-11" / file
    own = re.compile(rf"https://{re.escape(OWN)}/{number}\b|Words of our own, number {number}\b[.!?]?")
    text = path.read_text("utf-8")
    assert own.search(text), text
    path.write_text(own.sub(lambda _: said, text), encoding="utf-8")
    line = text[: own.search(text).start()].count("\n") + 1  # type: ignore[union-attr]

    found = errors_in(root)

    assert found
    assert all(each.startswith(f"issues/2026-11/{file}:{line}: ") for each in found), found


@pytest.mark.parametrize("location", placeholder_settings(), ids=".".join)
def test_each_setting_of_a_new_workspace_is_an_error(location: tuple[str, ...], replaced: Path, tmp_path: Path) -> None:
    root = shutil.copytree(replaced, tmp_path / "news", ignore=shutil.ignore_patterns("build"))
    settings = root / "newsletter.toml"
    value = placeholder_settings()[location]
    if location[:2] == ("brand", "social"):
        settings.write_text(f'{settings.read_text("utf-8")}\n[[brand.social]]\nname = "Us"\nurl = "{value}"\n', "utf-8")
    elif location not in SEEN_IN_TESTS_ALONE:
        settings.write_text(changed_text(settings.read_text("utf-8"), {location: value}), encoding="utf-8")

    found = errors_in(root)

    assert bool(found) == (location not in SEEN_IN_TESTS_ALONE)
    assert all(re.match(r"newsletter\.toml:\d+: ", each) for each in found)


def test_emails_that_stay_here_only_warn_of_them(tmp_path: Path) -> None:
    root = tmp_path / "news"
    init_workspace(root, date(2026, 11, 30))

    composed = compose_issue(load_config(root), root / "issues" / "2026-11")

    assert {each.severity for each in composed.findings if each.rule == "S18"} == {Severity.WARNING}


def test_all_addresses_of_the_starter_are_at_the_domain_that_cannot_exist() -> None:
    pages = re.compile(r"https?://[\w.-]+[^\s\")]*|[\w.+-]+@[\w.-]+|smtp\.[\w.-]+")
    found = [
        each
        for path in STARTER.rglob("*.*")
        for each in pages.findall(path.read_text(encoding="utf-8").replace("@TOPICS@", ""))
    ]

    assert len(found) > 12
    assert [each for each in found if not is_starter_address(each)] == []
    assert all(email.endswith(f"@{STARTER_DOMAIN}") for email in sample_people())


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("news@our-organization.example", True),
        ("Our Organization <NEWS@our-organization.example>", True),
        ("https://www.our-organization.example/about?x=1", True),
        ("mailto:hello@our-organization.example?subject=x", True),
        ("smtp.our-organization.example", True),
        ("https://www.instagram.com/example", True),
        ("https://www.instagram.com/harbour", False),
        ("https://notour-organization.example", False),
        ("news@example.org", False),
        ("", False),
    ],
)
def test_addresses_of_the_starter_are_recognized_in_every_form(address: str, *, is_one: bool) -> None:
    assert is_starter_address(address) is is_one
