"""XLIFF and PO files from translators, cut, overwritten and mixed: taken, or told as mistakes."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings

from newsletter.errors import MistakesError, NewsletterError
from newsletter.translation.po import read_po_file
from newsletter.translation.xliff import read_xliff
from newsletter.workflows.translations.import_ import plan_import
from tests.fuzz.amount import EXAMPLES
from tests.fuzz.limits import limited
from tests.fuzz.mutations import texts
from tests.workflows.translations.returning import export, translate, translated_workspace

_FOLDER = tempfile.TemporaryDirectory(prefix="newsletter-fuzz-")
_CONFIG = translated_workspace(Path(_FOLDER.name))
_XLIFF = translate(export(_CONFIG)).decode()
_PO = translate(export(_CONFIG, form="po")).decode()
_PIECES = (
    *("<", ">", "&", "&a;", "&#0;", "&#x10FFFF;", "]]>", "<![CDATA[", "<!--", "-->", "<?xml?>", "\0", "\ufeff", '"'),
    *('<ph id="field-1"/>', "<pc id='link-1'>", "</pc>", "<sc id='a'/>", "<ec/>", "<mrk>", "<x xmlns='y'/>", "é"),
    *('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>', 'state="final"', "</segment>", "</unit>"),
    *("<target>", "\\", "msgid ", 'msgstr "', 'msgctxt "', "#, fuzzy\n", "#~ ", "#. sentence: ", "{first_name}"),
    *("<link-1>", "</link-1>", "{{ email }}", "https://evil.example.com", "\n", "\\n", "{date-1}", 'msgstr[1] "'),
    *("nplurals=99999999999;", "Content-Type: text/plain; charset=utf-7\\n", "Language: \\n", "s99999", "🌷", "\u202e"),
)


@given(content=texts((_XLIFF, _XLIFF[:3000]), _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_xliff_is_read_or_told(content: bytes) -> None:
    with limited():
        _take(content, lambda: read_xliff(content, "back.xlf"))


@given(content=texts((_PO, _PO[:3000]), _PIECES))
@settings(max_examples=EXAMPLES)
def test_any_po_file_is_read_or_told(content: bytes) -> None:
    with limited():
        _take(content, lambda: read_po_file(content, "back.po"))


def _take(content: bytes, read: Callable[[], object]) -> None:
    """Read a file, and verify it if that is possible. Nothing is written."""
    path = Path(_FOLDER.name, "back")
    path.write_bytes(content)
    told: tuple[str, ...] = ()
    try:
        read()
        plan_import(_CONFIG, [path])
    except MistakesError as err:
        told = tuple(map(str, err.mistakes))
    except NewsletterError as err:
        told = (str(err),)
    assert all(len(each) < 2_000 for each in told)
