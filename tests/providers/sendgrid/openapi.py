"""SendGrid's published OpenAPI descriptions, and what they find wrong with a request or an answer."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILES = ("tsg_mail_v3.json", "tsg_scheduled_sends_v3.json", "tsg_logs_v3.json", "tsg_suppressions_v3.json")
_PARAMETER = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class Operation:
    """What may be done with an address, and the file that describes it."""

    file: str
    content: dict[str, Any]


class Descriptions:
    """The descriptions of mail, scheduled sends, logs and suppressions."""

    def __init__(self, folder: Path) -> None:
        documents = {name: _strict(json.loads((folder / name).read_text(encoding="utf-8"))) for name in FILES}
        self._registry: Registry[Any] = Registry().with_resources(
            (name, Resource.from_contents(document, default_specification=DRAFT202012))
            for name, document in documents.items()
        )
        self._documents = documents

    def mistakes_in_request(self, method: str, path: str, body: bytes) -> list[str]:
        """What is wrong with a request. Empty if the request matches the description."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not described"]
        described = self._resolved(operation, operation.content.get("requestBody", {}))
        if not described.content:
            return [f"{method} {path} takes no body"] if body else []
        return list(self._mistakes(described, body))

    def mistakes_in_query(self, method: str, path: str, query: Mapping[str, str]) -> list[str]:
        """What is wrong with the parameters after the `?`; nothing where they are as described."""
        operation = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not described"]
        listed = [self._resolved(operation, each).content for each in operation.content.get("parameters", [])]
        described = {each["name"]: each["schema"] for each in listed if each["in"] == "query"}
        mistakes = [f"{name} is not described" for name in query if name not in described]
        for name in query.keys() & described.keys():
            value = int(query[name]) if query[name].isdecimal() else query[name]
            found = Draft202012Validator(described[name]).iter_errors(value)
            mistakes += [f"{name}: {error.message}" for error in found]
        return mistakes

    def mistakes_in_answer(self, method: str, path: str, status: int, body: bytes) -> list[str]:
        """What is wrong with an answer. Empty if the answer matches the description."""
        operation = self._operation(method, path)
        answers = operation.content["responses"] if operation else {}
        if operation is None or str(status) not in answers:
            return [f"{method} {path} has no answer {status}"]
        return list(self._mistakes(self._resolved(operation, answers[str(status)]), body))

    def _operation(self, method: str, path: str) -> Operation | None:
        """The description of the most exact address that a path fits."""
        for name, document in self._documents.items():
            for place, methods in sorted(document["paths"].items(), key=lambda item: "{" in item[0]):
                if re.fullmatch(_PARAMETER.sub("[^/]+", place), path) and method.lower() in methods:
                    return Operation(name, methods[method.lower()])
        return None

    def _resolved(self, operation: Operation, content: dict[str, Any]) -> Operation:
        if "$ref" not in content:
            return Operation(operation.file, content)
        resolver = self._registry.resolver(base_uri=operation.file)
        return Operation(operation.file, resolver.lookup(content["$ref"]).contents)

    def _mistakes(self, described: Operation, body: bytes) -> Iterator[str]:
        """`described` is a request's body or an answer."""
        if "content" not in described.content:
            if body:
                yield "there is a body"
            return
        schema = _located(described.content["content"]["application/json"]["schema"], described.file)
        validator = Draft202012Validator(schema, registry=self._registry, format_checker=FormatChecker(["email"]))
        for error in validator.iter_errors(json.loads(body)):
            yield f"{error.json_path}: {error.message[:200]}"


def _strict(document: Any) -> Any:
    """The document with every object closed whose properties it lists: a field that it does not know is a mistake."""
    if isinstance(document, list):
        return [_strict(one) for one in document]
    if not isinstance(document, dict):
        return document
    closed = {key: _strict(value) for key, value in document.items()}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _located(schema: Any, file: str) -> Any:
    """The schema on its own: what it refers to is in the file that it was taken from."""
    if isinstance(schema, list):
        return [_located(one, file) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"{file}{value}" if key == "$ref" and value.startswith("#") else _located(value, file)
        for key, value in schema.items()
    }
