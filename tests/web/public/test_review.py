"""Reviewing behind a signed link: what a reviewer sees, says and approves, and who cannot."""

from html import escape, unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from lxml import etree

from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.model.ledger import Approval
from newsletter.model.personal_links import Purpose, code_of, stamp_of
from newsletter.model.review import LONGEST_REMARK, MOST_REMARKS_PER_HOUR, Remark
from newsletter.store.approvals import approvals_of, last_approval
from newsletter.store.database import Database
from newsletter.store.reviews import remarks_of_issue
from newsletter.workflows.compose.compose import require_issue
from newsletter.workflows.send.approve import draft_approval, unmet_requirements
from tests.render.conftest import picture_bytes
from tests.web.public.conftest import Answer, ServedPages, serving
from tests.web.public.reviewing import ask_reviewers, edit_letter, link_to
from tests.workspaces import CONFIG, ISSUE, write_workspace

ANA, NOOR = "ana@example.org", "noor@example.net"
ISSUE_NAME = "2026-02"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def settings() -> str:
    return f"{CONFIG}\n[delivery]\nrequire_approval = true\n"


def approvals(served: ServedPages) -> tuple[Approval, ...]:
    draft = draft_approval(served.config, served.database, require_issue(served.config, ISSUE_NAME), now=served.now)
    return approvals_of(served.database, ISSUE_NAME, draft.content_hash)


def remarks(served: ServedPages) -> list[Remark]:
    with served.database.read() as connection:
        return remarks_of_issue(connection, ISSUE_NAME)


def block_with(served: ServedPages, link: str, words: str) -> str:
    """The number of the block with these words, as the link on it names it."""
    mail = etree.fromstring(served.get(f"{link}/mail").body, etree.HTMLParser(encoding="utf-8"))
    marks = [mark for mark in mail.iter("a") if mark.get("class") == "nl-mark" and words in mark.get("aria-label", "")]
    return marks[0].get("href", "").partition("block=")[2].partition("#")[0]


def say(served: ServedPages, link: str, said: str, block: str = "whole", **headers: str) -> Answer:
    """Open the page, read it for a while, and send a comment."""
    stamp = served.get(link).value_of("stamp")
    served.later(seconds=10)
    return served.press(link, {"from": "page", "do": "remark", "stamp": stamp, "block": block, "said": said}, **headers)


def approve(served: ServedPages, link: str, *, stamp: str | None = None, **headers: str) -> Answer:
    stamp = served.get(link).value_of("stamp") if stamp is None else stamp
    served.later(seconds=10)
    return served.press(link, {"from": "page", "do": "approve", "stamp": stamp}, **headers)


def test_a_reviewer_sees_the_email_and_everything_said_about_it(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])

    page, mail, text = served.get(link), served.get(f"{link}/mail"), served.get(f"{link}?view=text")

    assert page.status == mail.status == text.status == 200
    assert "A small letter for everybody" in page.text
    assert "A few words about small things" in page.text
    assert "Ana Lima" in page.text
    assert "This is a small letter" in mail.text
    assert "This is a small letter, with a page about it" in " ".join(text.text.split())
    assert "Dear Friends," in mail.text, "a reviewer sees what a reader sees of whom nothing is known"
    assert "mfq" not in mail.text + page.text


def test_the_email_is_confined(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    policy = served.get(f"{link}/mail").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "script-src" not in served.get(link).headers["content-security-policy"]


def test_approving_is_the_approval_that_sending_asks_for(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    draft = draft_approval(served.config, served.database, require_issue(served.config, ISSUE_NAME), now=served.now)

    def needed() -> list[str]:
        unmet = unmet_requirements(served.config, served.database, ISSUE_NAME, draft.content_hash)
        return [each.rule for each in unmet]

    assert needed() == ["R1"]

    answer = approve(served, link)

    assert "Your approval has been saved" in answer.text
    assert [(each.by, each.at) for each in approvals(served)] == [("Ana Lima", served.now)]
    assert needed() == []
    assert "Approve as" not in served.get(link).text, "she has approved it already"


def test_someone_without_a_name_approves_under_their_address(served: ServedPages) -> None:
    approve(served, link_to(served, ask_reviewers(served)[NOOR]))
    assert [each.by for each in approvals(served)] == [NOOR]


def test_approving_again_is_the_same_approval(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    stamp = served.get(link).value_of("stamp")
    for _ in range(3):
        approve(served, link, stamp=stamp)
    assert len(approvals(served)) == 1


def test_an_issue_that_has_changed_is_not_approved(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    stamp = served.get(link).value_of("stamp")
    edit_letter(served)

    page, answer = served.get(link), approve(served, link, stamp=stamp)

    assert "has been changed since you were asked" in page.text
    assert "Approve as" not in page.text
    assert "has been changed since you were asked" in answer.text
    assert last_approval(served.database, ISSUE_NAME) is None
    assert "This is a small letter" in served.get(f"{link}/mail").text, "she still sees what she was asked about"
    assert "saved" in say(served, link, "I liked the old one.").text, "and may still say something"


def test_an_issue_with_a_mistake_since_then_is_not_approved(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    stamp = served.get(link).value_of("stamp")
    edit_letter(served, "---\nno such key: 1\n---\nWords.\n")
    with pytest.raises(MistakesError):
        approvals(served)
    approve(served, link, stamp=stamp)
    assert last_approval(served.database, ISSUE_NAME) is None


def test_an_edit_that_is_taken_back_can_be_approved(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    before = (served.config.root / "issues/2026-02/letter.md").read_text()
    edit_letter(served)
    assert "Approve as" not in served.get(link).text
    edit_letter(served, before)
    approve(served, link)
    assert len(approvals(served)) == 1


def test_settings_and_templates_count_as_content(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    path = served.config.root / "newsletter.toml"
    path.write_text(path.read_text().replace("1 Example Street", "2 Example Street"))
    assert "has been changed" in served.get(link).text


def test_without_the_files_the_approval_counts_for_what_was_shown(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    content_hash = draft_approval(
        served.config, served.database, require_issue(served.config, ISSUE_NAME), now=served.now
    ).content_hash
    (served.config.root / "issues/2026-02").rename(served.config.root / "elsewhere")
    approve(served, link)
    assert [each.by for each in approvals_of(served.database, ISSUE_NAME, content_hash)] == ["Ana Lima"]


def test_a_sign_is_never_inside_a_link_of_the_email(served: ServedPages) -> None:
    images = served.config.root / "issues/2026-02/images"
    images.mkdir()
    (images / "field.png").write_bytes(picture_bytes(600, 300))
    edit_letter(served, "[![A field in spring](images/field.png)](https://www.example.org/field)\n\nWords.\n")
    mail = etree.fromstring(
        served.get(f"{link_to(served, ask_reviewers(served)[ANA])}/mail").body, etree.HTMLParser(encoding="utf-8")
    )
    signs = [link for link in mail.iter("a") if link.get("class") == "nl-mark"]
    assert [sign for sign in signs if next(sign.iterancestors("a"), None) is not None] == []
    assert any("A field in spring" in sign.get("aria-label", "") for sign in signs)
    (field,) = [link for link in mail.iter("a") if link.get("href") == "https://www.example.org/field"]
    assert field.find(".//img") is not None


def test_the_words_of_a_block_cannot_end_the_attribute_of_its_sign(served: ServedPages) -> None:
    edit_letter(served, 'Say "hello" onclick=alert(1) & \\<b\\> to {everyone}.\n')
    link = link_to(served, ask_reviewers(served)[ANA])
    mail = etree.fromstring(served.get(f"{link}/mail").body, etree.HTMLParser(encoding="utf-8"))
    (sign,) = [each for each in mail.iter("a") if "onclick" in each.get("title", "")]
    assert set(sign.keys()) == {"class", "href", "target", "title", "aria-label"}
    assert sign.get("aria-label") == 'Comment on: Say "hello" onclick=alert(1) & <b> to {everyone}.'
    assert sign.text == "+"


def test_a_comment_is_kept_at_its_file_and_line_with_the_words(served: ServedPages) -> None:
    asked = ask_reviewers(served)
    link = link_to(served, asked[ANA])
    block = block_with(served, link, "This is a small letter")

    form = served.get(f"{link}?block={block}")
    answer = say(served, link, "Why small?\r\nWhy a letter?", block)

    assert "This is a small letter, with a page about it." in unescape(form.text)
    assert "Your comment has been saved" in answer.text
    (remark,) = remarks(served)
    assert str(remark.place) == "issues/2026-02/letter.md:4"
    assert (remark.words, remark.said) == ("This is a small letter, with a page about it.", "Why small?\nWhy a letter?")
    assert (remark.said_by, remark.said_at, remark.done_at) == ("Ana Lima", served.now, None)
    assert "Why small?" in served.get(link_to(served, asked[NOOR])).text, "all reviewers see it"


def test_a_comment_can_be_about_the_whole_email(served: ServedPages) -> None:
    say(served, link_to(served, ask_reviewers(served)[NOOR]), "Lovely.")
    (remark,) = remarks(served)
    assert (str(remark.place), remark.words, remark.said_by) == ("issues/2026-02/issue.yaml", "", NOOR)


@pytest.mark.parametrize("block", ["9999", "-1", "1.5", "", "²", "1 OR 1=1", "1" * 400, "../../etc/passwd", "\u0661"])
def test_a_comment_on_a_place_that_does_not_exist_is_refused(served: ServedPages, block: str) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    answer = say(served, link, "Here!", block)
    assert answer.status == 200
    assert "This part of the email does not exist" in answer.text
    assert "Here!" in answer.text, "what she wrote is not lost"
    assert remarks(served) == []
    assert served.get(f"{link}?{urlencode({'block': block})}").status == 200


@pytest.mark.parametrize("said", ["", "  \n ", "\x00\x07\u202e"])
def test_an_empty_comment_is_not_saved(served: ServedPages, said: str) -> None:
    answer = say(served, link_to(served, ask_reviewers(served)[ANA]), said)
    assert "Please write a comment first" in answer.text
    assert remarks(served) == []


def test_what_is_typed_is_only_ever_text(served: ServedPages) -> None:
    reviewers = (f'"{SCRIPT}" <eve@example.com>', "noor@example.net")
    link = link_to(served, ask_reviewers(served, reviewers)["eve@example.com"])
    said = f"{SCRIPT}\x1b[31mred\u202eevil\u2069 {{{{ 7 * 7 }}}} ' OR 1=1 --"

    answer = say(served, link, said)

    (remark,) = remarks(served)
    assert remark.said == f"{SCRIPT}[31mredevil {{{{ 7 * 7 }}}} ' OR 1=1 --"
    for page in (answer, served.get(link), served.get(f"{link}/mail")):
        assert SCRIPT not in page.text
    assert escape(SCRIPT, quote=False) in answer.text


def test_comments_are_bounded(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    say(served, link, "long " * LONGEST_REMARK)
    assert len(remarks(served)[0].said) <= LONGEST_REMARK
    body = urlencode({"do": "remark", "said": "x" * 70_000}).encode()
    assert served.ask("POST", link, body, Content_Type="application/x-www-form-urlencoded").status == 413
    assert len(remarks(served)) == 1


def test_comments_are_limited_in_time_and_repeated_ones_count_once(served: ServedPages) -> None:
    asked = ask_reviewers(served)
    link = link_to(served, asked[ANA])
    stamp = served.get(link).value_of("stamp")
    served.later(seconds=10)
    for number in [*range(MOST_REMARKS_PER_HOUR), 0, 1]:
        fields = {"from": "page", "do": "remark", "stamp": stamp, "block": "whole", "said": f"Number {number}"}
        answer = served.press(link, fields)
    assert "a lot of comments in a short time" in answer.text
    assert len(remarks(served)) == MOST_REMARKS_PER_HOUR
    assert "saved" in say(served, link_to(served, asked[NOOR]), "I am someone else.").text
    served.later(hours=2)
    assert "saved" in say(served, link_to(served, asked[ANA]), "Number 1").text, "the same again changes nothing"
    assert len(remarks(served)) == MOST_REMARKS_PER_HOUR + 1


def test_a_get_changes_nothing_whatever_it_asks_for(served: ServedPages) -> None:
    """Scanners follow every link of an email, and some add what they find in forms."""
    link = link_to(served, ask_reviewers(served)[ANA])
    stamp = served.get(link).value_of("stamp")
    served.later(seconds=10)
    for query in (
        "",
        "?block=3",
        f"?do=approve&stamp={stamp}&from=page",
        f"?do=remark&said=x&block=whole&stamp={stamp}",
    ):
        for path in (link, f"{link}/", f"{link}/mail"):
            assert served.get(f"{path}{query}").status == 200
    assert served.ask("HEAD", link).status in {200, 405}
    assert remarks(served) == []
    assert approvals(served) == ()


def test_a_program_that_presses_at_once_has_not_answered(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    fields = {"from": "page", "stamp": served.get(link).value_of("stamp")}
    for more in ({"do": "approve"}, {"do": "remark", "said": "kept", "block": "whole"}):
        answer = served.press(link, fields | more)
        assert "press the button once more" in answer.text
    assert "kept" in answer.text
    assert (remarks(served), approvals(served)) == ([], ())
    served.later(days=2)
    assert "press the button once more" in served.press(link, fields | {"do": "approve"}).text


@pytest.mark.parametrize("fields", [{}, {"do": ""}, {"do": "Approve"}, {"do": "leave"}, {"do": "delete", "block": "1"}])
def test_a_form_that_is_not_ours_does_nothing(served: ServedPages, fields: dict[str, str]) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    stamp = served.get(link).value_of("stamp")
    served.later(seconds=10)
    assert served.press(link, {"from": "page", "stamp": stamp, "said": "x", "block": "whole"} | fields).status == 200
    assert (remarks(served), approvals(served)) == ([], ())


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example.com"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}]
)
def test_another_site_cannot_answer(served: ServedPages, headers: dict[str, str]) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    assert "press the button once more" in approve(served, link, **headers).text
    assert "press the button once more" in say(served, link, "Hello", **headers).text
    assert (remarks(served), approvals(served)) == ([], ())


def forged_links(served: ServedPages) -> dict[str, str]:
    """Links that are almost those of a reviewer."""
    asked = ask_reviewers(served)
    ana, noor = asked[ANA], asked[NOOR]
    link = link_to(served, ana)
    number, _, stamp = link.removeprefix("/r/").partition("-")
    seconds, _, code = stamp.partition(".")
    about, later = str(ana.id), str(int(seconds) + 1)
    return {
        "of no one": f"/r/999-{stamp}",
        "of someone else": f"/r/{noor.id}-{stamp}",
        "truncated": link[:-1],
        "without its code": f"/r/{number}-{seconds}",
        "with a later time": f"/r/{number}-{later}.{code}",
        "with another sign": f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}",
        "of a page's form": f"/r/{number}-{stamp_of(ana.token, Purpose.PAGE, about, now=served.now)}",
        "of preferences": f"/r/{number}-{stamp_of(ana.token, Purpose.PREFERENCES, about, now=served.now)}",
        "with the token itself": f"/r/{number}-{ana.token}",
        "without a time": f"/r/{number}-{code_of(ana.token, Purpose.REVIEW, about)}",
        "of a subscriber": served.link(ANA).replace("/u/", "/r/"),
        "with a zero in front": f"/r/0{number}-{stamp}",
        "in other digits": f"/r/%D9%A1-{stamp}",
    }


def test_a_link_that_we_did_not_make_leads_to_no_one(served: ServedPages) -> None:
    neutral = served.get("/r/1-0000000000.aaaaaaaaaaaaaaaaaaaaaa").text
    assert "This link is not valid" in neutral
    for name, path in forged_links(served).items():
        answers = [served.get(path), served.get(f"{path}/mail"), served.press(path, {"do": "approve", "from": "page"})]
        for answer in answers:
            assert "This link is not valid" in answer.text, name
            assert "A small letter" not in answer.text, name
    assert (remarks(served), approvals(served)) == ([], ())


def test_a_reviewers_code_opens_nothing_of_a_subscriber(served: ServedPages) -> None:
    path = link_to(served, ask_reviewers(served)[ANA]).removeprefix("/r/")
    for kind in "upmt":
        page = served.get(f"/{kind}/{path}")
        assert "ana" not in page.text.lower().replace("small letter", ""), kind


def test_a_link_ends_after_two_weeks(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    stamp = served.get(link).value_of("stamp")
    served.later(days=14)
    assert served.get(link).status == 200
    served.later(seconds=11)
    page, answer = served.get(link), approve(served, link, stamp=stamp)
    assert page.status == answer.status == 410
    assert "works for two weeks" in page.text
    assert "A small letter" not in served.get(f"{link}/mail").text
    assert last_approval(served.database, ISSUE_NAME) is None


def test_a_newer_review_ends_the_earlier_links(served: ServedPages) -> None:
    link = link_to(served, ask_reviewers(served)[ANA])
    stamp = served.get(link).value_of("stamp")
    newer = link_to(served, ask_reviewers(served)[ANA])
    page, answer = served.get(link), approve(served, link, stamp=stamp)
    assert page.status == answer.status == 410
    assert "newer version" in page.text
    assert approvals(served) == ()
    assert say(served, newer, "Better.").status == 200


def test_the_pages_can_be_below_a_path(tmp_path: Path, database: Database) -> None:
    settings = CONFIG.replace("https://news.example.org", "https://news.example.org/letters")
    config = load_config(write_workspace(tmp_path / "below", {"newsletter.toml": settings}))
    with serving(config, database) as served:
        link = f"/letters{link_to(served, ask_reviewers(served)[ANA])}"
        page = served.get(link).text
        assert page.count(f'action="{link}?') == 2
        frame = unescape(page.split('<iframe class="email" src="')[1].split('"')[0])
        assert frame.startswith(f"{link}/mail?")
        assert f'href="{link}?version=0' in served.get(frame).text
        approve(served, link)
        assert [each.by for each in approvals(served)] == ["Ana Lima"]


def test_each_version_is_shown_and_commented_on(served: ServedPages) -> None:
    root = served.config.root
    (root / "issues/2026-02/issue.yaml").write_text(
        ISSUE.replace("  - letter", "  - letter\n  - section: teaching\n    only: teachers")
    )
    (root / "issues/2026-02/teaching.md").write_text(
        "---\ntype: text\ntitle: For teachers\n---\nWords to teach with.\n"
    )
    link = link_to(served, ask_reviewers(served)[ANA])

    page = served.get(link)

    assert "teachers" in page.text
    assert "Everyone else" in page.text
    assert "Words to teach with" in served.get(f"{link}/mail?version=0").text
    assert "Words to teach with" not in served.get(f"{link}/mail?version=1").text
    assert "Words to teach with" in served.get(f"{link}/mail?version=77").text


def test_the_page_says_what_has_changed_since_an_approval(served: ServedPages) -> None:
    approve(served, link_to(served, ask_reviewers(served)[ANA]))
    edit_letter(served, "This is a rather small letter, with [a page about it](https://www.example.org/small).\n")
    page = served.get(link_to(served, ask_reviewers(served)[ANA])).text
    assert "What has changed" in page
    assert "<ins>" in page
    assert "rather" in page.split("<ins>")[1].split("</ins>")[0]
