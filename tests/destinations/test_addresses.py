"""The addresses of destinations: what is understood, and what is refused without repeating a secret."""

import pytest

from newsletter.destinations import addresses
from newsletter.destinations.addresses import open_destination
from newsletter.errors import InputError


@pytest.mark.parametrize(
    "where",
    [
        "ftp://host/x",
        "s3://",
        "gs:///x",
        "https://host",
        "sftp:///x",
        "s3://bucket?x=y",
        "gs://b#c",
        "",
        " ",
        "s3://[x",
    ],
)
def test_what_is_no_destination_is_refused_with_the_forms_that_are(where: str) -> None:
    with pytest.raises(InputError, match="s3://BUCKET, gs://BUCKET or sftp://USER@HOST/FOLDER"):
        open_destination(where, {})


@pytest.mark.parametrize("where", ["sftp://me:hunter22@host/x", "s3://AKIA:hunter22@bucket", "s3://hunter22@bucket"])
def test_a_password_is_refused_and_not_repeated(where: str) -> None:
    with pytest.raises(InputError, match="contains a password; remove it") as caught:
        open_destination(where, {})
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(("where", "extra"), [("s3://b", "s3"), ("gs://b", "gcs"), ("sftp://h/x", "sftp")])
def test_a_missing_extra_is_named(where: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match=rf'run: pip install "newsletter-press\[{extra}\]"'):
        open_destination(where, {})
