"""Settings of the whole test run: reproducible Hypothesis, and no network."""

import ipaddress
import os
import socket

import pytest
from hypothesis import HealthCheck, settings

# Its assertions say what was compared, as those of the tests do.
pytest.register_assert_rewrite("tests.io.conformance")

settings.register_profile(
    "hrm",
    deadline=None,  # the first call of a kernel compiles it
    derandomize=True,  # the same examples everywhere: a red run can be repeated
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hrm")

# The catheters of whoever runs the tests must not change an answer.
os.environ["HRM_CATHETERS"] = "off"


def _is_local(address):
    if not isinstance(address, tuple):
        return True  # the path of a Unix socket
    try:
        return ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """Nothing in hrm talks to another machine; a test that tries fails."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(real):
        def run(self, address):
            if not _is_local(address):
                raise RuntimeError("a test tried to open a network connection")
            return real(self, address)

        return run

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
