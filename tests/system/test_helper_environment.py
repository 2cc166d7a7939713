"""What another program is handed of the environment."""

from newsletter.system.helper_environment import bare_surroundings


def test_no_secret_is_handed_on() -> None:
    secrets = dict.fromkeys(["SENDGRID_API_KEY", "NEWSLETTER_KEY", "NEWSLETTER_SMTP_PASSWORD", "PGPASSWORD"], "secret")

    assert bare_surroundings({**secrets, "PATH": "/bin", "LANG": "C.UTF-8"}) == {"PATH": "/bin", "LANG": "C.UTF-8"}
