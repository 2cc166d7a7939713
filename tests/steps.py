"""The theme's steps for email apps, as a workspace writes them to replace them."""

from newsletter.language.catalogue import words_of
from newsletter.model.mailbox import MailApp


def steps_file(language: str = "en") -> str:
    """The content of `templates/tips/LANGUAGE.yaml` that says the same as the theme."""
    lines = []
    for app in MailApp:
        lines += [f"{app.value}:", f"  title: {words_of(language, 'tips')[f'{app.value}.title']}"]
        lines += ["  looked_at: 2026-11-23", "  steps:"]
        lines += [
            f"    - {text}"
            for key, text in words_of(language, "tips").items()
            if key.startswith(f"{app.value}.") and not key.endswith(".title")
        ]
    return "\n".join([*lines, ""])
