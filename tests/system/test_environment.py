"""What of the environment is handed on, and what is never shown."""

import pytest

from newsletter.system.environment import bare_surroundings, conceal


def test_no_secret_is_handed_on() -> None:
    secrets = dict.fromkeys(["SENDGRID_API_KEY", "NEWSLETTER_KEY", "NEWSLETTER_SMTP_PASSWORD", "PGPASSWORD"], "secret")

    assert bare_surroundings({**secrets, "PATH": "/bin", "LANG": "C.UTF-8"}) == {"PATH": "/bin", "LANG": "C.UTF-8"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key SG.hush refused", "key ••• refused"),
        ("longer SG.hush-hush too", "longer ••• too"),
        (r"quoted 'back\\slash'", "quoted '•••'"),
        ("ana@example.org and pass@word", "a***@example.org and •••"),
        ("postgresql://me:let%40me@db.example.org/news", "postgresql://•••@db.example.org/news"),
        ("PATH /usr/bin, verbose 1", "PATH /usr/bin, verbose 1"),
    ],
)
def test_secrets_and_addresses_are_concealed(text: str, shown: str) -> None:
    environ = {
        "SENDGRID_API_KEY": "SG.hush",
        "OTHER_TOKEN": "SG.hush-hush",
        "PGPASSWORD": "back\\slash",
        "NEWSLETTER_SMTP_PASSWORD": " pass@word\n",
        "PATH": "/usr/bin",
        "USE_KEY": "1",
    }
    assert conceal(text, environ) == shown
