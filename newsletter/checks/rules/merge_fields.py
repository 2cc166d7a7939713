"""Whether every merge field finds a value."""

from collections.abc import Iterable

from newsletter.checks.base import Evidence, Fault, error, warning
from newsletter.model.slots import LINK_FIELDS
from newsletter.settings.mistakes import suggestion

_ALWAYS_FILLED = {*LINK_FIELDS, "email"}


def check_fields_exist(evidence: Evidence) -> Iterable[Fault]:
    """The audience has each merge field; nothing is said where the audience is not known."""
    known = evidence.subject.known_fields
    if known is None:
        return
    for use in evidence.subject.issue.merge_fields:
        if use.field.name not in known | LINK_FIELDS.keys():
            remedy = suggestion(use.field.name, sorted(known | LINK_FIELDS.keys()))
            yield error(use.place, f"no subscriber has the field {use.field.name}", remedy)


def check_defaults(evidence: Evidence) -> Iterable[Fault]:
    """Each merge field that subscribers may have has a default, unless everyone has a value."""
    known = evidence.subject.known_fields
    for use in evidence.subject.issue.merge_fields:
        name = use.field.name
        may_lack = name not in _ALWAYS_FILLED and (known is None or name in known)
        if use.field.default is None and may_lack:
            what = f"some readers may lack {name} and would see a gap"
            yield warning(use.place, what, f'add a default: {{{{ {name} | default("…") }}}}')
