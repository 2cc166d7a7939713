"""Proofs: what they show, that no byte of them can be altered, and what of them is left when a person is erased."""

import os
import random
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from newsletter.errors import InputError, NotProvedError
from newsletter.lists.exports import batch_of
from newsletter.model.audience import SuppressionReason
from newsletter.model.broadcast import Broadcast, Outcome, Verdict
from newsletter.model.ledger import Approval, Resolution
from newsletter.model.proof import LINE_FORMAT, Bundle, LineFields, ProofLine, ProvedChecks, ProvedFinding, ProvedSkip
from newsletter.store import proofs
from newsletter.store.approvals import approve
from newsletter.store.database import Database
from newsletter.store.ledger.broadcasts import finish_if_done
from newsletter.store.ledger.cancel import begin_cancel, finish_cancel
from newsletter.store.ledger.freeze import freeze_broadcast
from newsletter.store.ledger.resolve import resolve_chunk
from newsletter.store.merge import merge_subscribers
from newsletter.store.suppressions import add_suppression
from newsletter.system.environment import forget_key, proof_key
from newsletter.workflows.proof.bundle import prove_broadcast
from newsletter.workflows.proof.encoding import NotAsWrittenError, as_bytes, as_text, canonical, read_canonical
from newsletter.workflows.proof.line import open_line
from newsletter.workflows.proof.signing import fingerprint_of, public_key_of, signed
from newsletter.workflows.proof.verify import VerifiedProof, verify_proof
from tests.store.builders import (
    KEY,
    NOW,
    add,
    add_people,
    claim,
    forget,
    freeze,
    hold,
    id_of,
    record,
    request,
    row,
    send_all,
    variants,
)
from tests.store.empty_file import open_test_database

SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32
VERIFIER = Path(__file__).parents[3] / "docs" / "verify_proof.py"
ANA = "ana@example.org"
SALT = 16
ALTERED = int(os.environ.get("NEWSLETTER_ALTERED_BYTES", "1500"))  # bytes to alter, one at a time


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "_PAGE", 4)


def sent(database: Database, people: int = 12) -> Broadcast:
    """A broadcast that has ended: to Ana, who has a consent with all details, to others, and to one who had left."""
    add_people(database, people)
    add(database, row(ANA, consent_source="form, from bo@example.net", consent_wording="en-1"))
    add_suppression(database, "person00003@example.org", SuppressionReason.UNSUBSCRIBED, now=NOW)
    broadcast = freeze(database)
    send_all(database, broadcast)
    return finish_if_done(database, broadcast.id, now=NOW)


def prove(database: Database, broadcast: Broadcast, secret: bytes | None = SECRET) -> Bundle:
    return prove_broadcast(database, broadcast.id, secret=secret, now=NOW).bundle


class Files:
    """A bundle and a line as files, to verify them in both ways."""

    def __init__(self, folder: Path, contents: tuple[bytes, bytes]) -> None:
        self.bundle, self.line = folder / "bundle.json", folder / "line.json"
        self.bundle.write_bytes(contents[0])
        self.line.write_bytes(contents[1])

    def verified(self) -> VerifiedProof:
        return verify_proof(self.bundle, self.line)

    def is_proved(self) -> bool:
        try:
            self.verified()
        except NotProvedError:
            return False
        return True


def sealed(database: Database, broadcast: Broadcast) -> tuple[bytes, bytes]:
    """The bundle of a broadcast, and Ana's line."""
    bundle = prove_broadcast(database, broadcast.id, secret=SECRET, now=NOW)
    return bundle.content, open_line(database, broadcast.id, ANA, key=None).content


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    with (
        pytest.MonkeyPatch.context() as changed,
        open_test_database(tmp_path_factory.mktemp("proof") / "n.db") as opened,
    ):
        changed.setattr(proofs, "_PAGE", 4)
        return sealed(opened, sent(opened))


@pytest.fixture
def files(tmp_path: Path, contents: tuple[bytes, bytes]) -> Files:
    return Files(tmp_path, contents)


@pytest.fixture
def own(tmp_path: Path, database: Database) -> Files:
    """The files of a broadcast that is in the database of the test."""
    return Files(tmp_path, sealed(database, sent(database)))


def independent(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What the verifier of the docs says, in a process that cannot import the package."""
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, paths)], capture_output=True, text=True, check=False
    )


def test_a_proof_and_a_line_say_what_the_ledger_says(database: Database, own: Files) -> None:
    found = own.verified()
    bundle = found.bundle
    assert bundle.outcomes == {"accepted": 12, "excluded": 1}
    assert bundle.lines == 13
    assert bundle.content_hash == "abc"
    assert [mail.subject.parts for mail in bundle.mail] == [("Hello",)]
    assert bundle.mail[0].pictures[0].sha256 == sha256(b"\x89PNG\0").hexdigest()
    assert [each.rule for each in bundle.waivers] == ["links"]
    assert bundle.checks is None
    assert found.line is not None
    assert found.line.fields == LineFields(
        address=ANA,
        at="2026-02-19T08:00:00Z",
        consented_at="2026-02-19T08:00:00Z",
        outcome="accepted",
        source="form, from b***@example.net",
        wording="en-1",
    )
    left = open_line(database, 1, "person00003@example.org", key=None).line.fields
    assert (left.outcome, left.reason) == ("excluded", "unsubscribed")


def test_every_line_opens_and_belongs_to_the_bundle(database: Database, tmp_path: Path, own: Files) -> None:
    for number in range(12):
        email = f"person{number:05}@example.org"
        own.line.write_bytes(open_line(database, 1, email, key=None).content)
        line = own.verified().line
        assert line is not None
        assert (line.number, line.fields.address) == (number, email)


def test_approvals_checks_and_overrides_are_in_the_bundle(database: Database) -> None:
    add_people(database, 2)
    checks = ProvedChecks(
        passed=("C1",),
        found=(ProvedFinding(rule="E1", severity="error", what="letter.md:1: no link", waived="tomorrow"),),
        skipped=(ProvedSkip(rule="A6", why="no browser"),),
    )
    made_from = replace(request(), checks=checks)
    broadcast = freeze_broadcast(database, made_from, variants(made_from.axes), chunk_size=10, now=NOW)
    approve(database, Approval(issue="2026-02", content_hash="abc", by="Bo", at=NOW))
    send_all(database, broadcast)
    bundle = prove(database, finish_if_done(database, broadcast.id, now=NOW))
    assert bundle.checks == checks
    assert [(each.by, each.at) for each in bundle.approvals] == [("Bo", "2026-02-19T08:00:00Z")]


def test_the_verifier_of_the_docs_agrees(files: Files, tmp_path: Path) -> None:
    done = independent(files.bundle, files.line)
    assert (done.returncode, done.stderr) == (0, "")
    assert files.verified().bundle.fingerprint in done.stdout
    assert ANA in done.stdout
    changed = tmp_path / "changed.json"
    for original, others in ((files.bundle, []), (files.line, [files.bundle])):
        content = bytearray(original.read_bytes())
        content[len(content) // 2] ^= 1
        changed.write_bytes(content)
        done = independent(*others, changed)
        assert done.returncode == 1
        assert "NOT PROVED" in done.stdout


def alterations(content: bytes, count: int, random_: random.Random) -> list[bytes]:
    """Copies of a file with one byte each replaced, removed or added: at every place in turn, then anywhere."""
    found = []
    for number in range(count):
        at = number % len(content) if number < len(content) else random_.randrange(len(content))
        byte = bytes([random_.choice([each for each in range(256) if each != content[at]])])
        found.append(random_.choice([content[:at] + byte + content[at + 1 :]] * 3 + [content[:at] + content[at + 1 :]]))
    return found


def test_every_altered_byte_is_detected(files: Files) -> None:
    """NEWSLETTER_ALTERED_BYTES=10000 for the full number."""
    for file in (files.line, files.bundle):
        original = file.read_bytes()
        for changed in alterations(original, ALTERED // 2, random.Random(18)):
            file.write_bytes(changed)
            assert not files.is_proved(), changed
        file.write_bytes(original)
    assert files.is_proved()


OTHER_SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "a line break at the end": lambda content: content + b"\n",
    "a space": lambda content: content.replace(b":", b": ", 1),
    "a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "an escape for a letter": lambda content: content.replace(b'"format"', b'"f\\u006frmat"', 1),
    "a key twice": lambda content: content.replace(b'{"', b'{"format":"x","', 1),
    "a key more": lambda content: content[:-1] + b',"zz":1}',
    "another order": lambda content: orjson.dumps(dict(reversed(orjson.loads(content).items()))),
    "a fraction": lambda content: content.replace(b'"lines":13', b'"lines":13.0').replace(b":12,", b":12.0,"),
    "nothing": lambda content: content[:0],
    "a deep nest": lambda content: content[:0] + b"[" * 90_000,
    "a list": lambda content: b"[" + content + b"]",
}


@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
def test_no_other_spelling_of_a_proof_is_accepted(files: Files, spelling: str) -> None:
    for file in (files.bundle, files.line):
        original = file.read_bytes()
        changed = OTHER_SPELLINGS[spelling](original)
        assert changed != original
        file.write_bytes(changed)
        assert not files.is_proved()
        file.write_bytes(original)


def test_base64_has_one_spelling() -> None:
    assert as_bytes(as_text(b"1234"), 4) == b"1234"
    for other in ("MTIzNB==", "MTIzNA", "MTIz NA==", "MTIzNA==\n", "MTIzNA===", "MTIz"):
        with pytest.raises(NotAsWrittenError):
            as_bytes(other, 4)


@given(st.builds(LineFields, address=st.text(), reason=st.text(), source=st.text(), wording=st.text()))
def test_the_fast_encoding_of_a_line_is_the_canonical_one(fields: LineFields) -> None:
    assert json.encode(fields) == canonical(fields)
    assert read_canonical(canonical(fields), LineFields) == fields


def test_a_bundle_signed_again_with_another_key_has_another_fingerprint(files: Files) -> None:
    bundle = files.verified().bundle
    key = public_key_of(OTHER_SECRET)
    assert files.verified().bundle.fingerprint == fingerprint_of(public_key_of(SECRET))
    swapped = replace(bundle, key=as_text(key))
    files.bundle.write_bytes(canonical(swapped))
    assert not files.is_proved()
    files.bundle.write_bytes(canonical(signed(swapped, OTHER_SECRET)))  # with the old fingerprint
    assert not files.is_proved()
    forged = signed(replace(swapped, fingerprint=fingerprint_of(key)), OTHER_SECRET)
    files.bundle.write_bytes(canonical(forged))
    assert files.is_proved()  # it is a proof, but not by this sender
    with pytest.raises(NotProvedError, match="another key"):
        verify_proof(files.bundle, files.line, fingerprint=bundle.fingerprint)
    assert verify_proof(files.bundle, None, fingerprint=fingerprint_of(key).upper().replace(" ", "")).line is None


def test_a_signature_counts_only_for_the_format_of_proofs(files: Files) -> None:
    bundle = files.verified().bundle
    unsigned = canonical(replace(bundle, signature=""))
    other = Ed25519PrivateKey.from_private_bytes(SECRET).sign(unsigned)  # without the line that names the format
    files.bundle.write_bytes(canonical(replace(bundle, signature=as_text(other))))
    assert not files.is_proved()


def test_a_line_of_another_broadcast_or_person_does_not_pass(database: Database, own: Files, tmp_path: Path) -> None:
    second = freeze(database, "2026-03")
    send_all(database, second)
    prove(database, finish_if_done(database, second.id, now=NOW))
    own.line.write_bytes(open_line(database, second.id, ANA, key=None).content)
    assert not own.is_proved()
    ana, other = (open_line(database, 1, email, key=None).line for email in (ANA, "person00000@example.org"))
    own.line.write_bytes(canonical(replace(other, fields=ana.fields)))
    assert not own.is_proved()


def test_a_dictionary_of_all_addresses_finds_no_one_in_the_bundle(database: Database, own: Files) -> None:
    """The bundle has one hash of all lines. Even with all fields of a line known, its salt is still missing."""
    text = own.bundle.read_text()
    bundle = own.verified().bundle
    known = {b64decode(bundle.root), b64decode(bundle.key), bytes.fromhex(bundle.mail[0].pictures[0].sha256)}
    for email in (ANA, *(f"person{number:05}@example.org" for number in range(12))):
        fields = open_line(database, 1, email, key=None).line.fields
        assert email not in text
        for guess in (email.encode(), canonical(fields), canonical(replace(fields, address=email.upper()))):
            for salt in (b"", bytes(SALT), *known):
                for prefix in (b"", b"\0"):
                    digest = sha256(prefix + salt + guess).digest()
                    assert digest not in known
                    assert as_text(digest) not in text
                    assert digest.hex() not in text
    lines = [open_line(database, 1, f"person{number:05}@example.org", key=None).line for number in range(12)]
    assert len({line.salt for line in lines}) == 12


def test_the_same_people_have_another_root_in_another_proof(database: Database) -> None:
    first = sent(database)
    bundle = prove(database, first)
    second = freeze(database, "2026-03")
    send_all(database, second)
    assert prove(database, finish_if_done(database, second.id, now=NOW)).root != bundle.root


def test_an_erased_person_cannot_be_opened_and_all_others_can(database: Database, own: Files) -> None:
    before, subscriber = own.bundle.read_bytes(), id_of(database, ANA)
    salt = open_line(database, 1, ANA, key=None).line.salt
    assert forget(database, ANA)
    with database.read() as connection:
        line = proofs.find_line(connection, 1, subscriber)
        pages = connection.execute("SELECT openings FROM proof_page", {}).fetchall()
    assert line is not None
    assert (line.opening.salt, line.opening.fields) == (b"", b"")
    for (openings,) in pages:
        assert b64decode(salt) not in repr(proofs._unpacked(openings)).encode()
        assert ANA not in repr(proofs._unpacked(openings))
    with pytest.raises(InputError, match="has no line"):
        open_line(database, 1, ANA, key=None)
    with pytest.raises(InputError, match="was erased, so their line"):
        open_line(database, 1, ANA, key=KEY)
    again = prove_broadcast(database, 1, secret=None, now=NOW)
    assert (again.content, again.is_new) == (before, False)
    assert own.is_proved()  # the line that was given to someone before
    for number in range(12):
        own.line.write_bytes(open_line(database, 1, f"person{number:05}@example.org", key=None).content)
        assert own.is_proved()


def test_who_was_erased_before_the_proof_has_a_line_without_an_address(database: Database, tmp_path: Path) -> None:
    broadcast = sent(database)
    forget(database, ANA)
    prove(database, broadcast)
    fields = open_line(database, 1, ANA, key=KEY).line.fields
    assert (fields.address, fields.consented_at, fields.outcome) == ("", "", "accepted")


def test_a_line_says_what_was_on_record_when_the_proof_was_made(database: Database, own: Files) -> None:
    line = own.line.read_bytes()
    add(database, row(ANA, consented_at=NOW + timedelta(days=1), consent_source="another form"))
    add_suppression(database, ANA, SuppressionReason.UNSUBSCRIBED, now=NOW)
    assert open_line(database, 1, ANA, key=None).content == line


def test_a_consent_that_was_replaced_since_the_broadcast_counts_as_it_was(database: Database) -> None:
    broadcast = sent(database)
    for days in (2, 1):  # the first of them replaced the one of the broadcast
        newer = row(ANA, consented_at=NOW + timedelta(days=3 - days), consent_source=f"form {days}")
        merge_subscribers(database, [batch_of((newer,))], now=NOW + timedelta(days=4 - days))
    prove(database, broadcast)
    fields = open_line(database, 1, ANA, key=None).line.fields
    assert (fields.consented_at, fields.wording) == ("2026-02-19T08:00:00Z", "en-1")


def test_no_proof_is_made_while_the_broadcast_runs(database: Database) -> None:
    add_people(database, 3)
    broadcast = freeze(database, chunk_size=2)
    with pytest.raises(InputError, match="has not ended"):
        prove(database, broadcast)
    chunk = claim(database, broadcast)
    record(database, chunk)
    begin_cancel(database, broadcast.id, now=NOW)
    finish_cancel(database, broadcast.id, now=NOW)
    assert prove(database, broadcast).outcomes == {"accepted": 2, "cancelled": 1}


def test_no_proof_is_made_while_the_provider_holds_the_email(database: Database) -> None:
    add_people(database, 1)
    broadcast = hold(database, NOW + timedelta(hours=2))
    record(database, claim(database, broadcast, hold_within=timedelta(hours=3)))
    finish_if_done(database, broadcast.id, now=NOW)
    with pytest.raises(InputError, match="may discard some"):
        prove(database, broadcast)
    later = NOW + timedelta(hours=3)
    assert prove_broadcast(database, broadcast.id, secret=SECRET, now=later).bundle.lines == 1


def test_a_new_proof_is_made_only_when_a_result_has_changed(database: Database, tmp_path: Path) -> None:
    add_people(database, 2)
    add(database, row(ANA))
    broadcast = freeze(database)
    record(database, chunk := claim(database, broadcast), Outcome(verdict=Verdict.UNKNOWN, reason="no answer"))
    broadcast = finish_if_done(database, broadcast.id, now=NOW)
    files = Files(tmp_path, sealed(database, broadcast))
    assert prove(database, broadcast).outcomes == {"unknown": 3}
    decision = Resolution.ASSUME_SENT
    assert resolve_chunk(database, broadcast.id, chunk.number, chunk.attempt, decision, detail="by hand", now=NOW)
    newer = prove(database, broadcast)
    assert newer.outcomes == {"accepted": 3}
    old = files.line.read_bytes()
    files.line.write_bytes(open_line(database, broadcast.id, ANA, key=None).content)
    assert not files.is_proved()  # a new line with the old bundle
    files.line.write_bytes(old)
    assert files.is_proved()  # what was given out before stays valid


def test_without_the_secret_nothing_is_signed(database: Database) -> None:
    broadcast = sent(database)
    with pytest.raises(InputError, match="NEWSLETTER_KEY is not set"):
        prove(database, broadcast, secret=None)
    with pytest.raises(InputError, match="there is no proof of broadcast 1 yet"):
        open_line(database, 1, ANA, key=None)


def test_the_key_for_proofs_is_not_the_key_for_erased_people() -> None:
    environ = {"NEWSLETTER_KEY": "x" * 32}
    assert proof_key(environ) != forget_key(environ)
    assert proof_key(environ) == proof_key({"NEWSLETTER_KEY": f" {'x' * 32}\n"})
    assert proof_key({}) is None


def test_a_line_fits_in_two_kilobytes_with_a_million_others() -> None:
    longest = LineFields(
        "a" * 64 + "@" + "b" * 180, *["2026-02-19T08:00:00Z"] * 4, "accepted", "r" * 100, "s" * 100, "w"
    )
    line = ProofLine(
        format=LINE_FORMAT,
        number=999_999,
        salt=as_text(bytes(16)),
        fields=longest,
        path=(as_text(bytes(32)),) * 20,
        root=as_text(bytes(32)),
    )
    assert len(canonical(line)) <= 2048


def test_a_file_that_is_too_large_is_not_read(files: Files) -> None:
    files.line.write_bytes(b" " * 200_000)
    with pytest.raises(InputError, match="too many for such a file"):
        files.verified()


def test_a_file_that_is_missing_is_said(files: Files) -> None:
    files.line.unlink()
    with pytest.raises(InputError, match=r"there is no file line\.json"):
        files.verified()
