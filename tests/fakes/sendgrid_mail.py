"""The emails of a request that SendGrid's API accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AcceptedMail:
    """What one recipient would get."""

    email: str
    name: str
    sender: str
    reply_to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    custom_args: Mapping[str, str]
    categories: tuple[str, ...]
    attachments: tuple[Mapping[str, str], ...]
    message_id: str  # of the request
    number: int  # within the request
    queued_at: datetime
    send_at: datetime | None
    batch_id: str

    @property
    def sg_message_id(self) -> str:
        """The id of this one message: it begins with that of the request."""
        return f"{self.message_id}.recvd-fake-{self.number}"

    @property
    def is_held(self) -> bool:
        """Whether it was taken ahead of its time."""
        return self.send_at is not None and self.send_at > self.queued_at

    @property
    def leaves_at(self) -> datetime:
        """When it leaves, unless it is taken back: a past `send_at` is no reason to wait."""
        return self.send_at if self.send_at is not None and self.is_held else self.queued_at


def is_sandbox(request: Mapping[str, Any]) -> bool:
    """Whether the request is only to be validated."""
    return bool(request.get("mail_settings", {}).get("sandbox_mode", {}).get("enable", False))


def mails_of(request: Mapping[str, Any], message_id: str, *, now: datetime) -> list[AcceptedMail]:
    """The emails of a valid request."""
    bodies = {part["type"]: part["value"] for part in request["content"]}
    return [
        AcceptedMail(
            email=to["email"],
            name=to.get("name", ""),
            sender=request["from"]["email"],
            reply_to=request.get("reply_to", {}).get("email", ""),
            subject=_substituted(one.get("subject", request.get("subject", "")), one),
            text=_substituted(bodies.get("text/plain", ""), one),
            html=_substituted(bodies.get("text/html", ""), one),
            headers={**request.get("headers", {}), **one.get("headers", {})},
            custom_args={**request.get("custom_args", {}), **one.get("custom_args", {})},
            categories=tuple(request.get("categories", ())),
            attachments=tuple(request.get("attachments", ())),
            message_id=message_id,
            number=number,
            queued_at=now,
            send_at=_moment(one.get("send_at", request.get("send_at"))),
            batch_id=request.get("batch_id", ""),
        )
        for number, one in enumerate(request["personalizations"])
        for to in one["to"]
    ]


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _substituted(text: str, personalization: Mapping[str, Any]) -> str:
    """One tag after the other, so that a value which holds a later tag shows: the worst that can be expected."""
    for tag, value in personalization.get("substitutions", {}).items():
        text = text.replace(tag, value)
    return text
