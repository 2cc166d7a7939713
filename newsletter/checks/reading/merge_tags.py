"""Merge tags of other email programs, which this program does not replace."""

import re
from functools import lru_cache

_PERSON = r"(?:(?:first|last|full|given|family|sur)[ _-]?name|[fl]name|e-?mail|unsubscribe(?:[ _-]?(?:link|url))?)"
_TAG = re.compile(
    rf"""\{{\{{[^{{}}]{{0,40}}(?:\}}\}})?       # two braces: this program's and SendGrid's merge fields
    | %7B%7B                                  # the same, encoded in an address
    | (?-i:\*?\|[A-Z][A-Z0-9_:]+\|\*?)        # Mailchimp; Markdown may have removed the asterisks
    | (?<!\w)%%=?[A-Z][\w(@).-]{{1,40}}=?%%   # Salesforce
    | (?-i:(?<!\w)%[A-Z][A-Z0-9_-]{{2,40}}%)  # ActiveCampaign
    | (?<!\w)%(?:{_PERSON}|[A-Z]{{2,20}}[._][\w.]{{2,40}})%  # Mailgun, MailerLite
    | (?-i:\[(?:NAME|EMAIL|UNSUBSCRIBE|WEB_?VERSION)\]) | \[{_PERSON}\]  # often typed by hand
    | \[[A-Z_]{{2,30}},\s*(?:fallback|default)=[^\[\]\n]{{0,40}}\]  # Campaign Monitor
    | \[\[[^\[\]\n]{{1,60}}\]\]               # Mailjet, Sendinblue
    | \[%[^\[\]%\n]{{1,60}}%\]                # SendGrid's own newsletters
    | \$\[[^\[\]\n]{{1,40}}\]\$?              # Zoho
    | \$\{{[\w.]{{1,40}}\}} | \{{\$[\w.>-]{{1,40}}\}} | \{{![\w.]{{1,40}}\}}
    | \{{[A-Z_][\w.]{{1,40}}(?:\s*[,|]\s*[^{{}}\n]{{0,60}})?\}}  # Ghost, Keap
    | \#[A-Z]{{2,20}}:[A-Z_]{{2,30}}\# | \#\#[A-Z_.]{{2,40}}\#\#
    | (?-i:(?<![\w@])@[A-Z][A-Z_]{{2,30}}@)
    | ~[A-Z]{{2,30}}\.[A-Z_]{{2,30}}~         # Keap
    | «[A-Z]{{2,20}}_[A-Z_]{{2,30}}»          # Word
    | <%[=-]?\s*\w[^<>]{{0,40}}%> | \{{%[^{{}}]{{0,40}}%\}}  # template code
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Where a tag may begin. Trying the full pattern only there takes a tenth of the time of searching with it.
_BEGINNING = re.compile(
    r"\{(?=[{!$%]|[^\W\d][\w.]{1,40}(?:\s*[,|]|\}))|%(?=[%=\w])|\*(?=\|[A-Z])|\|(?=[A-Z])|\[(?=[\[%\w])|\$(?=[\[{])|#(?=#|[^\W\d_]{2,20}:)|@(?=[A-Z])|~(?=\w)"
    r"|«(?=\w)|<(?=%)"
)


@lru_cache(maxsize=4096)  # an edit changes few texts
def merge_tags_in(text: str) -> tuple[str, ...]:
    """Return the merge tags of other programs in a text."""
    found, end = [], 0
    for beginning in _BEGINNING.finditer(text):
        if beginning.start() >= end and (match := _TAG.match(text, beginning.start())):
            end = match.end()
            found.append(match[0].strip())
    return tuple(found)
