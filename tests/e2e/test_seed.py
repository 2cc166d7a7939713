"""The real February newsletter, word for word: built, broadcast, and compared with what its readers received."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from lxml import html as lxml_html
from PIL import Image

from tests.e2e.program import run, write_list
from tests.e2e.seed_issue import DATE_LINES, SEED, SeedIssue, words
from tests.workspaces import write_workspace

# The forms that the issue's fields become, for the lines of the seed that hold dates.
DATES = (
    "Wednesday, February 25, 2026 | 8:00–11:00 am PT",
    "Wednesdays, February 25 – April 1, 2026 | 9:00–10:00 am PT",
    "March 22–27, 2026",
    "Sedona, Arizona In-Person",
    # The seed calls April 20, 2026 a Sunday. It is a Monday, and weekdays are made from dates.
    "Wednesday – Monday, April 15–20, 2026",
    "Tuesdays, April 7 – June 23, 2026 | 8:00–11:00 am PT",
    "Wednesdays, July 1 – September 16, 2026 | 4:00–7:00 pm PT",
    "Mondays, April 20 – July 6, 2026 | 9:00–11:00 am PT",
    "Saturday, March 7, 2026 | 8:00–11:00 am PT",
    "Early Bird Pricing ends February 22",
)


@pytest.fixture(scope="module")
def seed() -> SeedIssue:
    if not SEED.is_file():
        pytest.skip(f"the text of the real newsletter is not beside this checkout: {SEED.name}")
    return SeedIssue(SEED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mail(seed: SeedIssue, tmp_path_factory: pytest.TempPathFactory) -> EmailMessage:
    """One subscriber's mail out of a broadcast of the seed."""
    root = write_workspace(tmp_path_factory.mktemp("seed"))
    issue = root / "issues/2026-02"
    seed.write(issue)
    (issue / "images").mkdir()
    Image.new("RGB", (1200, 675), "#c9a").save(issue / "images/still.png")
    write_list(root / "list.csv", 3)
    checked = run(root, "check", "2026-02", expect=1)  # the seed has a link named "here", and its events are past
    assert {line.split("[")[-1] for line in checked.stdout.splitlines() if ": error " in line} == {"A4]"}
    run(root, "build", "2026-02", expect=1)
    run(root, "subscribers", "import", "list.csv")
    waived = [word for rule in ("E1", "A4") for word in ("--waive", rule, "--because", "word for word, and past")]
    run(root, "send", "2026-02", "--to", "everyone", "--yes", *waived)
    first, *others = sorted((root / "outbox").rglob("*.eml"))
    assert len(others) == 2
    message = message_from_bytes(first.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def visible_words(html: str) -> list[str]:
    document = lxml_html.document_fromstring(html)
    return words(piece for piece in document.body.itertext() if isinstance(piece, str))


def is_in(needle: list[str], hay: list[str]) -> bool:
    return f" {' '.join(needle)} " in f" {' '.join(hay)} "


# In a compact list, the days stand at the left of a row, and the weekday and the hours below its title.
IN_LISTS = {
    "Wednesday – Monday, April 15–20, 2026": ("Apr 15–20", "Wed–Mon"),
    "Tuesdays, April 7 – June 23, 2026 | 8:00–11:00 am PT": ("Apr 7 – Jun 23", "Tuesdays, 8:00–11:00 am PT"),
    "Wednesdays, July 1 – September 16, 2026 | 4:00–7:00 pm PT": ("Jul 1 – Sep 16", "Wednesdays, 4:00–7:00 pm PT"),
    "Mondays, April 20 – July 6, 2026 | 9:00–11:00 am PT": ("Apr 20 – Jul 6", "Mondays, 9:00–11:00 am PT"),
}


@pytest.mark.parametrize("kind", ["html", "plain"])
def test_nothing_of_the_seed_is_missing(seed: SeedIssue, mail: EmailMessage, kind: str) -> None:
    found = visible_words(part(mail, "html")) if kind == "html" else words(part(mail, "plain"))
    missing = [line for number, line in seed.words_to_find()[1:] if not is_in(words(line), found)]
    assert missing == []


@pytest.mark.parametrize("date", DATES)
def test_each_date_of_the_seed_is_said(mail: EmailMessage, date: str) -> None:
    assert is_in(words(date), words(part(mail, "plain")))
    found = visible_words(part(mail, "html"))
    assert all(is_in(words(piece), found) for piece in IN_LISTS.get(date, (date,)))


def test_the_subject_is_the_seeds(seed: SeedIssue, mail: EmailMessage) -> None:
    assert mail["Subject"] == seed.lines[0]


def test_every_line_with_dates_has_its_form(seed: SeedIssue) -> None:
    said = words(DATES)
    for number in DATE_LINES:
        numbers = [word for word in words(seed.lines[number].replace("nd", "").replace("th", "")) if word.isdigit()]
        assert set(numbers) <= set(said), seed.lines[number]
