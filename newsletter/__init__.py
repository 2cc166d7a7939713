"""Write an email newsletter in Markdown, preview it, check it, test it and send it safely."""

__version__ = "0.1.0"
DISTRIBUTION = "newsletter-press"  # the name on PyPI, where `newsletter` belongs to another project


def install_hint(extra: str) -> str:
    """Return the command that installs this program with one of its extras."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'
