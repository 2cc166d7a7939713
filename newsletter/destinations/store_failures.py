"""What the errors of storage libraries mean for the person who publishes."""

from collections.abc import Iterator, Mapping

from newsletter.errors import DestinationError
from newsletter.system.environment import conceal

_HELP = "see docs/destinations.md"
_NO_LOGIN = ("has no login to use", f"set the credentials in the environment, {_HELP}")
_NO_ANSWER = ("did not answer in time", "check the connection, and publish again")
_UNREACHABLE = ("cannot be reached", "check the address and the connection, and publish again")
_REFUSED = ("denied access", "let these credentials list, read, write and delete files there")
_UNKNOWN_HOST = (
    "has a host key that is not in ~/.ssh/known_hosts",
    "connect once with `ssh`, compare the fingerprint with the one that your host publishes, and publish again",
)
# By the names of classes, because the libraries are only installed with their extras. The first that fits counts.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "NoCredentialsError": _NO_LOGIN,
    "PartialCredentialsError": _NO_LOGIN,
    "CredentialRetrievalError": _NO_LOGIN,
    "ProfileNotFound": ("has no such profile in your files", "correct AWS_PROFILE"),
    "DefaultCredentialsError": _NO_LOGIN,
    "RefreshError": ("has credentials that are no longer valid", "renew them, and publish again"),
    "BadHostKeyException": (
        "has another host key than before, so it may be another machine",
        "ask your host whether the key was changed, and only then correct ~/.ssh/known_hosts",
    ),
    "UnknownHostKeyError": _UNKNOWN_HOST,
    "AuthenticationException": (
        "rejects the login",
        f"check the user's name, and the key or NEWSLETTER_SFTP_PASSWORD, {_HELP}",
    ),
    "PermissionError": _REFUSED,
    "FileNotFoundError": ("does not exist", "create it, or correct `to` under [archive]"),
    "FSTimeoutError": _NO_ANSWER,
    "TimeoutError": _NO_ANSWER,
    "ConnectTimeoutError": _NO_ANSWER,
    "ReadTimeoutError": _NO_ANSWER,
    "ServerTimeoutError": _NO_ANSWER,
    "gaierror": ("is not found in the DNS", "check its name and the connection"),
    "NoValidConnectionsError": _UNREACHABLE,
    "ConnectionError": _UNREACHABLE,
    "ClientConnectionError": _UNREACHABLE,
    "EOFError": _UNREACHABLE,
}


def failure_of(error: Exception, shown: str, environ: Mapping[str, str]) -> DestinationError:
    """Return what an error of a library means, and what to do. The message contains no secret."""
    for each in _chain(error):
        if str(each).startswith("Forbidden"):  # gcsfs raises an OSError with these words
            return _failure(shown, *_REFUSED)
        for base in type(each).__mro__:
            if found := _MEANINGS.get(base.__name__):
                return _failure(shown, *found)
    said = " ".join(conceal(str(error) or type(error).__name__, environ).split())
    return _failure(shown, f"answered with an error ({said[:200]})", "correct its cause, and publish again")


def _failure(shown: str, what: str, remedy: str) -> DestinationError:
    return DestinationError(f"{shown} {what}; {remedy}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
