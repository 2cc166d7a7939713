"""Compose an e-mail newsletter from Markdown files, see it, check it, test it and send it safely."""

__version__ = "0.1.0"
DISTRIBUTION = "newsletter-press"  # the name on the package index, where `newsletter` belongs to another project


def install_hint(extra: str) -> str:
    """Return the command that installs the program with one of its extras."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'
