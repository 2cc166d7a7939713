"""Encodings of a list: which are found out, what is said of those that are assumed, and what is refused."""

from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from newsletter.errors import InputError, MistakesError
from newsletter.lists.csv_import import read_list
from newsletter.lists.encodings import Encoding, find_encoding
from tests.effort import growth_of_processor_time
from tests.lists.test_csv_import import complaint_about, only_row, read, rows_of, shape_of

WESTERN = "email,first_name\nzoe@example.org,Zoë Müller-Ñíguez\n"


@pytest.mark.parametrize(
    ("codec", "mark"),
    [
        ("utf-8", ""),
        ("utf-8", "\ufeff"),
        ("utf-16-le", "\ufeff"),
        ("utf-16-be", "\ufeff"),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("utf-32-le", "\ufeff"),
        ("cp1252", ""),
        ("mac-roman", ""),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_usual_encodings_are_found_out(tmp_path: Path, codec: str, mark: str, end: str) -> None:
    content = f"{mark}{WESTERN}".replace("\n", end).encode(codec)

    assert only_row(tmp_path, content)["first_name"] == "Zoë Müller-Ñíguez"


def test_utf8_and_utf16_are_certain_and_one_byte_a_letter_is_assumed_with_words_to_check(tmp_path: Path) -> None:
    assert shape_of(tmp_path, WESTERN).encoding.assumed == ""
    assert shape_of(tmp_path, WESTERN.encode("utf-16")).encoding.assumed == ""
    assert shape_of(tmp_path, WESTERN.encode("cp1252")).encoding.assumed == "Windows-1252 (Zoë, Müller, Ñíguez)"
    assert shape_of(tmp_path, WESTERN.encode("mac-roman")).encoding.assumed == "Mac Roman (Zoë, Müller, Ñíguez)"


def test_curly_quotes_and_dashes_of_windows_are_not_taken_for_letters_of_a_mac(tmp_path: Path) -> None:
    content = "email,note\na@example.org,O’Brien – “Zoë” €5…\n".encode("cp1252")

    assert shape_of(tmp_path, content).encoding.codec == "cp1252"


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("cp1250", "Małgorzata Łuczak, Święcicki, Chrząszcz"),
        ("iso8859-2", "Małgorzata Łuczak, Święcicki, Chrząszcz"),
        ("cp1250", "Kučera, Němec, Hřebíček, Marešová"),
        ("iso8859-2", "Kučera, Němec, Hřebíček, Škvorecký"),
        ("cp1250", "Erdős Győző, Szűcs Ákos"),
        ("cp1250", "Đorđević, Kovačić, Šušnjar"),
        ("cp852", "Małgorzata Łuczak, Święcicki"),
        ("cp1254", "Yılmaz, Şentürk, Çağrı, Doğru"),
        ("cp1257", "Žukauskas, Bražėnas, Šalčiūtė"),
        ("cp1257", "Bērziņš, Kļaviņš, Gāga"),
        ("cp1253", "Γιώργος Παπαδάκης, Ελένη"),
        ("iso8859-7", "Γιώργος Παπαδάκης, Άρης"),
        ("cp1251", "Дарья Петрова, Игорь Щукин"),
        ("koi8-r", "Дарья Петрова, Игорь Щукин"),
        ("cp866", "Дарья Петрова, Игорь Щукин"),
        ("cp1251", "Оксана Їжакевич, Сергій Єрмоленко"),
        ("cp1255", "דוד כהן, שרה לוי"),
        ("cp1256", "محمد حسن, فاطمة"),
        ("cp850", "Zoë, Müller, José"),
        ("cp1252", "Hélène, Muñoz, João, Søren, Nicolò, Åse, Þór"),
        ("mac-roman", "Hélène, Muñoz, João, Søren, Nicolò, Åse"),
    ],
)
def test_old_encodings_are_told_by_the_words(tmp_path: Path, codec: str, names: str) -> None:
    content = f'email,note\na@example.org,"{names}"\n'.encode(codec)

    assert only_row(tmp_path, content)["attributes"] == orjson.dumps({"note": names}).decode()
    assert names.split(",", maxsplit=1)[0].split(maxsplit=1)[0] in shape_of(tmp_path, content).encoding.assumed


@pytest.mark.parametrize(("codec", "name"), [("shift_jis", "山田太郎"), ("gb18030", "王小明"), ("euc_kr", "김철수")])
def test_other_encodings_are_refused_with_a_choice_of_readings(tmp_path: Path, codec: str, name: str) -> None:
    content = f"email,first_name\na@example.org,{name}\n".encode(codec)

    message = complaint_about(tmp_path, content)

    assert "list.csv:2: it is not clear in which encoding the file was saved" in message
    assert f"--encoding {codec} ({name})" in message
    assert only_row(tmp_path, content, encoding=codec)["first_name"] == name


def test_two_equal_readings_are_a_question(tmp_path: Path) -> None:
    content = "email,first_name\na@example.org,Брю\n".encode("cp1251")

    assert "--encoding cp1251 (Брю)" in complaint_about(tmp_path, content)


def test_the_other_reading_of_a_western_file_is_told(tmp_path: Path) -> None:
    content = "email,last_name\na@example.org,Bañoz\n".encode("cp1252")

    assumed = shape_of(tmp_path, content).encoding.assumed

    assert assumed == "Windows-1252 (Bañoz), although it could also be Windows-1250 (Bańoz)"


def test_bytes_that_are_no_words_are_refused(tmp_path: Path) -> None:
    assert "save a copy as CSV UTF-8" in complaint_about(tmp_path, b"email,x\na@example.org,\x81\x8d\x8f\xa4\x90\n")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["山田太郎", "Дарья Петрова", "محمد", "Zoë"])
def test_utf16_without_a_mark_is_found_out_whatever_the_letters(tmp_path: Path, codec: str, name: str) -> None:
    content = f"email;first_name\n{f'ana@example.org;{name}{chr(10)}' * 3000}".encode(codec)

    (row, *_) = rows_of(read(tmp_path, content))
    assert row["first_name"] == name


@pytest.mark.parametrize("end", ["\n\x1a", "\r\n\x1a", "\x1a\x1a\x1a"])
def test_mark_at_the_end_of_a_dos_file_is_ignored(tmp_path: Path, end: str) -> None:
    assert only_row(tmp_path, f"email,first_name\nana@example.org,Ana{end}")["first_name"] == "Ana"


def test_byte_that_is_not_utf8_in_a_utf8_file_is_reported_with_its_line(tmp_path: Path) -> None:
    filler = "".join(f"person{number}@example.org,Zoë\n" for number in range(60_000))
    content = f"email,first_name\n{filler}".encode() + "ana@example.org,Zoë\n".encode("cp1252")

    message = complaint_about(tmp_path, content)

    assert "list.csv:60002: a character in this line is damaged" in message


def test_utf8_file_that_was_cut_off_within_a_letter_is_reported(tmp_path: Path) -> None:
    content = "email,first_name\nana@example.org,Zoë\nbo@example.org,Zoë".encode()[:-1]

    assert "list.csv:3: a character in this line is damaged" in complaint_about(tmp_path, content)


def test_byte_that_the_encoding_lacks_is_reported_with_its_line(tmp_path: Path) -> None:
    message = complaint_about(tmp_path, b"email,x\na@example.org,\nb@example.org,\x81\n", encoding="cp1252")

    assert "list.csv:3: this line cannot be read with the encoding cp1252" in message


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_utf16_that_was_cut_off_is_reported(tmp_path: Path, cut: int) -> None:
    content = "email\nana@example.org\nbo@example.org 😀".encode("utf-16")[:-cut]

    assert "list.csv:3: this line cannot be read with the encoding utf-16" in complaint_about(tmp_path, content)


def test_utf16_without_its_mark_is_reported_where_it_is_named_so(tmp_path: Path) -> None:
    assert "utf-16" in complaint_about(tmp_path, b"email\nana@example.org\n", encoding="utf-16")


@pytest.mark.parametrize("name", ["latin-99", "rot13", "base64", "idna", "", " ", "\0", "utf-9"])
def test_encoding_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not the name of an encoding"):
        Encoding.named(name)


@pytest.mark.parametrize("name", ["UTF8", "windows-1252", "latin-1", "sjis", "macroman", "UTF-16"])
def test_encoding_may_be_named_as_people_do(name: str) -> None:
    assert Encoding.named(name).codec


def test_named_encoding_reads_a_file_with_a_mark(tmp_path: Path) -> None:
    assert only_row(tmp_path, f"\ufeff{WESTERN}".encode(), encoding="utf-8")["first_name"].startswith("Zoë")
    assert read(tmp_path, f"\ufeff{WESTERN}".encode("utf-16-le"), encoding="utf-16-le")


@pytest.mark.parametrize("content", [b"\xe9" * 3_000_000, b"\xe9\xe8 " * 1_000_000, b"\xef\xbb\xbf" * 500 + b"\xef,"])
def test_a_file_without_words_is_told_shortly_and_soon(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)

    with pytest.raises(MistakesError) as caught:
        list(read_list(path))

    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("unit", ["a", "aé".encode("cp1252").decode("latin-1"), "é", "a b", "a1"])
def test_looking_for_words_is_linear(tmp_path: Path, unit: str) -> None:
    """A list that begins with a byte beyond UTF-8, and goes on with one long word."""
    path = tmp_path / "list.csv"

    def work(text: str) -> None:
        path.write_bytes(b"\xfc," + text.encode("latin-1"))
        with suppress(MistakesError):
            find_encoding(path)

    assert growth_of_processor_time(work, unit, 10_000 // len(unit)) < 24
