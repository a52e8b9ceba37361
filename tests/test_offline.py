"""The guard in conftest.py: other machines are out of reach, this one is not."""

import socket

import pytest


@pytest.mark.parametrize("address", ["192.0.2.1", "example.invalid"])
def test_other_machines_are_out_of_reach(address):
    with socket.socket() as client, pytest.raises(RuntimeError, match="network"):
        client.connect((address, 80))


def test_this_machine_is_within_reach():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()
