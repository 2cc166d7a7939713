"""The XLIFF 2 schemas of OASIS, if they are beside the repository or in the folder XLIFF_SCHEMAS."""

import os
from functools import cache
from pathlib import Path

from lxml import etree

USUAL = Path(__file__).parents[3] / "shared" / "data" / "xliff-schemas"
FOLDER = Path(os.environ.get("XLIFF_SCHEMAS") or USUAL)
_BOTH = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="urn:oasis:names:tc:xliff:document:2.0" schemaLocation="{core}"/>
  <xs:import namespace="urn:oasis:names:tc:xliff:metadata:2.0" schemaLocation="{meta}"/>
</xs:schema>
"""


@cache
def schema() -> etree.XMLSchema | None:
    """The schema of the core and the metadata module, or None if it is missing."""
    if not FOLDER.is_dir():
        return None
    text = _BOTH.format(core=(FOLDER / "xliff_core_2.0.xsd").as_uri(), meta=(FOLDER / "metadata.xsd").as_uri())
    return etree.XMLSchema(etree.fromstring(text))


def errors_in(content: bytes) -> list[str]:
    """What the schemas find wrong with a document."""
    found = schema()
    if found is None or found.validate(etree.fromstring(content)):
        return []
    return [f"{error.line}: {error.message}" for error in found.error_log]  # type: ignore[attr-defined]
