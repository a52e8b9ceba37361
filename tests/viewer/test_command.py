"""``hrm view`` as a process: the link, the faults, the end, and what a killed one leaves."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from websockets.sync.client import connect

from hrm.annotate import log_path, read_log
from hrm.cli.main import main
from hrm.viewer.serve import Terms, listen

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "manoview_36ch_normal.txt"
PEM = Path(__file__).parent / "data"
TLS = ("--tls-cert", str(PEM / "test-cert.pem"), "--tls-key", str(PEM / "test-key.pem"))


@contextmanager
def viewing(*arguments):
    """Start it, and give the process with the link it prints."""
    command = [sys.executable, "-m", "hrm", "view", *map(str, arguments), "--no-browser"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        link = None
        while link is None:
            line = process.stderr.readline()
            assert line, "ended without a link"
            link = re.search(r"https?://\S+", line)
        yield process, link[0]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@contextmanager
def entered(link, **more):
    """A client that opened the link."""
    base = link.partition("/?")[0]
    with httpx.Client(trust_env=False, base_url=base, timeout=60, **more) as client:
        assert client.get(link).status_code == 303
        yield client


def line_of(client):
    base = str(client.base_url).rstrip("/")
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return connect(
        base.replace("http", "ws") + "/api/live",
        origin=base,
        additional_headers={"Cookie": cookie},
        max_size=1 << 24,
        proxy=None,
    )


def ask(line, **message):
    line.send(json.dumps(message))
    return json.loads(line.recv(timeout=60))


def move(seq, new, *, commit):
    edit = {"object": "landmarks", "field": "les_upper_cm", "new": new}
    return {"seq": seq, "type": "edit", "commit": commit, "edits": [edit]}


def test_killed_in_a_drag_it_loses_that_drag_only(tmp_path):
    asked = (EXAMPLE, "--system", "manoscan", "--reviewer", "AB", "--review-dir", tmp_path)
    with viewing(*asked) as (process, link), entered(link) as client:
        study = client.get("/api/study").json()
        assert study["reader"] == "AB"
        at = study["result"]["landmarks"]["les_upper_cm"]
        sha256 = study["result"]["recording"]["sha256"]
        with line_of(client) as line:
            assert ask(line, **move(1, at - 0.3, commit=True))["draft"] is False
            assert ask(line, **move(2, at - 0.4, commit=True))["can"]["undo"]
            for k in range(20):
                line.send(json.dumps(move(3 + k, at - 0.5 - 0.01 * k, commit=False)))
            process.send_signal(signal.SIGKILL)
            process.wait()
    edits = read_log(log_path(sha256, tmp_path))
    assert [edit.new for edit in edits] == [at - 0.3, at - 0.4]
    assert not list(tmp_path.glob(".hrm-*"))


def test_only_the_newest_of_queued_drafts_is_answered(tmp_path):
    asked = (EXAMPLE, "--system", "manoscan", "--review-dir", tmp_path)
    with viewing(*asked) as (_, link), entered(link) as client:
        at = client.get("/api/study").json()["result"]["landmarks"]["les_upper_cm"]
        with line_of(client) as line:
            for k in range(30):
                line.send(json.dumps(move(k + 1, at - 0.01 * k, commit=False)))
            answers = []
            while not (answers and answers[-1]["seq"] == 30 and answers[-1]["settled"]):
                answers.append(json.loads(line.recv(timeout=60)))
    seen = [answer["seq"] for answer in answers]
    assert seen == sorted(seen)
    assert len(seen) < 20
    last = answers[-1]["result"]
    assert last["landmarks"]["les_upper_cm"] == at - 0.29


def test_a_moving_hand_is_answered_in_full_only_when_it_rests(tmp_path):
    asked = (EXAMPLE, "--system", "manoscan", "--review-dir", tmp_path)
    with viewing(*asked) as (_, link), entered(link) as client:
        at = client.get("/api/study").json()["result"]["landmarks"]["les_upper_cm"]
        with line_of(client) as line:
            seen = []
            for k in range(5):
                line.send(json.dumps(move(k + 1, at - 0.01 * k, commit=False)))
                while not (seen and seen[-1]["seq"] == k + 1):
                    seen.append(json.loads(line.recv(timeout=60)))
            seen.append(json.loads(line.recv(timeout=60)))
    assert [answer["seq"] for answer in seen] == [1, 2, 3, 4, 5, 5]
    assert [answer["settled"] for answer in seen] == [False] * 5 + [True]


def test_what_does_not_fit_is_said_once_and_in_words(tmp_path):
    asked = (EXAMPLE, "--system", "manoscan", "--review-dir", tmp_path)
    with viewing(*asked) as (_, link), entered(link) as client:
        at = client.get("/api/study").json()["result"]["landmarks"]["les_lower_cm"]
        with line_of(client) as line:
            said = ask(line, **move(1, at + 1.0, commit=False))
            assert said["type"] == "error"
            assert said["message"].startswith("The upper border of the LES cannot be applied")
            assert "_cm" not in said["message"]
            with pytest.raises(TimeoutError):
                line.recv(timeout=1.5)


def test_it_ends_when_nobody_looks(tmp_path):
    with viewing(EXAMPLE, "--idle-minutes", "0.02", "--review-dir", tmp_path) as (process, _):
        assert process.wait(timeout=60) == 0
        assert "nobody looked" in process.stderr.read()


def test_ctrl_c_ends_it_without_a_traceback(tmp_path):
    with viewing(EXAMPLE, "--review-dir", tmp_path) as (process, link):
        with entered(link) as client:
            assert client.get("/api/study").status_code == 200
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert "Traceback" not in process.stderr.read()


def test_remote_browsers_get_tls_and_that_name_only(tmp_path):
    asked = (EXAMPLE, "--allow-remote", "localhost", *TLS, "--review-dir", tmp_path)
    with viewing(*asked) as (_, link):
        assert link.startswith("https://localhost:")
        trusted = ssl.create_default_context(cafile=PEM / "test-cert.pem")
        with entered(link, verify=trusted) as client:
            cookie = next(iter(client.cookies.jar))
            assert cookie.secure
            assert client.get("/api/tile/0/0").status_code == 200
            other = {"Host": f"127.0.0.1:{client.base_url.port}"}
            assert client.get("/api/tile/0/0", headers=other).status_code == 400
            with pytest.raises(httpx.TransportError):
                httpx.get(link.replace("https", "http"), trust_env=False)


def refused(*arguments):
    result = CliRunner().invoke(main, ["view", *map(str, arguments)])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    return result.output


def test_a_port_that_is_taken_is_said_with_the_way_out():
    with listen(Terms()) as listening:
        port = listening.getsockname()[1]
        text = refused(EXAMPLE, "--no-browser", "--port", port)
    assert f"port {port} cannot be used" in text
    assert "--port" in text


def test_answers_do_not_wait_for_one_another():
    # The asyncio of every Python looks at this before it turns the waiting (Nagle) off.
    with listen(Terms()) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_remote_without_tls_is_refused():
    assert "needs TLS" in refused(EXAMPLE, "--allow-remote", "pc.example")
    assert "needs TLS" in refused(EXAMPLE, "--allow-remote", "pc.example", *TLS[:2])
    assert "--allow-remote" in refused(EXAMPLE, *TLS)


def test_a_name_is_no_code_of_a_reviewer():
    text = refused(EXAMPLE, "--reviewer", "Jane Doe")
    assert "code" in text
    assert "Jane" not in text
    assert "--reviewer" in refused(EXAMPLE, "--own-log")


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    empty = tmp_path / "x.txt"
    empty.write_bytes(b"\0" * 100)
    assert "error" in refused(empty, "--no-browser")


def test_without_a_browser_the_link_is_there_all_the_same(tmp_path):
    command = [sys.executable, "-m", "hrm", "view", EXAMPLE, "--review-dir", tmp_path]
    env = {**os.environ, "BROWSER": "/nonexistent/browser", "PATH": "", "DISPLAY": ""}
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=env)
    try:
        lines = [process.stderr.readline() for _ in range(3)]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert "token=" in lines[0]
    assert "No browser" in lines[2]


def test_a_recording_that_cannot_be_analyzed_opens_and_says_why(tmp_path):
    import numpy as np

    import hrm
    from hrm.io import write_native

    # One sensor says anything: nothing can be measured, all can be seen.
    pressure = np.zeros((1500, 36), np.float32)
    pressure[:, 5] = np.random.default_rng(0).normal(20, 5, 1500)
    file = tmp_path / "silent.h5"
    write_native(hrm.make_recording(pressure, sampling_rate=50.0, depth=range(36)), file)
    with viewing(file, "--review-dir", tmp_path) as (_, link), entered(link) as client:
        study = client.get("/api/study").json()
        assert study["result"] is None
        assert study["marks"] == {"study": {}, "swallows": [], "protocol": [], "beyond": {}}
        assert any("cannot be analyzed" in text for text in study["problems"])
        tile = np.frombuffer(client.get("/api/tile/0/0").content, "<f4").reshape(36, -1)
        np.testing.assert_array_equal(tile, pressure[:1024].T)
        assert client.get("/api/explain?metric=irp4s&swallow=1").status_code == 400
        with line_of(client) as line:
            answer = ask(line, **move(1, 20.0, commit=True))
        assert answer["type"] == "error"
        assert "analyzed" in answer["message"]


def test_nobody_else_on_this_machine_needs_to_be_trusted_with_the_port(tmp_path):
    with viewing(EXAMPLE, "--review-dir", tmp_path) as (_, link):
        port = int(re.search(r":(\d+)/", link)[1])
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
            raw.settimeout(20)
            assert b" 400 " in raw.recv(200)
