"""A worklist in the browser's server: the list, the study behind it, and what is not told."""

import asyncio
import json
import threading
import time
from contextlib import contextmanager

import httpx
import numpy as np
import pytest
import uvicorn
from websockets.sync.client import connect

from hrm import phantom
from hrm.annotate import append, read_log
from hrm.cli.worklist import opened_of
from hrm.edits import Change
from hrm.io import write_native
from hrm.readings import deciding_log, reading_path
from hrm.viewer.serve import LOOPBACK, Terms, _config, gate_of, listen
from hrm.viewer.shelf import Shelf
from hrm.worklist import listing
from hrm.worklist.desk import Desk
from hrm.worklist.listing import listed, of_reader
from hrm.worklist.order import order_for
from hrm.worklist.plan import WorklistPlan
from hrm.worklist.results import Results
from hrm.worklist.studies import find_studies

SIGN = Change("study", "signed_off", new=True)
PLAN = WorklistPlan(("AB", "CD"), adjudicator="EF", double=True, reread=0.4, seed=3)
#: What no blinded reader may meet: name of the file, visit, arm, date.
PLANTED = ("Doe_Jane", "VISIT-7", "ARM-VERUM", "1961-05-17", "17.05.1961", "PART-99", "heard of CD")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Three recordings, whose names and notes tell whose they are."""
    folder = tmp_path_factory.mktemp("recordings")
    for seed, kind in enumerate(("normal", "achalasia_type_2", "normal")):
        made = phantom.draw(kind, seed=seed, n_supine=3, n_upright=0)
        recording = phantom.sample(made, catheter="manoscan-36", sampling_rate=20.0, seed=seed)
        path = folder / f"Doe_Jane_{seed}_VISIT-7_ARM-VERUM_1961-05-17.txt"
        phantom.write_manoview(recording, path)
    # One in hrm's own format, which keeps what was typed.
    events = recording["events"].to_dataset()
    typed = np.full(events.sizes["event"], "Doe_Jane VISIT-7 ARM-VERUM 17.05.1961", object)
    recording["events"] = events.assign(note=("event", typed))
    path.unlink()
    write_native(recording, path.with_suffix(".h5"))
    (folder / "settings.toml").write_text('[defaults]\nsystem = "manoscan"\nposture = "supine"\n')
    return folder


@pytest.fixture
def folder(recordings, tmp_path):
    for path in recordings.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


class Client:
    """A browser's part."""

    def __init__(self, gate):
        self.gate = gate
        self.url = f"http://{LOOPBACK}:{gate.port}"
        self.cookies = {gate.cookie_name: gate.cookie}

    def get(self, path, *, cookie=True):
        with httpx.Client(cookies=self.cookies if cookie else None, trust_env=False) as client:
            return client.get(self.url + path, timeout=60)

    def rows(self):
        return self.get("/api/worklist").json()["studies"]

    def settled(self):
        """The list once nothing is being compared."""
        while any(row["status"] == "comparing" for row in self.rows()):
            time.sleep(0.1)
        return self.rows()

    def id_of(self, code):
        return next(row["id"] for row in self.rows() if row["code"] == code)

    @contextmanager
    def line(self, own):
        headers = {"Cookie": f"{self.gate.cookie_name}={self.gate.cookie}"}
        with connect(
            f"{self.url.replace('http', 'ws')}/study/{own}/api/live",
            origin=self.url,
            additional_headers=headers,
            proxy=None,
        ) as line:
            yield lambda **said: line.send(json.dumps(said)) or line.recv(timeout=60)


@contextmanager
def serving(folder, reader="", *, blinded=False, hide=False, plan=PLAN):
    desk = Desk(
        folder,
        plan,
        find_studies(folder, plan),
        reader=reader,
        blinded=blinded,
        no_diagnosis=hide,
    )
    terms = Terms(browser=False)
    with listen(terms) as listening:
        gate = gate_of(listening, terms)
        shelf = Shelf(desk, lambda code: opened_of(desk, code, hide=hide), gate)
        server = uvicorn.Server(_config(shelf, terms))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Client(gate)
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            shelf.close()
            desk.close()


def sign(folder, study, reader, *changes):
    path = reading_path(study.sha256, folder, reader)
    append(path, *changes, SIGN, sha256=study.sha256, reader=reader, reason="read")


def exclude(folder, study):
    onset = Results(folder).of(study, None)["swallows"][0]["onset_s"]
    return Change(f"swallow@{round(onset, 2):.2f}", "include", new=False)


def test_a_reader_gets_the_own_order_and_signs_in_the_own_log(folder):
    studies = {study.code: study for study in find_studies(folder, PLAN)}
    with serving(folder, "AB") as client:
        rows = client.rows()
        order = order_for("AB", [study.sha256 for study in studies.values()], PLAN)
        assert [studies[row["code"]].sha256 for row in rows] == order
        assert {row["status"] for row in rows} == {"new"}
        own = rows[0]["id"]
        assert rows[0]["code"] not in own
        study = client.get(f"/study/{own}/api/study").json()
        assert (study["reader"], study["code"]) == ("AB", rows[0]["code"])
        with client.line(own) as ask:
            assert json.loads(ask(seq=1, type="sign_off"))["locked"]
        assert [row["own"] for row in client.rows()] == ["signed", "new", "new"]
        place = client.get(f"/study/{own}/api/place").json()
        assert (place["position"], place["of"]) == (1, 3)
        assert (place["previous"], place["next"]) == (None, rows[1]["id"])
    signed = studies[rows[0]["code"]]
    (edit,) = read_log(reading_path(signed.sha256, folder, "AB"))
    assert edit.field == "signed_off"


def test_only_disagreements_come_to_the_adjudicator_and_the_signature_settles(folder):
    study, other, _ = find_studies(folder, PLAN)
    for each in (study, other):
        sign(folder, each, "AB")
    sign(folder, other, "CD")
    sign(folder, study, "CD", exclude(folder, study))
    with serving(folder, "EF") as client:
        (row,) = client.settled()
        assert (row["code"], row["status"]) == (study.code, "disagreement")
        found = client.get(f"/study/{row['id']}/api/readings").json()
        assert found["sides"] == ["automatic", "AB", "CD"]
        differing = {(each["what"], each["swallow"]) for each in found["rows"] if each["differs"]}
        assert ("evaluable", 1) in differing
        assert ("n_evaluable", None) in differing
        assert ("evaluable", 2) not in differing
        values = next(e for e in found["rows"] if e["what"] == "n_evaluable")["values"]
        assert values[0] == values[1] == values[2] + 1
        with client.line(row["id"]) as ask:
            assert json.loads(ask(seq=1, type="sign_off"))["locked"]
        (row,) = client.settled()
        assert row["status"] == "signed"
    assert deciding_log(study.sha256, folder) == reading_path(study.sha256, folder, "EF")


def everything(client):
    """Every answer of the server that a page asks for, head and body."""
    paths = ["/", "/api/worklist", "/api/nothing", "/static/worklist.js", "/study/none/api/study"]
    for row in client.settled():
        base = f"/study/{row['id']}/"
        paths += [base, base.rstrip("/"), base + "api/study", base + "api/place"]
        paths += [base + "api/readings", base + "api/explain?metric=irp4s&swallow=1"]
        paths += [base + "api/explain?metric=diagnosis_ccv4", base + "api/tile/0/0"]
    for path in paths:
        answer = client.get(path)
        # Tiles are samples; as text they are noise in which nothing is ever found by chance.
        yield path, f"{answer.url} {dict(answer.headers)}", answer.content.decode("latin-1")
    for row in client.rows():
        with client.line(row["id"]) as ask:
            edit = {"object": "landmarks", "field": "les_upper_cm", "new": 99.0}
            yield "live", "", ask(seq=1, type="edit", commit=True, edits=[edit])
            yield "live", "", ask(seq=2, type="settings", posture="upright")
            yield "live", "", ask(seq=3, type="reopen")
            edit = {"object": "study", "field": "comment", "new": "a remark"}
            yield "live", "", ask(seq=4, type="edit", commit=True, edits=[edit])
            yield "live", "", ask(seq=5, type="stability")
            yield "live", "", ask(seq=6, type="sign_off")
    for row in client.rows():
        for path in ("api/study", "api/readings", "api/explain?metric=dci&swallow=1"):
            yield path, "", client.get(f"/study/{row['id']}/{path}").text


def test_a_blinded_reader_meets_nothing_that_tells(folder, capfd):
    files = sorted(path for path in folder.iterdir() if path.suffix in (".txt", ".h5"))
    lines = [f"{file.name},PART-99-{k},VISIT-7" for k, file in enumerate(files)]
    (folder / "manifest.csv").write_text("\n".join(["path,participant,visit", *lines]) + "\n")
    for study in find_studies(folder, PLAN):
        remark = Change("study", "comment", "heard of CD")
        sign(folder, study, "CD", exclude(folder, study), remark)
    digests = [study.sha256[:12] for study in find_studies(folder, PLAN)]
    with serving(folder, "AB", blinded=True, hide=True) as client:
        said = list(everything(client))
        for row in client.rows():
            assert row["readers"] == {}
            assert row["waits_for"] == []
            assert row["status"] == row["own"]
    assert len(said) > 25
    for path, head, body in [*said, ("log", "", "".join(capfd.readouterr()))]:
        text = head + body
        for word in (*PLANTED, *digests, str(folder), "CD"):
            found = word.lower() in text.lower() if word != "CD" else '"CD"' in text
            assert not found, (path, word)


def test_without_the_blind_the_same_search_finds_it(folder):
    with serving(folder, "AB") as client:
        text = "".join(head + body for _, head, body in everything(client))
    assert "VISIT-7" in text
    assert all(study.sha256 in text for study in find_studies(folder, PLAN))


def test_a_hidden_diagnosis_is_nowhere(folder):
    found = [
        Results(folder).of(study, None)["classification"] for study in find_studies(folder, PLAN)
    ]
    trees = [each[key] for each in found for key in ("ccv4", "ccv3")]
    labels = {tree["diagnosis"] for tree in trees}
    assert labels == {"normal", "achalasia_type_2"}
    for hide in (True, False):
        with serving(folder, "AB", blinded=True, hide=hide) as client:
            said = "".join(without_words(path, body) for path, _, body in everything(client))
        # "normal" is a type of a swallow too; steps of a tree lead to either.
        assert ("achalasia_type_2" in said) is not hide
        assert ('"rationale":[{' in said) is not hide


def without_words(path, body):
    """What an answer says, without the words for all codes, the same in every study."""
    if not path.endswith("api/study") or "words" not in body:
        return body
    return json.dumps({**json.loads(body), "words": {}})


def test_the_diagnosis_is_hidden_if_asked(folder):
    with serving(folder, "AB", blinded=True, hide=True) as client:
        for row in client.rows():
            study = client.get(f"/study/{row['id']}/api/study").json()
            trees = study["result"]["classification"]
            assert [trees[key]["diagnosis"] for key in ("ccv4", "ccv3")] == [None, None]
            assert trees["ccv4"]["rationale"] == []
            assert study["result"]["engine"]["limit_ids"] == []
            answer = client.get(f"/study/{row['id']}/api/explain?metric=diagnosis_ccv4")
            assert answer.status_code == 400
            assert "hidden" in answer.text
            readings = client.get(f"/study/{row['id']}/api/readings").json()
            assert readings["rows"][0]["values"] == ["hidden"]


def test_a_blinded_reader_who_signed_still_sees_no_other(folder):
    study, *_ = find_studies(folder, PLAN)
    for reader in ("AB", "CD"):
        sign(folder, study, reader)
    for blinded, sides in ((True, ["automatic", "own"]), (False, ["automatic", "CD", "own"])):
        with serving(folder, "AB", blinded=blinded) as client:
            own = client.id_of(study.code)
            assert client.get(f"/study/{own}/api/readings").json()["sides"] == sides
    with serving(folder, "CD") as client:
        other = next(row for row in client.rows() if row["code"] != study.code)
        sides = client.get(f"/study/{other['id']}/api/readings").json()["sides"]
        assert sides == ["automatic"]


def test_who_has_no_cookie_gets_nothing(folder):
    with serving(folder, "AB") as client:
        own = client.rows()[0]["id"]
        for path in ("/", "/api/worklist", f"/study/{own}/", f"/study/{own}/api/study"):
            answer = client.get(path, cookie=False)
            assert answer.status_code == 401
            assert answer.headers["cache-control"] == "no-store"
        assert client.get("/study/guess/api/study").status_code == 404


def test_addresses_are_others_in_every_run(folder):
    found = []
    for _ in range(2):
        with serving(folder, "AB") as client:
            found.append({row["id"] for row in client.rows()})
    assert not found[0] & found[1]


def test_a_recording_that_cannot_be_read_is_named_by_its_code(folder):
    with serving(folder, "AB", blinded=True) as client:
        row = client.rows()[0]
        study = next(each for each in find_studies(folder, PLAN) if each.code == row["code"])
        study.path.write_bytes(b"\0" * 50)
        answer = client.get(f"/study/{row['id']}/api/study")
        assert answer.status_code == 400
        assert row["code"] in answer.text
        assert "Doe" not in answer.text


def test_more_studies_than_are_held_open(folder, monkeypatch):
    monkeypatch.setattr("hrm.viewer.shelf._MOST_OPEN", 1)
    with serving(folder, "AB") as client:
        for _ in range(2):
            for row in client.rows():
                study = client.get(f"/study/{row['id']}/api/study").json()
                assert study["code"] == row["code"]


def test_the_served_list_is_the_printed_one(folder):
    study, *_ = studies = find_studies(folder, PLAN)
    sign(folder, study, "AB")
    results = Results(folder)
    rows = [listed(each, PLAN, results.differ(each, PLAN)) for each in studies]
    with serving(folder, "CD") as client:
        told = [(row["code"], row["status"], row["readers"]) for row in client.rows()]
    printed = of_reader(rows, "CD", PLAN)
    assert told == [(r.study.code, r.state.status, dict(r.state.by_reader)) for r in printed]


def test_a_list_reads_only_the_logs_that_changed(folder, monkeypatch):
    studies = find_studies(folder, PLAN)
    for study in studies:
        sign(folder, study, "AB")
    read, real = [], listing.read_reading

    def counted(path, reader):
        read.append(path)
        return real(path, reader)

    monkeypatch.setattr(listing, "read_reading", counted)
    with serving(folder, "AB") as client:
        assert len(read) == len(studies)
        client.rows()
        assert len(read) == len(studies)
        sign(folder, studies[0], "CD")
        client.settled()
        assert [path.name[65:67] for path in read[len(studies) :]] == ["AB", "CD"]


def test_the_adjudicator_reads_what_the_readers_remarked_and_nobody_else_does(folder):
    study, *_ = find_studies(folder, PLAN)
    sign(folder, study, "AB")
    sign(folder, study, "CD", exclude(folder, study), Change("study", "comment", "cough at 30 s"))
    for reader, blinded in (("EF", True), ("EF", False), ("", False)):
        with serving(folder, reader, blinded=blinded) as client:
            client.settled()
            own = client.id_of(study.code)
            said = client.get(f"/study/{own}/api/readings").json()["comments"]
        (side,) = {each["side"] for each in said}
        assert side in ("reading 1", "reading 2") if blinded else side == "CD"
        told = {each["object"].partition("@")[0]: each["text"] for each in said}
        assert told.pop("study") == "cough at 30 s"
        assert told.pop("swallow").startswith("left out: ")
        assert not told
    with serving(folder, "AB", blinded=True) as client:
        own = client.id_of(study.code)
        assert client.get(f"/study/{own}/api/readings").json()["comments"] == []


def test_what_two_agree_on_is_settled_too(folder):
    study, *_ = find_studies(folder, PLAN)
    for reader in ("AB", "CD"):
        sign(folder, study, reader, exclude(folder, study))
    with serving(folder, "EF") as client:
        client.settled()
        (row,) = client.rows()
        assert (row["code"], row["status"]) == (study.code, "disagreement")
    sign(folder, study, "EF", Change("study", "adjudicates", new=True), exclude(folder, study))
    with serving(folder, "") as client:
        client.settled()
        (row,) = [row for row in client.rows() if row["code"] == study.code]
        assert row["status"] == "signed"
        assert row["readers"] == {"AB": "signed", "CD": "signed", "EF": "settled"}


def test_readings_of_blinded_readers_are_not_in_the_order_of_their_codes(folder):
    firsts = set()
    for study in find_studies(folder, PLAN):
        for reader in ("AB", "CD"):
            sign(folder, study, reader, *([exclude(folder, study)] if reader == "CD" else []))
        with serving(folder, "EF", blinded=True) as client:
            client.settled()
            found = client.get(f"/study/{client.id_of(study.code)}/api/readings").json()
        assert found["sides"] == ["automatic", "reading 1", "reading 2"]
        counted = next(row for row in found["rows"] if row["what"] == "n_evaluable")["values"]
        firsts.add(counted[1] == counted[0])
    assert firsts == {True, False}
