"""Check of merge fields that are whole addresses."""

import re
from collections.abc import Iterable

from newsletter.checks.base import CheckContext, Problem, error, rule

_COMPLETE = re.compile(r"https?://\S|mailto:\S", re.IGNORECASE)


@rule("M3")
def check_address_fields(context: CheckContext) -> Iterable[Problem]:
    """Defaults that are not addresses.

    A merge field may be the whole address of a link. Its default must then be an address too. For readers without a
    value, the link would lead nowhere.
    """
    whole = {link.address for document in context.documents for link in document.links}
    for use in context.subject.issue.merge_fields:
        default = use.field.default
        if default is not None and use.field.token in whole and not _COMPLETE.match(default):
            what = f"the default of {use.field} is not an address, so the link would lead nowhere"
            yield error(use.place, what, f'write {{{{ {use.field.name} | default("https://…") }}}}')


RULES = (check_address_fields,)
