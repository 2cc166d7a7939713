"""Calls by which an agent would try to reach what it must not."""

import base64
import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from tests.system.test_contained import HOSTILE as HOSTILE_NAMES

Call = tuple[str, Mapping[str, Any]]

HOSTILE = [name for name in HOSTILE_NAMES if "\ud800" not in name]  # half of a character cannot be sent

ISSUES = (*["2026-02"] * 8, "2026-03", "linked")
PATHS = ("issue.yaml", "letter.md", "events/index.md", "events/workshop.md", "images/photo.png", "images/drawing.svg")
ELSEWHERE = (
    *("../../newsletter.toml", "../2026-03/letter.md", "newsletter.toml", "templates/base.mjml.j2", "../../list.csv"),
    *("images/link.png", "images/../issue.yaml", "link.md", "linked/x.md", "images/x.md", "images/x.toml", "x.toml"),
    *("Issue.yaml", "ISSUE.YAML", "i\u0073\u017fue.yaml", "images/.hidden.png", "Images/x.png", "new/x.md", "x.MD"),
    *("images/nul.png", "images/photo.png/x", "letter.md.", "letter.md ", "letter.md:x", "images/photo.jpg.py"),
)
TEXTS = (
    "Hello {{ email }} {{ first_name }} {{ last_name }}",
    "{{ email | default('x') }} {{ token }} {{ unsubscribe_url }} {{ preferences_url }} {{ attributes }}",
    "{% include '../../newsletter.toml' %} {{ config }} {{ ''.__class__.__mro__ }} {# x #}",
    "![a list](../../list.csv) ![x](/etc/passwd) ![x](images/link.png) ![x](file:///etc/passwd)",
    "![x](images/../../../list.csv) ![x](..%2f..%2flist.csv) ![x](images/photo.png 'decorative')",
    "[x](javascript:alert(1)) [x](http://169.254.169.254/) [x](http://127.0.0.1:25/?{{ email }}) <script>x</script>",
    "---\ntype: ../../templates/base\n---\nx",
    "---\ntype: text\nimage: ../../list.csv\n---\nx",
    "---\nx: !!python/object/apply:os.system ['touch /tmp/x']\n---\n",
    "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n",
    "---\n" + "[" * 5_000 + "\n---\n",
    "> " * 2_000 + "x",
    "*" * 20_000,
    "[" * 10_000 + "](" * 10_000,
    "a" * 400_000,
    "| a | b |\n| - | - |\n" + "| x | y |\n" * 500,
    "\ufeff---\n---\n\u202e{{ email }}\u2066",
    "x\0y",
    "",
    "ada@example.org is my address",
)
HEAD = "subject: x\npreheader: y\ndate: 2026-02-19\n"
SETTINGS = (
    f"{HEAD}sections:\n  - letter\n",
    f"{HEAD}sections:\n  - letter\n  - events\nwaive:\n  E1: x\n  R1: x\n  R2: x\n  H1: x\n",
    f"{HEAD}title: '{{{{ email }}}} {{{{ token }}}}'\nsections:\n  - section: letter\n    only: teachers\n  - events\n",
    f"{HEAD}sections:\n  - section: letter\n    only: vip\n  - events\n",
    f"{HEAD}sections:\n  - ../2026-03/letter\n  - /etc/passwd\n  - link\n  - linked\n",
    f"{HEAD}sections:\n  - section: letter\n    only: 'email = \"ada@example.org\"'\n",
    f'{HEAD}title: "x\\r\\nBcc: ada@example.org"\nsections: [letter]\n',
    f"{HEAD}language: ../../x\ntopics: [../x]\nsections: [letter, letter, events]\n",
    f"{HEAD}from: boss@example.org\nreply_to: boss@example.org\nprovider: sendgrid\nsections: [letter]\n",
    "a: &a [1]\nb: [*a, *a]\n",
    "{" * 3_000,
    "- x\n",
)
SEGMENTS = (
    *(
        "everyone",
        "teachers",
        "both",
        'email = "marker"',
        'tagged("x")',
        "everyone or true",
        "x' OR 1=1 --",
        "../x",
        "*",
    ),
    *("\x00", "e" * 100, "Everyone", "everyone ", "vip"),
)
TIMES = (
    "",
    "thursday 08:00",
    "in 2 hours",
    "2020-01-01 08:00",
    "9999-12-31 23:59",
    "x" * 100,
    "2026-03-29 02:30",
    "--yes",
)
WRONG = (
    None,
    1,
    -1,
    2**70,
    1.5,
    True,
    [],
    {},
    ["x"],
    {"x": "y"},
    "",
    "x" * 100_000,
    [[[[]]]],
    "\u0000",
    "\U0001f600",
)
UNKNOWN_TOOLS = (
    *(
        "send",
        "send_broadcast",
        "test",
        "approve",
        "approve_issue",
        "release_proposal",
        "subscribers",
        "list_subscribers",
    ),
    *("export", "read_database", "run", "", "../read_file", "read_file\0", "READ_FILE", "__init__", "x" * 10_000),
)


def small_png(width: int = 2, height: int = 2) -> bytes:
    """A small image."""
    target = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(target, "PNG")
    return target.getvalue()


def claiming_png(width: int, height: int) -> bytes:
    """A few bytes that claim to be an image of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def svg(inside: str, head: str = "") -> bytes:
    """A drawing with these elements."""
    name = "http://www.w3.org/2000/svg"
    link = "http://www.w3.org/1999/xlink"
    return f'{head}<svg xmlns="{name}" xmlns:xlink="{link}" width="9" height="9">{inside}</svg>'.encode()


PICTURES = (
    small_png(),
    claiming_png(60_000, 60_000),
    claiming_png(6_000, 6_000),
    small_png()[:40],
    b"GIF89a" + b"\0" * 20,
    b"#!/bin/sh\ntouch /tmp/x\n",
    b"<?php x ?>",
    b"",
    small_png() + b"<script>x</script>",
    svg('<rect width="9" height="9"/>'),
    svg('<image href="../../../list.csv" width="9" height="9"/>'),
    svg('<image xlink:href="file:///etc/passwd" width="9" height="9"/>'),
    svg("<style>@import url(file:///etc/passwd);</style><script>x</script>"),
    svg("&b;", '<!DOCTYPE svg [<!ENTITY a "x"><!ENTITY b SYSTEM "file:///etc/passwd">]>'),
    svg("<g>" * 3_000 + "</g>" * 3_000),
)


class HostileAgent:
    """Makes up one call after another. Every other call is valid, but for what its arguments say."""

    def __init__(self, seed: int, fingerprint: Callable[[str, str], str]) -> None:
        self._random = random.Random(seed)
        self._fingerprint = fingerprint  # of a file as it is now, or empty

    def valid_call(self) -> Call:
        """A call that a good agent could make, with hostile values."""
        made = self._random.choices((self._look, self._read, self._write, self._propose), weights=(2, 1, 3, 1))[0]
        return made(self._random.choice(ISSUES) if self._random.random() < 0.92 else self._name())

    def _look(self, issue: str) -> Call:
        one = self._random.choice
        tool = self._random.choices(("preview_issue", "check_issue", "build_issue"), weights=(1, 4, 4))[0]
        if tool == "preview_issue":
            return tool, {
                "issue": issue,
                "screen": one(("desktop", "tablet", "phone")),
                "scheme": one(("light", "dark")),
            }
        if tool == "check_issue":
            return tool, {"issue": issue, "in_browser": self._random.random() < 0.02}
        return tool, {"issue": issue, "variant": one(("", "", "", "everyone else", "teachers", "../x", "x" * 400))}

    def _read(self, issue: str) -> Call:
        tool = self._random.choice(("list_issues", "list_files", "read_file", "read_file"))
        if tool == "list_issues":
            return tool, {}
        return tool, {"issue": issue} if tool == "list_files" else {"issue": issue, "path": self._path()}

    def _write(self, issue: str) -> Call:
        one = self._random.choice
        kind = one(("image", "settings", "text", "text"))
        if kind == "image":
            path = self._path(("images/photo.png", "images/drawing.svg", "images/new.png"))
            content: Mapping[str, str] = {"data": base64.b64encode(one(PICTURES)).decode()}
        else:
            path = self._path() if kind == "text" else "issue.yaml"
            content = {"text": one(TEXTS if kind == "text" else SETTINGS)}
        tool = "write_image" if kind == "image" else "write_file"
        return tool, {"issue": issue, "path": path, "replaces": self._replaces(issue, path), **content}

    def _propose(self, issue: str) -> Call:
        one = self._random.choice
        when = {"at": one(TIMES), "local_time": self._random.random() < 0.2, "valid_hours": one((1, 72, 336))}
        return "propose_broadcast", {"issue": issue, "segment": one(SEGMENTS), **when}

    def wrong_call(self) -> Call:
        """A call with wrong arguments, or of a tool that does not exist."""
        one = self._random.choice
        tool, arguments = self.valid_call()
        changed = dict(arguments)
        match self._random.randrange(5):
            case 0:
                return one(UNKNOWN_TOOLS), changed
            case 1:
                return tool, {**changed, one(("x", "yes", "root", "email", "__class__", "a" * 1_000)): one(WRONG)}
            case 2 if changed:
                changed.pop(one(sorted(changed)))
                return tool, changed
            case _:
                return tool, {**changed, one(sorted(changed) or ["issue"]): one(WRONG)}

    def _name(self) -> str:
        return self._random.choice((*HOSTILE, "..", "2026-02/..", "2026-02/images", ".", "2026-02\0", "2026－02"))

    def _path(self, usual: tuple[str, ...] = PATHS) -> str:
        choice = self._random.random()
        if choice < 0.5:
            return self._random.choice(usual)
        return self._random.choice(ELSEWHERE if choice < 0.75 else HOSTILE)

    def _replaces(self, issue: str, path: str) -> str:
        if self._random.random() < 0.8:
            return self._fingerprint(issue, path)
        return self._random.choice(("", "0" * 64, "x", "\n"))
