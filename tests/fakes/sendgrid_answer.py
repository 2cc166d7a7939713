"""An answer of the stand-in for SendGrid's API, in SendGrid's form."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.fakes.sendgrid_rules import ApiError


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def error(cls, status: int, message: str, *, of: str | None = None, **headers: str) -> "Answer":
        """An answer with one error in SendGrid's form; `of` is the field, header names have `_` for `-`."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls.errors(status, [ApiError(message, of)], headers=named)

    @classmethod
    def errors(cls, status: int, errors: Iterable[ApiError], *, headers: Mapping[str, str] | None = None) -> "Answer":
        """An answer that lists errors in SendGrid's form."""
        listed = [{"message": error.message, "field": error.field, "help": None} for error in errors]
        return cls(status=status, body=json.dumps({"errors": listed}).encode(), headers=headers or {})

    @classmethod
    def json(cls, status: int, content: object) -> "Answer":
        """An answer with a body of JSON."""
        return cls(status=status, body=json.dumps(content).encode())
