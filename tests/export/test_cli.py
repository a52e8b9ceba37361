"""``hrm export`` as its user sees it."""

import base64
import json
import re
import shlex
import zlib

import pandas as pd
import pydicom
import pytest
from click.testing import CliRunner

from hrm.cli.main import main
from tests.export.conftest import FILE, NAMES

IDENTITY = """
family_name = "Zzyzxson"
given_name = "Quillfeather"
patient_id = "ID-7391-K"
patient_id_issuer = "Hospitalia"
accession_number = "ACC-551-Q"
birth_date = 1961-02-03
study_date = 2024-05-06
sex = "female"
"""
SAID = ["--system", "manoscan", "--posture", "supine"]


def run(*arguments):
    return CliRunner().invoke(main, ["export", str(FILE), *map(str, arguments)])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    names = {
        kind: folder / f"study.{end}"
        for kind, end in {
            "json": "json",
            "csv": "csv",
            "parquet": "parquet",
            "xlsx": "xlsx",
            "dicom": "dcm",
        }.items()
    } | {"fhir": folder / "bundle.json"}
    options = [part for kind, path in names.items() for part in (f"--{kind}", path)]
    done = run(*options, "--attach-report", *SAID)
    assert done.exit_code == 0, done.output
    return names


def test_all_kinds_hold_the_same_numbers(written):
    csv = pd.read_csv(written["csv"], na_values="NA", keep_default_na=False)
    parquet = pd.read_parquet(written["parquet"])
    excel = pd.read_excel(written["xlsx"], na_values="NA", keep_default_na=False)
    pd.testing.assert_series_equal(csv["value"], parquet["value"], check_dtype=False)
    pd.testing.assert_series_equal(csv["value"], excel["value"], check_dtype=False)
    irp = json.loads(written["json"].read_text())["swallows"][0]["irp4s_mmhg"]
    row = csv[(csv["swallow"] == 1) & (csv["metric"] == "irp4s_mmhg")]
    assert row["value"].item() == pytest.approx(irp, rel=1e-15)


def test_report_and_bundle_carry_the_same_pdf(written):
    bundle = json.loads(written["fhir"].read_text())
    forms = [e["resource"].get("presentedForm") for e in bundle["entry"]]
    assert sum(form is not None for form in forms) == 1
    assert pydicom.dcmread(written["dicom"]).EncapsulatedDocument.startswith(b"%PDF-")


def test_an_identity_stands_in_the_exports_for_the_chart_only(tmp_path):
    who = tmp_path / "who.toml"
    who.write_text(IDENTITY)
    outputs = {"fhir": "b.json", "dicom": "r.dcm", "csv": "s.csv", "json": "s.json"}
    options = [part for kind, name in outputs.items() for part in (f"--{kind}", tmp_path / name)]
    done = run(*options, "--identity", who, *SAID)
    assert done.exit_code == 0, done.output
    for kind, name in outputs.items():
        content = (tmp_path / name).read_bytes()
        assert [n for n in NAMES if n.encode() in content] == (
            list(NAMES) if kind in ("fhir", "dicom") else []
        )
    assert not [n for n in NAMES if n in done.output]


def test_no_output_names_anybody_who_is_planted_in_the_file(tmp_path):
    text = FILE.read_text(encoding="latin-1")
    planted = tmp_path / "Zzyzxson_Quillfeather.txt"
    planted.write_text(text.replace("hrm phantom", "Zzyzxson"), encoding="latin-1")
    outputs = {"fhir": "b.json", "dicom": "r.dcm", "csv": "s.csv", "xlsx": "s.xlsx"}
    options = [part for kind, name in outputs.items() for part in (f"--{kind}", tmp_path / name)]
    arguments = ["export", str(planted), *map(str, options), "--attach-report", *SAID]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    for name in outputs.values():
        content = (tmp_path / name).read_bytes()
        assert not [n for n in NAMES if n.encode() in content + _inflated(content)]


def test_a_report_as_a_page_names_nobody_who_is_planted_in_the_file(tmp_path):
    text = FILE.read_text(encoding="latin-1")
    planted = tmp_path / "Zzyzxson_Quillfeather.txt"
    planted.write_text(text.replace("hrm phantom", "Zzyzxson ID-7391-K"), encoding="latin-1")
    pages = {"one.html": [planted], "two.html": [planted, planted]}
    for name, files in pages.items():
        arguments = ["report", *map(str, files), "--html", str(tmp_path / name), *SAID]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        content = (tmp_path / name).read_text(encoding="utf-8")
        assert not [n for n in NAMES if n in content]
        for script in re.findall(r'type="text/plain" id="samples-\d">([^<]*)<', content):
            samples = zlib.decompress(base64.b64decode(script))
            assert len(samples) > 1_000_000
            assert not [n for n in NAMES if n.encode() in samples]
        assert str(tmp_path) not in content
        # When it was recorded stands in the file, and not in the page.
        assert not re.search(r"\b(19|20)\d\d-\d\d-\d\d\b", content)


def _inflated(content):
    """What the compressed streams of a PDF within a file hold."""
    found = b""
    for part in content.split(b"stream\n")[1:]:
        inflate = zlib.decompressobj()
        try:
            found += inflate.decompress(part)
        except zlib.error:
            continue
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name at least one output"),
        (["--fhir", "a.xml"], "the name ends in .json"),
        (["--dicom", "a.pdf"], "the name ends in .dcm"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(arguments, said):
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_faulty_identity_is_named_by_field_and_not_quoted(tmp_path):
    who = tmp_path / "who.toml"
    who.write_text('family_name = 3\nbirth_date = "Zzyzxson"\nsex = "Quillfeather"\nname = "x"\n')
    done = run("--fhir", tmp_path / "b.json", "--identity", who)
    assert done.exit_code == 2
    for field in ("family_name must be", "birth_date must be a date", "sex must be", "1 unknown"):
        assert field in done.output
    assert not [n for n in NAMES if n in done.output]
    assert not (tmp_path / "b.json").exists()


def test_an_identity_that_would_go_nowhere_is_refused(tmp_path):
    who = tmp_path / "who.toml"
    who.write_text(IDENTITY)
    done = run("--csv", tmp_path / "s.csv", "--identity", who)
    assert done.exit_code == 2
    assert "never name anybody" in done.output


def test_the_example_of_the_documentation_runs(tmp_path):
    text = (FILE.parents[1] / "docs" / "exports.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```sh\nhrm (export .*?)```", text, flags=re.DOTALL)
    words = shlex.split(example.replace("\\\n", " "))
    here = [str(FILE.parents[1] / w) if w.startswith("examples/") else w for w in words]
    there = [str(tmp_path / w) if w.startswith("study.") else w for w in here]
    done = CliRunner().invoke(main, there)
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.iterdir())) == 4
