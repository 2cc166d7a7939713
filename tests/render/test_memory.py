"""What is remembered from one build to the next is right, or not used."""

import os
import tempfile
from hashlib import blake2b
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

from newsletter.config import load_config
from newsletter.errors import MistakesError
from newsletter.render.memory import Memory, compiled_templates
from newsletter.workflows.compose.compose import compose_issue
from tests.workspaces import write_workspace

FOOTER = "<mj-section><mj-column><mj-text>The end</mj-text></mj-column></mj-section>"


def made(content: bytes) -> bytes:
    return content.upper()


def refuse() -> bytes:
    raise AssertionError("it was to be remembered")


def test_what_was_made_once_is_recalled_by_the_next_process(tmp_path: Path) -> None:
    assert Memory(tmp_path).recall("word", b"a", lambda: made(b"a")) == b"A"
    assert Memory(tmp_path).recall("word", b"a", refuse) == b"A"


def test_other_ingredients_or_another_kind_are_made_anew(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.recall("word", b"a", lambda: b"A")
    assert memory.recall("word", b"b", lambda: b"B") == b"B"
    assert memory.recall("sign", b"a", lambda: b"!") == b"!"


def test_what_was_damaged_is_made_anew(tmp_path: Path) -> None:
    Memory(tmp_path).recall("word", b"a", lambda: b"a long word")
    (kept,) = tmp_path.iterdir()
    for damaged in (b"", kept.read_bytes()[:-1], kept.read_bytes()[:-1] + b"?"):
        kept.write_bytes(damaged)
        assert Memory(tmp_path).recall("word", b"a", lambda: b"made anew") == b"made anew"


def test_what_a_build_had_no_use_for_is_forgotten(tmp_path: Path) -> None:
    Memory(tmp_path).recall("word", b"old", lambda: b"old")
    memory = Memory(tmp_path)
    memory.recall("word", b"new", lambda: b"new")
    (tmp_path / "links.json").touch()  # of the checks
    memory.forget_unused()
    assert len(list(tmp_path.iterdir())) == 2
    assert Memory(tmp_path).recall("word", b"new", refuse) == b"new"


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = Memory(tmp_path / "file" / "folder")
    assert memory.recall("word", b"a", lambda: b"A") == b"A"
    assert memory.recall("word", b"a", refuse) == b"A"
    memory.forget_unused()


def planted(path: str) -> tuple[str, bytes]:
    """A compiled template that writes a file when it is run, and the key under which Jinja looks for it."""
    cache = FileSystemBytecodeCache(directory="/")
    key = cache.get_cache_key("parts/footer.mjml.j2", path)
    bucket = Bucket(Environment(autoescape=True), key, cache.get_source_checksum(FOOTER))
    bucket.code = compile("open('run', 'w').close()", "<planted>", "exec")
    return key, bucket.bytecode_to_string()


def test_a_compiled_template_in_the_workspace_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own, root = tmp_path / "own", tmp_path / "workspace"
    memory = root / "build" / ".memory"
    own.mkdir()
    memory.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    write_workspace(root, {"templates/parts/footer.mjml.j2": FOOTER})
    key, code = planted(str(root / "templates" / "parts" / "footer.mjml.j2"))
    digest = blake2b(code, digest_size=16).digest()
    for name in (f"template-{key}", f"newsletter-markup-{key}", f"__jinja2_{key}.cache"):
        (memory / name).write_bytes(digest + code)
        (memory.parent / name).write_bytes(code)

    config = load_config(root)
    compose_issue(config, root / "issues" / "2026-02")
    assert not (tmp_path / "run").exists()

    # What was planted would have been run if it had been believed.
    (compiled,) = own.glob(f"*/newsletter-markup-{key}")
    compiled.write_bytes(code)
    with pytest.raises(MistakesError):
        compose_issue(config, root / "issues" / "2026-02")
    assert (tmp_path / "run").exists()


@pytest.mark.parametrize("folder", ["", "build"])
def test_a_workspace_that_holds_the_temporary_folder_keeps_no_compiled_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    root = write_workspace(tmp_path / "workspace", {"templates/parts/footer.mjml.j2": FOOTER})
    cache = root / folder / f"_jinja2-cache-{os.getuid()}"
    cache.mkdir(parents=True, mode=0o700)
    key, code = planted(str(root / "templates" / "parts" / "footer.mjml.j2"))
    (cache / f"newsletter-markup-{key}").write_bytes(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(root / folder))

    compose_issue(load_config(root), root / "issues" / "2026-02")

    assert not (tmp_path / "run").exists()


def test_a_folder_of_compiled_templates_that_is_not_the_users_own_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"_jinja2-cache-{os.getuid()}").symlink_to("elsewhere")
    assert compiled_templates("markup", workspace=tmp_path / "workspace") is None
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert compiled_templates("markup", workspace=tmp_path / "workspace") is None
