"""Open a destination by its address: a folder, or a URL that begins with s3://, gs:// or sftp://."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from time import time
from urllib.parse import unquote, urlsplit

from newsletter import install_hint
from newsletter.destinations.destination import Destination
from newsletter.destinations.folder import FolderPlace
from newsletter.destinations.remote import RemotePlace
from newsletter.errors import InputError

_FORMS = "write a folder, s3://BUCKET, gs://BUCKET or sftp://USER@HOST/FOLDER, with a folder in the bucket if you like"
# The package that each scheme needs. Its extra has the name of the scheme, except for Google's.
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "sftp": "paramiko"}
_EXTRAS = {"s3": "s3", "gs": "gcs", "sftp": "sftp"}


def open_destination(where: str, environ: Mapping[str, str], *, clock: Callable[[], float] = time) -> Destination:
    """Open a destination, which may connect to another machine.

    Raise InputError if the address is wrong or an extra is missing, and DestinationError if there is no connection.
    """
    if "://" not in where:
        if not where.strip():
            raise InputError(f"the archive has no destination; {_FORMS}")
        return Destination(FolderPlace(Path(where)))
    try:
        parts = urlsplit(where)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InputError(f"the destination is not an address; {_FORMS}") from None
    if parts.password or (parts.username and parts.scheme != "sftp"):  # never repeated in the message
        raise InputError(
            "the destination contains a password; remove it, and set it in the environment (docs/destinations.md)"
        )
    if parts.scheme not in _PACKAGES or not host or parts.query or parts.fragment:
        raise InputError(f"{where!r} is not a destination; {_FORMS}")
    package = _PACKAGES[parts.scheme]
    if find_spec(package) is None:
        raise InputError(f"{parts.scheme}:// needs the package {package}; run: {install_hint(_EXTRAS[parts.scheme])}")

    from newsletter.destinations.file_stores import gcs_files, s3_files, sftp_files

    path = unquote(parts.path).rstrip("/")
    bucket = parts.netloc
    opened = {
        "s3": lambda: s3_files(bucket, path, environ),
        "gs": lambda: gcs_files(bucket, path, environ),
        "sftp": lambda: sftp_files(host, port, parts.username, path or "/", environ),
    }[parts.scheme]
    return Destination(RemotePlace(opened, where.rstrip("/"), environ, clock))
