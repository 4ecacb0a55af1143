"""What a CSV file must be before a row is looked at."""

from __future__ import annotations

import gzip
import os

import pytest

from aiops.errors import FileRefused
from aiops.ingest import encoding, reading
from aiops.ingest.reading import find_column, need_column, open_table


def read(path, *names):
    with open_table(path) as table:
        columns = {name: [] for name in names or table.header}
        lines = []
        for block in table.blocks(tuple(columns)):
            lines.extend(block.lines)
            for name, texts in block.columns.items():
                columns[name].extend(texts)
        return table, lines, columns


def refusal_of(path):
    with pytest.raises(FileRefused) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    assert caught.value.exit_code == 2
    return message.removeprefix(str(path))


@pytest.fixture
def csv_file(tmp_path):
    def write(content, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# --- what is read ---


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_plain_file_is_read_column_by_column_with_its_lines(csv_file, ending):
    table, lines, columns = read(csv_file(ending.join(["a,b", "1,2", "", "3,4", ""])))
    assert table.header == ("a", "b")
    assert columns == {"a": ["1", "3"], "b": ["2", "4"]}
    assert lines == [2, 4]
    assert table.refusals.rows_read == 2
    assert table.refusals.rows_refused == 0


def test_a_gzipped_file_is_known_by_its_content_not_its_name(csv_file):
    path = csv_file(gzip.compress(b"a,b\n1,2\n"), "file.csv")
    assert read(path)[2] == {"a": ["1"], "b": ["2"]}
    assert read(csv_file("a,b\n1,2\n", "plain.gz"))[2] == {"a": ["1"], "b": ["2"]}


def test_the_hash_is_that_of_the_files_bytes(csv_file):
    import hashlib

    content = gzip.compress(b"a\n1\n")
    assert read(csv_file(content))[0].sha256 == hashlib.sha256(content).hexdigest()


def test_a_byte_order_mark_is_no_part_of_the_first_column(csv_file):
    assert read(csv_file("\ufeffa,b\n1,2\n"))[0].header == ("a", "b")


def test_korean_text_in_utf_8_and_in_cp949_is_understood_and_named(csv_file):
    text = "지점,값\n서울,1\n"
    for name in ("utf-8", "cp949"):
        table, _, columns = read(csv_file(text.encode(name)))
        assert table.encoding == name
        assert columns == {"지점": ["서울"], "값": ["1"]}


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("name", ["청주", "천안", "창원", "철원", "칠곡", "풍속", "창창창원"])
def test_a_first_syllable_of_cp949_that_could_be_utf_8_is_none(csv_file, monkeypatch, name, chunk):
    assert name[:1].encode("cp949").decode("utf-8")
    monkeypatch.setattr(encoding, "_CHUNK", chunk)
    for text in (f"{name},값\n1,2\n", f"station,value\n108,1\n{name}시,2\n서울,3\n"):
        table, _, columns = read(csv_file(text.encode("cp949")))
        assert table.encoding == "cp949"
        assert name in "".join([*table.header, *columns[table.header[0]]])


def test_letters_cut_by_the_border_of_a_chunk_are_whole(csv_file, monkeypatch):
    monkeypatch.setattr(encoding, "_CHUNK", 7)
    text = "지점,값\n" + "서울,1\n" * 20
    assert read(csv_file(text.encode()))[0].encoding == "utf-8"
    assert read(csv_file(text.encode("cp949")))[0].encoding == "cp949"


def test_a_quoted_field_may_hold_commas_quotes_and_line_ends(csv_file):
    _, lines, columns = read(csv_file('a,b\n"x, ""y""\nz",2\n3,4\n'))
    assert columns == {"a": ['x, "y"\nz', "3"], "b": ["2", "4"]}
    assert lines == [3, 4]


def test_a_long_file_comes_in_blocks(csv_file, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_ROWS", 3)
    path = csv_file("a\n" + "".join(f"{i}\n" for i in range(8)))
    with open_table(path) as table:
        assert [block.columns["a"] for block in table.blocks(["a"])] == [
            ("0", "1", "2"),
            ("3", "4", "5"),
            ("6", "7"),
        ]


def test_rows_of_another_width_are_refused_by_line_and_the_others_kept(csv_file):
    table, lines, columns = read(csv_file("a,b\n1,2\n1,2,3\n4\n5,6\n"))
    assert columns == {"a": ["1", "5"], "b": ["2", "6"]}
    assert lines == [2, 5]
    assert (table.refusals.rows_read, table.refusals.rows_refused) == (4, 2)
    (group,) = table.refusals.groups()
    assert [str(refusal) for refusal in group.examples] == [
        "line 3: row: '1,2,3'; allowed: 2 fields, as in the header",
        "line 4: row: '4'; allowed: 2 fields, as in the header",
    ]


def test_columns_are_found_exactly_else_without_regard_to_case(csv_file):
    with open_table(csv_file("Date,DATE,value\n")) as table:
        assert find_column(table, "DATE") == "DATE"
        assert find_column(table, "date") == "Date"
        assert find_column(table, "time", "VALUE") == "value"
        assert find_column(table, "time") is None


def test_a_missing_column_is_named_with_the_columns_there_are(csv_file):
    path = csv_file("a,b\n")
    with open_table(path) as table, pytest.raises(FileRefused) as caught:
        need_column(table, "lat", "latitude")
    assert str(caught.value) == f"{path}: column lat or latitude is missing; the file has: a, b"


# --- what is refused ---


def test_a_missing_file_is_refused(tmp_path):
    assert refusal_of(tmp_path / "none.csv") == ": no such file"


def test_a_path_through_a_file_is_refused(csv_file):
    assert "cannot be read" in refusal_of(csv_file("a\n") / "none.csv")


def test_a_folder_is_refused(tmp_path):
    assert refusal_of(tmp_path) == ": is a folder; allowed: a CSV file, plain or gzipped"


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in refusal_of(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(csv_file):
    path = csv_file("a\n1\n")
    path.chmod(0)
    assert "Permission denied" in refusal_of(path)


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(csv_file, content):
    assert refusal_of(csv_file(content)) == ": is empty; allowed: a header line, then rows"


@pytest.mark.parametrize("content", ["\n\n", ",,\n1,2,3\n", "\ufeff"])
def test_a_file_without_column_names_is_refused(csv_file, content):
    assert "line 1: has no column names" in refusal_of(csv_file(content))


@pytest.mark.parametrize("kept", [3, 12, 40, -1, -5, -9])
def test_a_truncated_gzip_file_is_refused(csv_file, kept):
    content = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(1000)))
    assert "the gzip data are cut off or damaged" in refusal_of(csv_file(content[:kept]))


def test_a_gzip_file_with_a_changed_byte_is_refused(csv_file):
    content = bytearray(gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(1000))))
    content[len(content) // 2] ^= 0xFF
    assert refusal_of(csv_file(bytes(content)))


def test_a_damaged_utf_8_file_is_refused_by_line_and_not_taken_for_cp949(csv_file):
    content = "기온,강수\n1,2\n".encode() + "강".encode("cp949") + b",2\n"
    assert content.decode("cp949"), "the whole could be read as CP949, as nonsense"
    assert refusal_of(csv_file(content)) == ", line 3: not UTF-8 text; allowed: UTF-8, or CP949 throughout"


@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize(
    "damaged",
    [
        "기온,강수,".encode() + "풍속".encode("cp949"),  # in a later word
        "°C,".encode() + "풍속".encode("cp949"),  # behind a word of letters of two bytes
        "강수".encode() + "량".encode()[1:],  # in the first word, behind whole syllables
        "기온".encode() + "청주".encode("cp949"),
    ],
)
def test_a_utf_8_file_damaged_behind_its_first_letters_is_not_taken_for_cp949(csv_file, monkeypatch, damaged, chunk):
    monkeypatch.setattr(encoding, "_CHUNK", chunk)
    assert damaged.decode("cp949"), "the whole could be read as CP949, as nonsense"
    assert ", line 2: not UTF-8 text" in refusal_of(csv_file(b"a,b\n" + damaged + b",1\n"))


def test_a_file_that_starts_as_cp949_and_does_not_go_on_so_is_refused(csv_file):
    content = "청주,1\n".encode("cp949") + b"\xff,2\n"
    assert ", line 1: not UTF-8 text" in refusal_of(csv_file(content))


def test_bytes_of_no_encoding_are_refused_by_line(csv_file):
    assert ", line 2: not UTF-8 text" in refusal_of(csv_file(b"a,b\n\xff\xfe,1\n"))


def test_a_nul_byte_is_refused_by_line(csv_file):
    assert ", line 3: holds a NUL byte" in refusal_of(csv_file(b"a,b\n1,2\n3,\x00\n"))


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04rest", "a zip or Excel file"),
        (b"\x89HDF\r\n\x1a\n", "a NetCDF file"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16 text"),
    ],
)
def test_other_formats_are_refused_by_name(csv_file, start, what):
    assert f": is {what}; allowed: CSV text" in refusal_of(csv_file(start))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(csv_file, monkeypatch):
    monkeypatch.setattr(encoding, "LONGEST_LINE", 1000)
    monkeypatch.setattr(encoding, "_CHUNK", 300)
    assert read(csv_file("a\n" + "x" * 999 + "\n" + "y" * 999 + "\n"))[2]["a"] == ["x" * 999, "y" * 999]
    assert ", line 2: too long for a CSV file" in refusal_of(csv_file("a\n" + "x" * 1001 + "\n"))


def test_a_quote_that_is_never_closed_is_refused_by_the_line_where_it_opens(csv_file):
    assert ", line 3: broken CSV" in refusal_of(csv_file('a,b\n1,2\n"3,4\n5,6\n'))


def test_text_behind_a_closing_quote_is_refused_by_line(csv_file):
    assert ", line 2: broken CSV" in refusal_of(csv_file('a,b\n"1"x,2\n'))


def test_a_broken_header_is_refused(csv_file):
    assert ", line 1: broken CSV" in refusal_of(csv_file('"a,b\n1,2\n'))


def test_a_column_that_stands_twice_is_refused_by_name(csv_file):
    assert refusal_of(csv_file("a,b, a\n1,2,3\n")) == ", line 1: column a stands twice; allowed: once"


def test_a_message_is_one_line_whatever_the_columns_are_called(csv_file):
    path = csv_file('"a\nb\x1b[2J",c\n')
    with open_table(path) as table, pytest.raises(FileRefused) as caught:
        need_column(table, "d")
    assert str(caught.value).endswith(r"the file has: a\nb\x1b[2J, c")


def test_columns_apart_by_semicolons_are_refused(csv_file):
    assert "columns apart by ','" in refusal_of(csv_file("a;b\n1;2\n"))
