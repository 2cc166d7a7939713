"""An email is opened for a person to look at, whatever is in it."""

import random
import re
from base64 import b64encode

import pytest

from newsletter.mailbox.opened import OpenedMail, header_lines, open_mail

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def built(*parts: bytes, kind: bytes = b"mixed", head: bytes = b"Subject: Hello") -> bytes:
    lines = [head, b'Content-Type: multipart/%s; boundary="x"' % kind, b""]
    for part in parts:
        lines += [b"--x", part]
    return b"\r\n".join((*lines, b"--x--", b""))


TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nA letter in words."
HTML = b'Content-Type: text/html; charset=utf-8\r\n\r\n<p>A letter <img src="cid:one@example.org"></p>'


def image(content_id: bytes = b"one@example.org", kind: bytes = b"image/png") -> bytes:
    head = b"Content-Type: %s\r\nContent-ID: <%s>\r\nContent-Transfer-Encoding: base64\r\n\r\n" % (kind, content_id)
    return head + b64encode(PNG)


def names(mail: OpenedMail) -> list[tuple[str, str, int]]:
    return [(each.name, each.content_type, each.size_bytes) for each in mail.attachments]


def test_the_images_inside_an_email_become_part_of_its_html() -> None:
    mail = open_mail(built(TEXT, HTML, image(), kind=b"related"))
    assert f'<p>A letter <img src="data:image/png;base64,{b64encode(PNG).decode()}"></p>' in mail.html
    assert mail.text.strip() == "A letter in words."
    assert not mail.attachments
    assert not mail.is_broken


@pytest.mark.parametrize("kind", [b"image/svg+xml", b"text/html", b"application/xhtml+xml"])
def test_an_image_that_can_hold_more_than_a_picture_is_not_shown(kind: bytes) -> None:
    mail = open_mail(built(HTML, image(kind=kind), kind=b"related"))
    assert "data:" not in mail.html
    assert "cid:" not in mail.html


def test_attachments_are_listed_with_bare_names() -> None:
    attached = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename%s\r\n\r\n12345"
    odd = [
        b'="../../etc/passwd"',
        b'="C:\\\\folder\\\\plan.pdf"',
        b"*=utf-8''a%E2%80%AEfdp.exe",
        b'="<script>.pdf"',
        b"=" + b"x" * 400,
    ]
    mail = open_mail(built(TEXT, *(attached % name for name in odd)))
    found = [name for name, _, _ in names(mail)]
    assert found == ["passwd", "plan.pdf", "afdp.exe", "<script>.pdf", "x" * 120]
    assert {size for _, _, size in names(mail)} == {5}


def test_an_attached_page_is_not_taken_for_the_email() -> None:
    page = b'Content-Type: text/html\r\nContent-Disposition: attachment; filename="a.html"\r\n\r\n<p>attached</p>'
    mail = open_mail(built(page, TEXT))
    assert mail.html == ""
    assert [name for name, _, _ in names(mail)] == ["a.html"]


def test_an_email_inside_the_email_is_an_attachment() -> None:
    mail = open_mail(built(TEXT, b"Content-Type: message/rfc822\r\n\r\n" + HTML))
    assert [kind for _, kind, _ in names(mail)] == ["message/rfc822"]
    assert mail.html == ""


def test_headers_are_decoded_and_cannot_add_lines() -> None:
    head = b"Subject: =?utf-8?q?Hello=0D=0AX-Evil:_yes_=E2=80=AEx?=\r\nTo: <script>alert(1)</script> <ana@example.org>"
    lines = header_lines(open_mail(built(TEXT, head=head)).header)
    assert lines["Subject"] == "Hello X-Evil: yes x"
    assert lines["To"] == "<script>alert(1)</script> <ana@example.org>"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0",
        b"no header at all",
        b"Subject: only a header",
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n',
        b"Content-Type: text/plain; charset=no-such-charset\r\n\r\nwords \xff",
        b"Content-Transfer-Encoding: base64\r\n\r\n%%%%",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        + b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" * 3000,
        b"Subject: " + b"=?utf-8?b?" * 5000,
        b"Content-Disposition: attachment; filename*=utf-9''%ff\r\n\r\nx",
    ],
)
def test_a_broken_email_is_opened_as_far_as_it_goes(content: bytes) -> None:
    open_mail(content)


def test_emails_with_random_damage_are_opened() -> None:
    chance = random.Random(16)
    whole = built(TEXT, HTML, image(), kind=b"related")
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        open_mail(bytes(content[: chance.randint(1, len(content))]))


@pytest.mark.parametrize(
    "link",
    [
        '<a href="https://example.com/go">',
        "<A HREF=https://example.com/go>",
        '<a title="x>" ping="https://example.com/go" href=\'https://example.com/go\'>',
        '<svg><a xlink:href="https://example.com/go"></a></svg>',
        '<form action="https://example.com/go"><button formaction="https://example.com/go">',
        '<area href="https://example.com/go"><base href="https://example.com/go"><link href="https://example.com/go">',
    ],
)
def test_links_lead_nowhere_and_say_where_they_would(link: str) -> None:
    html = open_mail(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + link.encode() + b"words</a>").html
    assert "words" in html
    assert not re.search(r"(?:href|ping|action)\s*=", html, re.IGNORECASE)
    if link.lower().startswith("<a href"):
        assert 'title="https://example.com/go"' in html
