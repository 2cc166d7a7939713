"""Carries out one call of a tool, whatever its arguments are, and clears the answer."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from newsletter.agents.files import require_issue_name
from newsletter.agents.outgoing import ToolAnswer, cleared
from newsletter.agents.tools import TOOLS, Desk, own_addresses
from newsletter.config import Config, load_config
from newsletter.errors import InputError, NewsletterError
from newsletter.render.memory import Memory
from newsletter.render.theme import Theme
from newsletter.system.file_errors import machine_trouble, place_trouble
from newsletter.system.log import LOGS_FOLDER
from newsletter.system.report import report_fault

_MOST_USES = 50  # of what is remembered between calls, which grows with every edit


class Caller:
    """Carries out the calls of one agent, one at a time.

    The settings are read again for each call, as a person may edit them in the meantime. What is remembered of a build
    is kept in memory, because an agent's calls write nowhere but in issues.
    """

    def __init__(self, root: Path, client: str) -> None:
        self._root = root
        self._client = client
        self._uses = 0
        self._theme = Theme(root, Memory())

    def answer(self, name: str, arguments: Mapping[str, object]) -> ToolAnswer:
        """Return the answer of a tool. Every error becomes an answer that says what is wrong and what to do."""
        try:
            config = load_config(self._root)
        except NewsletterError as err:
            return ToolAnswer(text=cleared(str(err), own=frozenset(), root=self._root), is_error=True)
        try:
            answer = self._answer(config, name, arguments)
        except NewsletterError as err:
            answer = ToolAnswer(text=str(err), is_error=True)
        except Exception as err:
            answer = ToolAnswer(text=_told(err, self._root, name), is_error=True)
        own = _own_addresses(config, arguments.get("issue"))
        return replace(answer, text=cleared(answer.text, own=own, root=self._root))

    def _answer(self, config: Config, name: str, arguments: Mapping[str, object]) -> ToolAnswer:
        tool = TOOLS.get(name)
        if tool is None:
            raise InputError(f"there is no tool {name[:60]!r}; the tools are {', '.join(TOOLS)}")
        try:
            asked = msgspec.convert(arguments, tool.takes)
        except msgspec.ValidationError as err:
            raise InputError(f"the arguments of {name} are wrong: {err}") from err
        desk = Desk(config=config, theme=self._remembered(), client=self._client, now=datetime.now(UTC))
        return asked.answer(desk)

    def _remembered(self) -> Theme:
        self._uses += 1
        if self._uses % _MOST_USES == 0:
            self._theme = Theme(self._root, Memory())
        return self._theme


def _own_addresses(config: Config, issue: object) -> frozenset[str]:
    with suppress(NewsletterError, OSError):
        if isinstance(issue, str) and issue:
            return own_addresses(config, require_issue_name(config, issue))
    return frozenset()


def _told(error: Exception, root: Path, name: str) -> str:
    """Return the answer after an unexpected error. The details are for the person, in a report."""
    if trouble := machine_trouble(error) or place_trouble(error):
        return trouble
    report_fault(error, root / LOGS_FOLDER, command=("newsletter", "mcp", name))
    return f"newsletter has a bug ({type(error).__name__}); a person finds a report about it in {LOGS_FOLDER}/"
