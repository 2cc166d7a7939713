"""What changed in an issue since it was approved, or since another issue: in words, and marked in the two emails."""

from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import quote, urlencode

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.content.loader import issue_headings
from newsletter.errors import InputError
from newsletter.language.clock import show_zoned
from newsletter.model.ledger import Approval
from newsletter.model.rendered import with_picture_addresses
from newsletter.model.review import ShownVariant
from newsletter.store.approvals import last_approval
from newsletter.web.studio.proofs import IssueProof
from newsletter.web.studio.studio import Studio, opened
from newsletter.web.studio.templates import page
from newsletter.workflows.compose.blocks import with_attributes
from newsletter.workflows.compose.compose import Composed
from newsletter.workflows.compose.difference import Aspect, ChangeKind, Difference, difference_of
from newsletter.workflows.compose.kept import KeptContent, content_now, find_kept

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_MOST_CONTENTS = 4
# The marks have a line of their own kind each, so that they can be told apart without colors.
_LINES = {
    ChangeKind.ADDED: "2px solid",
    ChangeKind.REMOVED: "2px dotted",
    ChangeKind.CHANGED: "2px dashed",
    ChangeKind.MOVED: "4px double",
}
_MARKS = (
    ":root{--mark:#9C3353}@media(prefers-color-scheme:dark){:root{--mark:#F2A7BA}}"
    "[data-change]{outline-offset:1px!important;scroll-margin:80px}"
) + "".join(f'[data-change="{kind}"]{{outline:{line} var(--mark)!important}}' for kind, line in _LINES.items())


class Against(StrEnum):
    """What an issue is compared with."""

    APPROVED = "approved"  # its own content when it was last approved
    LAST = "last"  # the issue before it
    OTHER = "other"  # an issue that was chosen


class _Side(Struct, frozen=True, kw_only=True):
    """One of the two emails."""

    name: str
    content: KeptContent


class _Compared(Struct, frozen=True, kw_only=True):
    """An issue and what it is compared with. Without `before`, `why_not` says why there is nothing to compare with."""

    proof: IssueProof
    against: Against
    other: str
    label: str  # of the version
    marks: bool
    after: _Side | None
    before: _Side | None
    why_not: str

    @property
    def query(self) -> str:
        """The choices, as the query of a URL."""
        chosen = {"against": self.against, "other": self.other, "for": self.label, "marks": "" if self.marks else "off"}
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def variants(self) -> tuple[ShownVariant, ShownVariant] | None:
        """The chosen version of both."""
        if self.before is None or self.after is None:
            return None
        return _version(self.before.content, self.label), _version(self.after.content, self.label)


def routes(studio: Studio) -> list[BaseRoute]:
    """Return the routes of the page with the differences, of the two emails on it, and of their images."""
    pages = _DifferencePages(studio)
    return [
        Route("/-/compare", pages.compare),
        Route("/{issue}/difference", pages.page),
        Route("/{issue}/difference/{side:str}.html", pages.mail),
        Route("/{issue}/difference/pictures/{name}", pages.picture),
    ]


class _DifferencePages:
    """The request handlers. They run in threads, because they may compose two issues."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._contents: dict[str, tuple[Composed, KeptContent]] = {}  # of the issues that were shown last
        self._found: tuple[tuple[ShownVariant, ShownVariant], Difference] | None = None

    def compare(self, request: Request) -> Response:
        """Redirect to the page that shows two issues side by side."""
        issues = self._studio.proofs.issues()
        left, right = request.query_params.get("left", ""), request.query_params.get("right", "")
        if left not in issues or right not in issues:
            return RedirectResponse("/-/shelf", status_code=303)
        query = urlencode({"against": Against.OTHER, "other": left})
        return RedirectResponse(f"/{quote(right)}/difference?{query}", status_code=303)

    def page(self, request: Request) -> Response:
        """Return the page with the differences in words and the two emails."""
        compared = self._compared(request)
        found = self._difference(compared)
        sides = (compared.before, compared.after)
        labels = dict.fromkeys(each.label for side in sides if side for each in side.content.variants)
        return page(
            self._studio,
            "difference.html.j2",
            issue=compared.proof.issue,
            title=compared.proof.composed.issue.shown_title if compared.proof.composed else compared.proof.issue,
            compared=compared,
            found=found,
            labels=tuple(labels) if len(labels) > 1 else (),
            others=tuple(
                name for name in reversed(tuple(self._studio.proofs.issues())) if name != compared.proof.issue
            ),
            summary=_summary(compared, found),
            told=_told,
        )

    def mail(self, request: Request) -> Response:
        """Return one of the two emails, with what changed marked."""
        compared = self._compared(request)
        side, variants, found = request.path_params["side"], compared.variants, self._difference(compared)
        if side not in {"before", "after"} or variants is None or found is None:
            raise HTTPException(404, "There is no such email.\n")
        is_after = side == "after"
        shown, content = (variants[1], compared.after) if is_after else (variants[0], compared.before)
        marks = (found.marks_after if is_after else found.marks_before) if compared.marks else {}
        anchors = {pair[is_after]: number for number, pair in enumerate(found.anchors)}
        html = with_attributes(
            shown.html,
            (
                (number, f'id="block-{number}"' + _attributes(anchors.get(number), marks.get(number)))
                for number in range(len(shown.blocks))
            ),
        )
        html = html.replace("</head>", f"<style>{_MARKS}</style></head>", 1)
        names = [each.name for each in content.content.pictures] if content else []
        prefix = f"/{quote(compared.proof.issue)}/difference/pictures/"
        addresses = {name: f"{prefix}{quote(name)}?{compared.query}" for name in names}
        return HTMLResponse(with_picture_addresses(html, addresses), headers={"Content-Security-Policy": _POLICY})

    def picture(self, request: Request) -> Response:
        """Return an image of one of the emails. It is looked up by name among their images, never on the disk."""
        compared = self._compared(request)
        for side in (compared.before, compared.after):
            for picture in side.content.pictures if side else ():
                if picture.name == request.path_params["name"] and picture.content_type.startswith("image/"):
                    return Response(picture.content, media_type=picture.content_type)
        raise HTTPException(404, "There is no such image.\n")

    def _compared(self, request: Request) -> _Compared:
        proofs, query = self._studio.proofs, request.query_params
        proof = self._proof(request.path_params["issue"])
        approval, kept = self._approved(proof)
        wanted = query.get("against", Against.APPROVED if approval else Against.LAST)
        against = Against(wanted) if wanted in set(Against) else Against.LAST
        other = query.get("other", "") if against is Against.OTHER else ""
        if against is Against.LAST:
            other = self._last(proof)
        before, why_not = None, ""
        if against is Against.APPROVED:
            before, why_not = _approved_side(approval, kept, proof.config.settings.newsletter.timezone)
        elif other in proofs.issues():
            before, why_not = self._side(self._proof(other))
        else:
            why_not = "There is no earlier issue." if against is Against.LAST else "There is no such issue."
        after, broken = self._side(proof)
        return _Compared(
            proof=proof,
            against=against,
            other=other if against is Against.OTHER else "",
            label=query.get("for", ""),
            marks=query.get("marks", "on") != "off",
            after=after,
            before=before,
            why_not=broken or why_not,
        )

    def _approved(self, proof: IssueProof) -> tuple[Approval | None, KeptContent | None]:
        """Return the last approval of an issue, and the content that was approved if it was kept."""
        if not proof.config.has_database:
            return None, None
        with opened(proof.config) as database:
            approval = last_approval(database, proof.issue)
            if approval is None:
                return None, None
            with database.read() as connection:
                return approval, find_kept(proof.config, connection, proof.issue, approval.content_hash)

    def _last(self, proof: IssueProof) -> str:
        """Return the name of the issue before this one, or an empty string."""
        names = [heading.name for heading in issue_headings(proof.config)]
        at = names.index(proof.issue) if proof.issue in names else 0
        return names[at - 1] if at else ""

    def _side(self, proof: IssueProof) -> tuple[_Side | None, str]:
        if proof.composed is None:
            return None, f"The issue {proof.issue} cannot be built yet. Fix its errors first."
        name = f"{proof.composed.issue.shown_title} ({proof.issue})"
        return _Side(name=name, content=self._content(proof.issue, proof.composed)), ""

    def _content(self, issue: str, composed: Composed) -> KeptContent:
        """Return the content of an issue. It is made once for the page, both emails and all images."""
        known = self._contents.get(issue)
        if known is not None and known[0] is composed:
            return known[1]
        content = content_now(composed)
        others = [(name, each) for name, each in self._contents.items() if name != issue]
        self._contents = {**dict(others[1 - _MOST_CONTENTS :]), issue: (composed, content)}
        return content

    def _difference(self, compared: _Compared) -> Difference | None:
        variants, composed = compared.variants, compared.proof.composed
        if variants is None or composed is None:
            return None
        last = self._found
        if last is None or last[0] != variants:
            last = self._found = variants, difference_of(*variants, language=composed.issue.language)
        return last[1]

    def _proof(self, issue: str) -> IssueProof:
        try:
            return self._studio.proofs.proof(issue)
        except InputError as err:
            raise HTTPException(404, f"{err}\n") from err


def _approved_side(approval: Approval | None, kept: KeptContent | None, zone: str) -> tuple[_Side | None, str]:
    if approval is None:
        return None, "No one has approved this issue yet."
    name = f"Approved by {approval.by} on {show_zoned(approval.at, zone)}"
    if kept is None:
        return None, f"{name}. This content was not kept on this computer. From the next approval on, it is."
    return _Side(name=name, content=kept), ""


def _version(content: KeptContent, label: str) -> ShownVariant:
    """Return the version for some readers, or the fullest one if there is none for them."""
    return next((each for each in content.variants if each.label == label), content.variants[0])


def _attributes(anchor: int | None, mark: ChangeKind | None) -> str:
    return (f' data-anchor="{anchor}"' if anchor is not None else "") + (f' data-change="{mark}"' if mark else "")


def _summary(compared: _Compared, found: Difference | None) -> str:
    """Return in one sentence what changed."""
    if found is None:
        return ""
    if not found.is_empty:
        kinds = [(kind, sum(each.kind is kind for each in found.sections)) for kind in ChangeKind]
        return _sentence([f"{count} {'part' if count == 1 else 'parts'} {kind}" for kind, count in kinds if count])
    if compared.before and compared.after and compared.before.content != compared.after.content:
        return "No words, links or images changed. Something else did, such as the layout or the footer."
    return "Nothing changed."


def _sentence(parts: Sequence[str]) -> str:
    text = ", ".join(parts) or "Only the lines in the inbox changed"
    return f"{text}."


_TOLD = {
    (ChangeKind.ADDED, Aspect.IMAGE): "Image added",
    (ChangeKind.REMOVED, Aspect.IMAGE): "Image removed",
    (ChangeKind.CHANGED, Aspect.IMAGE): "Image replaced",
    (ChangeKind.CHANGED, Aspect.DESCRIPTION): "Image described differently",
    (ChangeKind.CHANGED, Aspect.DATE): "Date or time changed",
    (ChangeKind.CHANGED, Aspect.LINK): "Link changed",
    (ChangeKind.CHANGED, Aspect.WORDS): "Words changed",
}


def _told(kind: ChangeKind, aspect: Aspect) -> str:
    """Return what happened to a block, as a few words."""
    return _TOLD.get((kind, aspect), f"{kind.capitalize()}")
