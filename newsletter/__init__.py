"""Write an email newsletter in Markdown, preview it, check it, test it and send it safely."""

from newsletter.system.zone_database import use_newer_zones

__version__ = "0.1.0"
DISTRIBUTION = "newsletter-press"  # the name on PyPI, where `newsletter` belongs to another project
# Chosen here, because no other module of the program can make a time zone before this one is imported.
ZONE_DATABASES = use_newer_zones()


def install_hint(extra: str) -> str:
    """Return the command that installs this program with one of its extras."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'
