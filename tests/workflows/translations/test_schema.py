"""The XLIFF documents of issues with everything in them are valid by the schemas of OASIS."""

from pathlib import Path

import pytest

from tests.translation.schema import errors_in, schema
from tests.workflows.translations.returning import (
    ROOT,
    copied_workspace,
    export,
    take,
    translate,
    translated_workspace,
)

needs_schemas = pytest.mark.skipif(schema() is None, reason="the XLIFF schemas of OASIS are not beside this repository")


@needs_schemas
def test_an_export_of_an_issue_with_everything_is_valid(tmp_path: Path) -> None:
    config = copied_workspace(tmp_path, ROOT / "tests/kitchen_sink")

    assert errors_in(export(config, "ja", issue="everything")) == []


@needs_schemas
def test_an_export_with_translated_and_stale_sentences_is_valid(tmp_path: Path) -> None:
    config = translated_workspace(tmp_path)
    take(config, translate(export(config)))
    letter = config.root / "issues/2026-02/letter.md"
    letter.write_text(letter.read_text().replace("We meet", "We will meet"))

    content = export(config)

    assert b'subState="nl:stale"' in content
    assert b"<target>" in content
    assert errors_in(content) == []
    assert errors_in(content.replace(b'canCopy="no"', b'canCopy="never"', 1)) != []
