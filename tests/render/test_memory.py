"""What is remembered from one build to the next is right, or not used."""

from pathlib import Path

from newsletter.render.memory import Memory


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
    memory.forget_unused()
    assert len(list(tmp_path.iterdir())) == 1
    assert Memory(tmp_path).recall("word", b"new", refuse) == b"new"


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = Memory(tmp_path / "file" / "folder")
    assert memory.recall("word", b"a", lambda: b"A") == b"A"
    assert memory.recall("word", b"a", refuse) == b"A"
    memory.forget_unused()
