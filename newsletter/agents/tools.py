"""The tools of an agent, and how one call is carried out. None of them sends, tests, approves or opens the list."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from shlex import quote
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from newsletter import install_hint
from newsletter.agents.files import list_files, list_issues, read_file, texts_of, write_image, write_text
from newsletter.agents.mail import build_issue, check_issue, require_folder, require_shown
from newsletter.agents.outgoing import ToolAnswer, addresses_in, cleared
from newsletter.config import Config
from newsletter.errors import CannotRunError, InputError
from newsletter.language.clock import say_moment, show_zoned
from newsletter.language.counts import count_of
from newsletter.render.theme import Theme
from newsletter.store.opening import open_database
from newsletter.workflows.proposals import ProposalDraft, propose_broadcast

_WIDTHS = {"desktop": 800, "tablet": 600, "phone": 375}
Issue = Annotated[str, Meta(description="The name of an issue, for example 2026-02.", min_length=1, max_length=200)]
Path_ = Annotated[
    str,
    Meta(
        description="A file in the issue: issue.yaml, letter.md, events/workshop.md or images/photo.jpg.",
        min_length=1,
        max_length=400,
    ),
]
Replaces = Annotated[
    str, Meta(description="The fingerprint that read_file gave, or nothing for a new file.", max_length=64)
]
Variant = Annotated[
    str, Meta(description="Who gets it, as build_issue lists them. Default: the most complete.", max_length=400)
]


class Desk(Struct, frozen=True, kw_only=True):
    """What a call works with."""

    config: Config
    theme: Theme
    client: str  # the name of the agent's program
    now: datetime


class Arguments(Struct, forbid_unknown_fields=True):
    """The arguments of a tool."""

    def answer(self, desk: Desk) -> ToolAnswer:
        """Carry out the call."""
        raise NotImplementedError


class OfIssue(Arguments):
    """The arguments of a tool that works with one issue."""

    issue: Issue


class ListIssues(Arguments):
    """List all issues, with the date and subject of each, and the names of the segments."""

    def answer(self, desk: Desk) -> ToolAnswer:
        return list_issues(desk.config)


class ListFiles(OfIssue):
    """List the files of an issue: issue.yaml, its Markdown files and its images."""

    def answer(self, desk: Desk) -> ToolAnswer:
        return list_files(desk.config, self.issue)


class ReadFile(OfIssue):
    """Read a file of an issue. The answer begins with its fingerprint, which you need to change the file."""

    path: Path_

    def answer(self, desk: Desk) -> ToolAnswer:
        return read_file(desk.config, self.issue, self.path)


class WriteFile(OfIssue):
    """Write issue.yaml or a Markdown file of an issue. The whole text is replaced."""

    path: Path_
    text: Annotated[str, Meta(description="The new text of the file.", max_length=500_000)]
    replaces: Replaces = ""

    def answer(self, desk: Desk) -> ToolAnswer:
        return write_text(desk.config, self.issue, self.path, self.text, replaces=self.replaces)


class WriteImage(OfIssue):
    """Write an image of an issue into images/: JPEG, PNG, GIF, SVG, WebP, AVIF, TIFF or BMP, at most 10 MB."""

    path: Path_
    data: Annotated[str, Meta(description="The bytes of the image in Base64.", max_length=14_000_000)]
    replaces: Replaces = ""

    def answer(self, desk: Desk) -> ToolAnswer:
        return write_image(desk.config, self.issue, self.path, self.data, replaces=self.replaces)


class CheckIssue(OfIssue):
    """Check an issue for mistakes in its files and problems in the finished email, each with its file and line.

    Nothing is requested from the network, so links are not tested.
    """

    in_browser: Annotated[
        bool, Meta(description="Also check contrast and narrow screens in a browser. This takes some seconds.")
    ] = False

    def answer(self, desk: Desk) -> ToolAnswer:
        return check_issue(desk.config, self.issue, desk.theme, in_browser=self.in_browser, now=desk.now)


class BuildIssue(OfIssue):
    """Show an issue's email as a reader with no known details gets it: subject, plain text and HTML."""

    variant: Variant = ""

    def answer(self, desk: Desk) -> ToolAnswer:
        return build_issue(desk.config, self.issue, self.variant, desk.theme, now=desk.now)


class PreviewIssue(OfIssue):
    """Show a picture of an issue's email, drawn in a browser for a reader with no known details."""

    screen: Annotated[Literal["desktop", "tablet", "phone"], Meta(description="The width of the screen.")] = "desktop"
    scheme: Annotated[Literal["light", "dark"], Meta(description="The reader's color scheme.")] = "light"
    variant: Variant = ""

    def answer(self, desk: Desk) -> ToolAnswer:
        shown = require_shown(desk.config, self.issue, self.variant, desk.theme, now=desk.now)
        try:  # a late import: without the extra there is no browser, and all other tools work
            from newsletter.agents.drawing import draw_email
        except ImportError as err:
            raise CannotRunError(f"pictures need a browser; a person can run: {install_hint('browser')}") from err
        # A picture cannot be cleared of addresses, so what it shows is cleared before.
        html = cleared(shown.html, own=own_addresses(desk.config, self.issue), root=desk.config.root)
        is_dark = self.scheme == "dark"
        return draw_email(html, shown.composed.rendered, width=_WIDTHS[self.screen], is_dark=is_dark)


class ProposeBroadcast(OfIssue):
    """Propose to send an issue to a segment. Nothing is sent: a person sees the proposal, and sends it or not.

    The proposal is void as soon as the issue is changed, and when it expires. A new one replaces the earlier proposal
    of the same issue and segment.
    """

    segment: Annotated[
        str, Meta(description="The name of a segment, as list_issues shows them.", min_length=1, max_length=100)
    ]
    at: Annotated[
        str, Meta(description="When, for example `thursday 08:00`. Default: when a person sends it.", max_length=100)
    ] = ""
    local_time: Annotated[bool, Meta(description="Send at that time in each subscriber's own time zone.")] = False
    valid_hours: Annotated[int, Meta(description="After how many hours the proposal expires.", ge=1, le=336)] = 72

    def answer(self, desk: Desk) -> ToolAnswer:
        wish = ProposalDraft(
            folder=require_folder(desk.config, self.issue),
            segment=self.segment,
            at=self.at,
            is_local_time=self.local_time,
            valid_for=timedelta(hours=self.valid_hours),
            by=desk.client,
        )
        if not desk.config.has_database:
            raise InputError("there is no list yet; a person can import one: newsletter subscribers import list.csv")
        with open_database(desk.config.database, workspace=desk.config.root) as database:
            try:
                made = propose_broadcast(desk.config, database, wish, theme=desk.theme, now=desk.now)
            except InputError as err:  # as the command line names the arguments
                raise InputError(str(err).replace("--at", "at").replace("--local-time", "local_time")) from err
        schedule = made.schedule
        when = say_moment(schedule.moment_in(schedule.zone), schedule.zone, now=desk.now) if schedule else "at once"
        expires = show_zoned(made.expires_at, desk.config.settings.newsletter.timezone)
        lines = (
            f"Proposal {made.id}: {made.issue} to {made.segment}, {count_of(made.recipients, 'subscriber')}, {when}.",
            f"Nothing was sent. A person can send it with: newsletter send {quote(made.issue)} --proposal {made.id}",
            f"It expires on {expires}, and is void if the issue is changed.",
        )
        return ToolAnswer(text="\n".join(lines))


class Tool(Struct, frozen=True, kw_only=True):
    """A tool: the arguments that it takes, whether it changes something, and how long a call may take."""

    takes: type[Arguments]
    changes: bool = False
    seconds: float = 60

    @property
    def about(self) -> str:
        """What it does, for an agent."""
        return " ".join((self.takes.__doc__ or "").split())

    @property
    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its arguments."""
        _, definitions = msgspec.json.schema_components([self.takes])
        schema: dict[str, Any] = definitions[self.takes.__name__]
        return schema


TOOLS: Mapping[str, Tool] = {
    "list_issues": Tool(takes=ListIssues),
    "list_files": Tool(takes=ListFiles),
    "read_file": Tool(takes=ReadFile),
    "write_file": Tool(takes=WriteFile, changes=True),
    "write_image": Tool(takes=WriteImage, changes=True),
    "check_issue": Tool(takes=CheckIssue, seconds=150),
    "build_issue": Tool(takes=BuildIssue),
    "preview_issue": Tool(takes=PreviewIssue, seconds=150),
    "propose_broadcast": Tool(takes=ProposeBroadcast, changes=True),
}


def own_addresses(config: Config, issue: str) -> frozenset[str]:
    """Return the addresses that an agent may see: those in the texts of the issue, which it can read anyway."""
    return addresses_in(texts_of(config, issue))
