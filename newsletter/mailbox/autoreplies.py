"""Recognize automatic replies, such as out-of-office notes (RFC 3834). They change nothing about a subscriber.

A delivery report may say that it was sent automatically too, so it must be recognized before.
"""

import re

from newsletter.mailbox.received import ReceivedMail

_NOT_AUTOMATIC = frozenset({"", "no"})
_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-response-suppress",
    "x-mail-autoreply",
    "x-ebay-mailtracker",
)
_PRECEDENCES = frozenset({"auto_reply", "auto-reply", "bulk", "junk"})
_SUBJECTS = re.compile(
    r"\W*(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response|antwort)|out of (?:the )?office|away from|on vacation|"
    r"vacation (?:reply|notice)|automatische (?:antwort|abwesenheit)|abwesend|abwesenheit\w*|außer haus|"
    r"nicht im (?:büro|haus)|"
    r"r[ée]ponse automatique|absence du bureau|absent du bureau|message d'absence|"
    r"respuesta autom[áa]tica|fuera de (?:la )?oficina|risposta automatica|fuori (?:sede|ufficio)|"
    r"resposta autom[áa]tica|fora do escrit[óo]rio|automatisch antwoord|afwezig\w*|niet aanwezig|"
    r"automatiskt svar|autosvar|automatisk svar|frånvaro|automaattinen vastaus|poissa|"
    r"automatyczna odpowied[źz]|automatická odpov[ěe]ď|automatikus v[áa]lasz|otomatik (?:yan[ıi]t|cevap)|"
    r"автоответ|автоматический ответ|自動応答|自動返信|不在|自动回复|自動回覆|자동\s?(?:회신|응답))",
    re.IGNORECASE,
)


def is_autoreply(mail: ReceivedMail) -> bool:
    """Return whether an email is an automatic reply."""
    header = mail.header
    submitted = header.first("auto-submitted").lower().partition(";")[0].partition(" ")[0]
    return (
        submitted not in _NOT_AUTOMATIC
        or header.has(*_FIELDS)
        or header.first("precedence").lower() in _PRECEDENCES
        or header.first("x-apple-action").lower() == "vacation"
        or _SUBJECTS.match(header.first("subject")) is not None
    )
