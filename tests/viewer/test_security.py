"""Who gets in, and who does not: real requests to a running server."""

import json
import socket
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from hrm.errors import ParameterError
from hrm.viewer.app import assets
from hrm.viewer.journal import Place
from hrm.viewer.security import HEADERS, MOST_BYTES
from hrm.viewer.serve import Terms, listen
from hrm.viewer.session import Opened, Session
from tests.viewer.conftest import OPTIONS, running

PATHS = ("/", "/static/index.html", "/api/study", "/api/tile/0/0", "/api/explain?metric=irp4s")


@pytest.fixture(scope="module")
def shared(example, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("log"), example.attrs["source_sha256"], "AB")
    file = place.folder / "study.txt"
    file.touch()
    return Session(Opened(file, example, OPTIONS, place))


@pytest.fixture
def served(shared):
    with running(lambda: shared) as found:
        yield found


def live(served, *, cookie=True, origin=None):
    headers = {"Cookie": f"{served.gate.cookie_name}={served.gate.cookie}"} if cookie else {}
    url = served.url.replace("http", "ws") + "/api/live"
    return connect(
        url,
        origin=served.url if origin is None else origin,
        additional_headers=headers,
        max_size=1 << 24,
        proxy=None,
    )


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_the_cookie(served, path):
    answer = served.get(path, cookie=False)
    assert answer.status_code == 401
    assert "depth_cm" not in answer.text


@pytest.mark.parametrize("cookie", ["", "x", "é"])
def test_a_wrong_cookie_opens_nothing(served, cookie):
    name = served.gate.cookie_name
    header = f"{name}={cookie}".encode()
    assert served.get("/", cookie=False, headers={b"Cookie": header}).status_code == 401


def test_the_link_opens_the_page_once(served):
    path = f"/?token={served.gate.token}"
    first = served.get(path, cookie=False)
    assert first.status_code == 303
    assert first.headers["location"] == "/"
    handed = first.headers["set-cookie"]
    assert handed.startswith(f"hrm_view_{served.gate.port}=")
    assert "HttpOnly" in handed
    assert "SameSite=Strict" in handed
    again = served.get(path, cookie=False)
    assert again.status_code == 403
    assert "set-cookie" not in again.headers
    assert "used already" in again.text
    # The browser that has the cookie may come back by the same link.
    assert served.get(path).headers["location"] == "/"


def test_a_wrong_token_is_refused_in_words_and_the_right_one_still_works(served):
    wrong = served.get("/?token=guess", cookie=False)
    assert wrong.status_code == 403
    assert "link" in wrong.text
    assert served.get(f"/?token={served.gate.token}", cookie=False).status_code == 303


def test_an_empty_token_does_not_open_a_page_whose_token_was_spent(served):
    served.get(f"/?token={served.gate.token}", cookie=False)
    assert served.get("/?token=", cookie=False).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil:80"])
def test_another_host_name_is_refused_even_with_the_cookie(served, host):
    assert served.get("/api/study", headers={"Host": host}).status_code == 400
    handshake = {
        "Origin": f"http://{host}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert served.get("/api/live", headers={**handshake, "Host": host}).status_code == 403
    own = {"Host": served.host, "Origin": served.url}
    assert served.get("/api/live", headers={**handshake, **own}).status_code == 101


def test_localhost_is_this_machine_too(served):
    host = f"localhost:{served.gate.port}"
    assert served.get("/api/tile/0/0", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_can_neither_connect_nor_post(served, origin):
    with pytest.raises(InvalidStatus, match="403"):
        live(served, origin=origin)
    assert served.post('{"action":"undo"}', origin=origin).status_code == 403


def test_a_post_without_origin_or_cookie_is_refused(served):
    with httpx.Client(cookies=served.cookies, trust_env=False) as client:
        assert client.post(f"{served.url}/api/action", content="{}").status_code == 403
    assert served.post('{"action":"undo"}', cookie=False).status_code == 401


def test_a_connection_without_cookie_is_refused(served):
    with pytest.raises(InvalidStatus, match="403"):
        live(served, cookie=False)


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/api/nothing", "/static/nothing.js"])
@pytest.mark.parametrize("cookie", [True, False])
def test_every_answer_has_the_headers(served, path, cookie):
    answer = served.get(path, cookie=cookie)
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value]
    assert "server" not in answer.headers


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(served):
    policy = served.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert served.get("/api/tile/0/0").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    [
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "js/../../app.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "..\\app.py",
        "index.html%00.js",
        "",
    ],
)
def test_only_files_of_the_page_are_sent(served, name):
    with socket.create_connection(("127.0.0.1", served.gate.port)) as raw:
        cookie = f"{served.gate.cookie_name}={served.gate.cookie}"
        head = f"GET /static/{name} HTTP/1.1\r\nHost: {served.host}\r\nCookie: {cookie}\r\n"
        raw.sendall((head + "Connection: close\r\n\r\n").encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split(b" ", 2)[1] == b"404"
    assert b"import" not in answer


def test_the_files_of_the_page_lie_under_static():
    found = assets()
    assert {"index.html"} <= found.keys()
    assert all(
        "static" in path.parts and ".." not in Path(name).parts for name, path in found.items()
    )


def test_bodies_and_messages_are_bounded(served):
    assert served.post(b"x" * (MOST_BYTES + 1)).status_code == 413
    with live(served) as line:
        line.send("x" * (MOST_BYTES + 1))
        with pytest.raises(ConnectionClosed, match="1009"):
            line.recv(timeout=10)


def test_a_body_of_unknown_length_is_bounded(served):
    def parts():
        for _ in range(40):
            yield b"x" * 4096

    answer = served.post(parts())
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "text", ["{", "[]", '"x"', '{"seq":"a"}', "[" * 5000, '{"seq":1,"type":"edit","edits":[1]}']
)
def test_nonsense_is_answered_in_words(served, text):
    with live(served) as line:
        line.send(text)
        answer = json.loads(line.recv(timeout=60))
        assert answer["type"] == "error"
        assert answer["message"]
    assert served.post(text).status_code == 400


def test_the_page_does_not_name_the_file_and_ids_say_nothing(served, example):
    text = served.get("/").text + served.get("/api/study").text
    assert "study.txt" not in text
    digest = example.attrs["source_sha256"]
    assert digest not in served.get("/api/study").json()["id"]


def test_a_fault_of_the_server_says_nothing_of_the_recording(served, monkeypatch):
    def boom(*_):
        raise RuntimeError("DOE^JANE")

    monkeypatch.setattr(Session, "explain", boom)
    answer = served.get("/api/explain?metric=irp4s")
    assert answer.status_code == 500
    assert "DOE" not in answer.text
    for name in HEADERS:
        assert name in answer.headers


def test_it_listens_on_this_machine_only():
    with listen(Terms()) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said():
    with listen(Terms()) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ParameterError, match=f"port {port} cannot be used"):
            listen(Terms(port=port))
