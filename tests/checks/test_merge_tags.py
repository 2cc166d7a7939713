"""Merge tags of other programs, each as its own program writes it."""

import pytest

from newsletter.checks.reading.merge_tags import merge_tags_in


@pytest.mark.parametrize(
    "tag",
    [
        *("[[firstname]]", '[[FIRSTNAME OR "friend"]]', "[firstname,fallback=friend]", "%recipient.first_name%"),
        *(
            "{!firstname}",
            "%member.first_name%",
            "[%first_name%]",
            "[[var:firstname]]",
            "#recipient:name#",
            "${firstname}",
        ),
        *(
            "{firstname}",
            "{$name}",
            "@FNAME@",
            "~Contact.FirstName~",
            "[First Name]",
            '{first_name, "there"}',
            "{status}",
        ),
        *(
            "[%first_name | friend%]",
            "[%unsubscribe%]",
            "{unsubscribe_url}",
            "*|FNAME|*",
            "%FIRSTNAME%",
            "%%first_name%%",
        ),
        *(
            "%%=v(@first)=%%",
            "[UNSUBSCRIBE]",
            "[last name]",
            "$[FNAME]$",
            "«First_Name»",
            "##first_name##",
            "{{ name }}",
        ),
        *("{contact.first_name}", "%subscriber.email%", "[fname,default=you]", "<%= name %>", "{FIRSTNAME|Friend}"),
    ],
)
def test_a_tag_is_found_in_a_sentence(tag: str) -> None:
    assert list(merge_tags_in(f"Dear {tag}, hello")) == [tag]


@pytest.mark.parametrize(
    "text",
    [
        "50% of people, 20% more and 100%",
        "[PDF], [sic], [1], [the plan] and [see below]",
        "ana@example.org and @ana and #MeToo #1",
        "W|X|Y and 5 ~ 6",
        "https://www.example.org/%E4%BD%A0%E5%A5%BD and /caf%C3%A9%20x",
        "{1, 2, 3}, { a b } and {}",
        "«Bonjour» and «un_»",
        "$5 and $[5",
        "Use code SPRING at @HOME",
    ],
)
def test_ordinary_text_has_none(text: str) -> None:
    assert list(merge_tags_in(text)) == []
