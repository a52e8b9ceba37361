"""``hrm view --blinded``: what is searched for must not be anywhere."""

import json
import shutil

import pytest

from hrm.viewer.mask import Mask
from tests.viewer.test_command import EXAMPLE, entered, line_of, move, viewing

NAME = "Doe_Jane_VISIT-7_1961-05-17"
PATHS = (
    "/",
    "/api/study",
    "/api/explain?metric=irp4s&swallow=1",
    "/api/nothing",
    "/api/readings",
    "/api/explain?metric=dci&swallow=2",
    "/static/main.js",
)
GIVEN = ("--system", "manoscan", "--posture", "supine", "--reviewer", "AB")


def said(folder, *options):
    """Everything that a viewer says of a file with a telling name."""
    file = folder / f"{NAME}.txt"
    shutil.copyfile(EXAMPLE, file)
    with viewing(file, *GIVEN, *options) as (process, link):
        found = [link]
        with entered(link) as client:
            for path in PATHS:
                answer = client.get(path)
                found.append(f"{answer.url} {dict(answer.headers)} {answer.text}")
            study = client.get("/api/study").json()
            with line_of(client) as line:
                for new in (99.0, 27.4):
                    line.send(json.dumps(move(1, new, commit=True)))
                    found.append(line.recv(timeout=60))
                file.unlink()
                line.send(json.dumps(move(2, 27.3, commit=True)))
                found.append(line.recv(timeout=60))
        process.terminate()
        found.append(process.stderr.read())
    return study, "\n".join(found)


def test_nothing_tells_whose_file_it_is(tmp_path, example):
    study, text = said(tmp_path, "--blinded")
    digest = example.attrs["source_sha256"]
    assert study["code"]
    for word in (NAME, "Doe", "VISIT-7", "1961", str(tmp_path), digest, digest[:12]):
        assert word not in text
    # Edits of a blinded reader lie in a log that shows nobody else's.
    assert [path.name for path in tmp_path.glob("*.jsonl")] == [f"{digest}.AB.review.jsonl"]
    _, open_text = said(tmp_path)
    assert digest in open_text


def test_the_diagnosis_is_hidden_if_asked(tmp_path):
    study, _ = said(tmp_path, "--hide-diagnosis")
    assert study["result"]["classification"]["ccv4"]["diagnosis"] is None
    study, _ = said(tmp_path)
    assert study["result"]["classification"]["ccv4"]["diagnosis"] == "normal"


@pytest.mark.parametrize("hidden", [True, False])
def test_texts_lose_names_and_digests_at_any_depth(hidden):
    mask = Mask("XK3F2A", "/data/Doe/Doe_Jane.txt", "ab" * 32, blinded=hidden)
    content = {"a": [f"read Doe_Jane.txt, {'ab' * 32}", {"b": "/data/Doe/Doe_Jane.txt"}], "n": 3.0}
    out = mask.words(content)
    assert ("Doe" in json.dumps(out)) is not hidden
    assert out["n"] == 3.0
    assert (out == content) is not hidden
