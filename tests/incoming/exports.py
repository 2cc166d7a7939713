"""Small exports of five tools, in the documented shapes."""

import json
from io import BytesIO
from zipfile import ZipFile

EMAIL = (
    '<html><head><title>Spring news</title><style>p{}</style></head><body><div style="display:none">preview text</div>'
    '<table><tr><td><a href="*|ARCHIVE|*">View this email in your browser</a></td></tr></table>'
    '<h1>Spring</h1><p>Dear *|FNAME|*, {{ subscriber.first_name | default: "friend" }}, <b>welcome</b>.</p>'
    '<p><a href="https://example.us1.list-manage.com/track/click?u=1&amp;id=2">a link</a> and '
    '<a href="https://example.org/page?utm_source=mail&amp;a=1">another</a></p>'
    '<img src="https://example.org/photo.jpg" alt="A photo"><img src="gallery/tree.png" alt="A tree">'
    '<img src="https://example.us1.list-manage.com/track/open.php?u=1" width="1" height="1">'
    "<script>alert(1)</script><p>Ours. <a href='*|UNSUB|*'>Unsubscribe</a></p></body></html>"
)
POSTS = (
    "\ufeffpost_id,post_date,is_published,email_sent_at,type,audience,title,subtitle,podcast_url\r\n"
    "11.spring-news,2024-03-05T10:00:00.000Z,true,,newsletter,everyone,Spring news,What grows,\r\n"
    "12.for-friends,2024-04-05T10:00:00.000Z,true,,newsletter,only_paid,For friends,,\r\n"
    "13.draft,,false,,newsletter,everyone,A draft,,\r\n"
    "14.thread,2024-04-06T10:00:00.000Z,true,,thread,everyone,A thread,,\r\n"
)
_GHOST = {
    "db": [
        {
            "meta": {"exported_on": 1},
            "data": {
                "posts": [
                    {"title": "Spring news", "slug": "spring", "html": '<p>Hi {first_name, "there"}</p>',
                     "status": "published", "type": "post", "visibility": "public",
                     "published_at": "2024-03-05T10:00:00.000Z"},
                    {"title": "By email", "slug": "by-email", "html": "<p>Hello</p>", "status": "sent", "type": "post",
                     "visibility": "public", "published_at": "2024-03-06T10:00:00.000Z"},
                    {"title": "About", "slug": "about", "html": "<p>a</p>", "status": "published", "type": "page"},
                ]
            },
        }
    ]
}  # fmt: skip
_KIT = {"broadcast": {"id": 1, "subject": "Spring news", "content": EMAIL, "published_at": "2024-03-05T10:00:00Z"}}
_BUTTONDOWN = [{"id": "a", "subject": "Spring news", "publish_date": "2024-03-05 10:00:00+00:00", "slug": "spring"}]


def zipped(files: dict[str, str | bytes]) -> bytes:
    """Return a zip file."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


EXPORTS: dict[str, tuple[str, bytes]] = {
    "substack": (
        "export.zip",
        zipped(
            {
                "posts.csv": POSTS,
                "posts/11.spring-news.html": '<p>Text</p><div class="subscription-widget-wrap">x</div>',
                "posts/12.for-friends.html": "<p>More</p>",
                "../../evil.html": "<p>evil</p>",
            }
        ),
    ),
    "buttondown": (
        "export.zip",
        zipped(
            {
                "emails.json": json.dumps(_BUTTONDOWN),
                "emails/spring.md": "<!-- buttondown-editor-mode: plaintext -->\n# Spring\n\nHello **you**",
            }
        ),
    ),
    "ghost": ("ghost.json", json.dumps(_GHOST).encode()),
    "kit": ("broadcast.json", json.dumps(_KIT).encode()),
    "mailchimp": (
        "export.zip",
        zipped(
            {
                "campaigns.csv": 'Title,Subject,Send Date,Unique Id\nSpring,Spring news,"Mar 05, 2024",abc123\n',
                "campaigns_content/abc123_spring.html": EMAIL,
                "campaigns_content/gallery/tree.png": b"\x89PNG not really",
            }
        ),
    ),
}
