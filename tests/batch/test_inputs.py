"""Which files a batch is asked for."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm.batch import Input, Settings, find_inputs, read_manifest
from hrm.errors import ParameterError


@pytest.fixture
def folder(tmp_path):
    names = (
        "b.txt",
        "a.csv",
        "sub/c.TXT",
        "a.swallows.csv",
        ".hidden.txt",
        "figure.png",
        "out/x.txt",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def relative(paths, folder):
    return [path.removeprefix(f"{folder}/") for path in paths]


def test_a_folder_is_searched_through(folder):
    found, left_out = find_inputs([str(folder)], out=folder / "out")
    assert relative([each.path for each in found], folder) == ["a.csv", "b.txt", "sub/c.TXT"]
    assert relative(left_out, folder) == [".hidden.txt", "a.swallows.csv", "figure.png"]


def test_suffixes_choose(folder):
    found, _ = find_inputs([str(folder)], out=folder / "out", suffixes=[".txt"])
    assert relative([each.path for each in found], folder) == ["b.txt", "sub/c.TXT"]


def test_patterns_names_and_addresses(folder):
    names = [f"{folder}/*.txt", f"{folder}/figure.png", f"{folder}/b.txt", "s3://bucket/z.txt"]
    found, left_out = find_inputs(names, out=folder / "out")
    wanted = ["b.txt", "figure.png", "s3://bucket/z.txt"]  # what is named is taken, and once
    assert relative([each.path for each in found], folder) == wanted
    assert left_out == []


def test_a_name_that_is_not_there_is_an_input_that_fails(folder):
    found, _ = find_inputs([f"{folder}/gone.txt"], out=folder / "out")
    assert relative([each.path for each in found], folder) == ["gone.txt"]


def test_a_pattern_without_a_file_is_refused(folder):
    with pytest.raises(ParameterError, match="no file is found for 1 of the inputs"):
        find_inputs([f"{folder}/*.edf", str(folder)], out=folder / "out")


def manifest(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "manifest.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_manifest(separator, encoding, tmp_path):
    rows = [
        "path,participant,posture,swallows,parameters.irp.window_s",
        "a.txt,P1,supine,a.csv,10",
        ",,,,",
        "/abs/b.txt,P2,,{stem}.csv,",
        "s3://bucket/c.txt,,,,",
    ]
    text = "\r\n".join(rows).replace(",", separator)
    found = read_manifest(manifest(tmp_path, text, encoding))
    first = Settings(
        participant="P1", posture="supine", swallows=str(tmp_path / "a.csv"),
        parameters={"irp.window_s": 10},
    )  # fmt: skip
    assert found == [
        Input(str(tmp_path / "a.txt"), 1, first),
        Input("/abs/b.txt", 3, Settings(participant="P2", swallows="{stem}.csv")),
        Input("s3://bucket/c.txt", 4, Settings()),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "header with the column path"),
        ("file\na.txt\n", "header with the column path"),
        ("path,path\na,b\n", "each name once"),
        ("path\n", "names no file"),
        ("path,visit\na.txt\n", "row 1: as many cells"),
        ("path,visit\na.txt,V1,x\n", "row 1: as many cells"),
        ("path,visit\n,V1\n", "row 1: the cell path is empty"),
        ("path,colour\na.txt,red\n", "row 1: unknown name 'colour'"),
        ("path\na.txt\nb.txt\na.txt\n", "row 3: the file of row 1 again"),
        ('path\n"a.txt\n', "no CSV"),
    ],
)
def test_a_fault_of_the_manifest_is_named_by_its_row(text, message, tmp_path):
    with pytest.raises(ParameterError, match=message):
        read_manifest(manifest(tmp_path, text))


def test_every_faulty_row_is_named_at_once(tmp_path):
    text = "path,posture\na.txt,prone\nb.txt,supine\nc.txt,seated\n"
    with pytest.raises(ParameterError) as caught:
        read_manifest(manifest(tmp_path, text))
    assert "row 1" in str(caught.value)
    assert "row 3" in str(caught.value)
    assert "row 2" not in str(caught.value)


def test_members_of_one_archive_are_inputs_of_their_own(tmp_path):
    found = read_manifest(manifest(tmp_path, "path,member\na.zip,x.txt\na.zip,y.txt\n"))
    assert [each.said.member for each in found] == ["x.txt", "y.txt"]


def test_another_encoding_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="UTF-8"):
        read_manifest(manifest(tmp_path, "path\nMüller.txt\n", "latin-1"))


@given(
    names=st.lists(
        st.text("abcé ,;\"'._-", min_size=1, max_size=8)
        .map(str.strip)
        .filter(lambda text: text not in ("", ".", "..")),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
def test_any_name_comes_back_as_it_was_written(tmp_path_factory, names):
    text = io.StringIO()
    csv.writer(text).writerows([["path", "visit"], *([f"{name}.txt", "V1"] for name in names)])
    folder = tmp_path_factory.mktemp("manifest")
    found = read_manifest(manifest(folder, text.getvalue()))
    assert [each.path for each in found] == [str(folder / f"{name}.txt") for name in names]
