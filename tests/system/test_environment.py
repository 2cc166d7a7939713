"""What of the environment is handed on, what is never shown, and the key with which people are forgotten."""

import pytest

from newsletter.errors import InputError
from newsletter.system.environment import bare_surroundings, conceal, forget_key

SECRET = "0123456789abcdef0123456789abcdef"


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


def test_without_a_secret_there_is_no_key() -> None:
    assert forget_key({}) is None
    assert forget_key({"NEWSLETTER_KEY": "  \n"}) is None


def test_the_same_secret_is_the_same_key_however_it_was_pasted() -> None:
    assert forget_key({"NEWSLETTER_KEY": SECRET}) == forget_key({"NEWSLETTER_KEY": f" {SECRET}\n"})
    assert forget_key({"NEWSLETTER_KEY": SECRET}) != forget_key({"NEWSLETTER_KEY": SECRET[::-1]})


def test_a_secret_may_be_of_any_length_from_32_characters() -> None:
    for length in (32, 64, 65, 1000):
        key = forget_key({"NEWSLETTER_KEY": "k" * length})
        assert key is not None
        assert len(key) == 32


def test_a_short_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError, match="is shorter than 32 characters") as refused:
        forget_key({"NEWSLETTER_KEY": SECRET[1:]})
    assert SECRET[1:] not in str(refused.value)
