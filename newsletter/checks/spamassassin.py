"""The spam score (J1): the points that SpamAssassin gives the finished email, using only the rules on this machine.

SpamAssassin gets the same message as the provider. No server has relayed it yet, so it has no `Received` header, and we
do not invent one. Without it, SpamAssassin does not compare the date with a clock, and does not rate a server whose
reputation cannot be known here.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from tempfile import TemporaryDirectory

from msgspec import Struct

from newsletter.checks.base import CheckContext, Circumstances, Probed, Problem
from newsletter.errors import CannotRunError
from newsletter.model.finding import Place, Severity
from newsletter.system.environment import bare_surroundings

BLOCKING_SCORE = (
    2.0  # At 5 points most servers call an email spam. They add points for reputation, which cannot be measured here.
)
GOOD_SCORE = 0.5
TIMEOUT_SECONDS = 120
_RULE = "J1"
_BEGIN = "newsletter-report-begins"
_REPORT = ("report_safe 0", "clear_report_template", f"report {_BEGIN}", "report _TESTSSCORES_", "report _SUMMARY_")
_SUMMARY_LINE = re.compile(r"^\s*-?\d+(?:\.\d+)?\s+(?P<name>[A-Z0-9_]+)\s+(?P<words>\S.*)$")
_PART = re.compile(r"^(?:BODY|RAW|URI|FULL): ")
# A line of the debug log about a rule that matched text. The name of a subrule begins with __ and the rule's name.
_HIT = re.compile(r'ran \w+ rule (?:__)?(?P<name>[A-Z0-9_]+) ======> got hit: "(?P<text>.*)"$', re.MULTILINE)
_NO_WORDS = "No description available"
_LONGEST_HIT = 60  # characters
_LEAST_POINTS = 0.05  # Purely informational rules score a thousandth of a point.


class SpamRule(Struct, frozen=True, kw_only=True):
    """A SpamAssassin rule that matched the email."""

    name: str
    score: float
    words: str  # SpamAssassin's description of the rule
    text: str  # the text in the email that matched; empty if unknown


def examine(context: CheckContext, _: Circumstances) -> Probed:
    """Report each rule that scores points, if the total is more than half a point.

    Raise CannotRunError if SpamAssassin is not installed or fails.
    """
    rules = rules_set_off(context.subject.message)
    total = round(sum(rule.score for rule in rules), 1)
    if total <= GOOD_SCORE:
        return Probed()
    severity = Severity.ERROR if total >= BLOCKING_SCORE else Severity.WARNING
    return Probed(problems=tuple((_RULE, problem) for problem in _problems(rules, total, severity, context)))


def rules_set_off(message: bytes) -> tuple[SpamRule, ...]:
    """Return all rules that match a message, those with the most points first.

    Raise CannotRunError if SpamAssassin is not installed or fails.
    """
    program = shutil.which("spamassassin")
    if program is None:
        raise CannotRunError(
            "SpamAssassin is not installed; install it, for example with `apt-get install spamassassin` on Debian"
        )
    settings = [f"--cf={line}" for line in _REPORT]
    with TemporaryDirectory(prefix="newsletter-spamassassin-", ignore_cleanup_errors=True) as home:
        # The home folder is empty, because a user's own training and allow list say nothing about other inboxes.
        surroundings = {**bare_surroundings(os.environ), "HOME": home, "LC_ALL": "C"}
        try:
            done = subprocess.run(  # noqa: S603 - the program is found in the PATH, its arguments are ours
                [program, "--local", "--test-mode", "--nocreate-prefs", "--debug=rules", *settings],
                input=message,
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
                env=surroundings,
                check=False,
            )
        except subprocess.TimeoutExpired as err:
            what = f"SpamAssassin took more than {TIMEOUT_SECONDS} seconds"
            raise CannotRunError(f"{what}; run `spamassassin --lint` to see whether it works") from err
        except OSError as err:
            what = f"SpamAssassin does not start ({err.strerror})"
            raise CannotRunError(f"{what}; run `spamassassin --lint` to see whether it works") from err
    said, log = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    _, begun, report = said.rpartition(_BEGIN)
    if done.returncode or not begun or not report.strip():
        last = (log.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CannotRunError(f"SpamAssassin failed ({last}); run `spamassassin --lint` and fix what it reports")
    return _read_report(report, log)


def _read_report(report: str, log: str) -> tuple[SpamRule, ...]:
    scores, *summary = report.strip().splitlines()
    hits = [(hit["name"], hit["text"].strip()) for hit in _HIT.finditer(log)]
    words = _words_of_rules(summary)
    rules = []
    for entry in scores.strip().split(","):
        name, _, score = entry.partition("=")
        if score:
            text = next((text for hit, text in hits if hit.startswith(name)), "")
            rules.append(SpamRule(name=name, score=float(score), words=words.get(name, ""), text=text))
    return tuple(sorted(rules, key=lambda rule: (-rule.score, rule.name)))


def _words_of_rules(summary: Iterable[str]) -> dict[str, str]:
    """Return the description of each rule in a summary, by name. A long description continues on the next lines."""
    words: dict[str, str] = {}
    name = ""
    for line in summary:
        if match := _SUMMARY_LINE.match(line):
            name = match["name"]
            words[name] = "" if match["words"].startswith(_NO_WORDS) else _PART.sub("", match["words"]).strip()
        elif name and line.strip():
            words[name] = f"{words[name]} {line.strip()}"
        else:
            name = ""
    return words


def _problems(rules: Iterable[SpamRule], total: float, severity: Severity, context: CheckContext) -> Iterator[Problem]:
    for rule in rules:
        if rule.score < _LEAST_POINTS:
            continue
        text = rule.text if len(rule.text) <= _LONGEST_HIT else f"{rule.text[:_LONGEST_HIT]}…"
        meaning = f": {rule.words}" if rule.words else ""
        seen = f", at “{text}”" if text else ""
        yield Problem(
            severity=severity,
            place=_place_of(rule, context),
            what=f"SpamAssassin gives {rule.score:g} of {total:g} spam points for {rule.name}{meaning}{seen}",
            remedy="change the text or setting that the rule is about, "
            f"and aim for at most {GOOD_SCORE:g} points in total",
        )


def _place_of(rule: SpamRule, context: CheckContext) -> Place:
    """Return the place of the text that matched a rule, of the header that the rule is about, or of the issue."""
    if rule.text and (place := context.sources.place_of_text(rule.text)):
        return place
    about = f"{rule.name} {rule.words}".upper()
    if "SUBJ" in about or "FAKE REPLY" in about:
        return context.subject.issue.source.at("subject")
    if "REPLYTO" in about.replace("-", "").replace("_", ""):
        return context.config_place("newsletter", "reply_to")
    if rule.name.startswith("FROM_") or rule.words.startswith("From"):
        return context.config_place("newsletter", "from")
    return context.issue_place
