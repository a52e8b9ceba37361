"""Sensor positions: from a model, from the user, never from thin air."""

import numpy as np
import pytest

from hrm.errors import ParameterError, ProvenanceWarning
from hrm.io._catheter import resolve

USER_TABLE = """
[[catheter]]
model = "mine"
n_sensors = 3
depths_cm = [0, 1.5, 4]
"""


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "catheters.toml"
        path.write_text(text)
        return path

    return write


def test_by_model():
    found = resolve(22, catheter="CE4-0062")
    assert found.model == "CE4-0062"
    assert found.depths_cm[0] == 0
    assert found.depths_cm[-1] == 40


def test_by_depths():
    assert resolve(3, depths=(0, 1, 2.5)).depths_cm == (0.0, 1.0, 2.5)
    assert resolve(3, depths=(0, 1, 2.5)).model == "unknown"
    assert resolve(3, depths=tuple(np.arange(3.0))).depths_cm == (0.0, 1.0, 2.0)


def test_a_model_without_positions_takes_them_from_the_user():
    depths = tuple(float(k) for k in range(22))
    found = resolve(22, catheter="CE4-1083", depths=depths)
    assert (found.model, found.depths_cm) == ("CE4-1083", depths)


def test_users_table(table):
    path = table(USER_TABLE)
    assert resolve(3, catheter_file=path).depths_cm == (0.0, 1.5, 4.0)
    assert resolve(3, catheter_file=path, catheter="mine").model == "mine"
    assert resolve(22, catheter_file=path, catheter="CE4-0062").model == "CE4-0062"
    two = table(USER_TABLE + USER_TABLE.replace("mine", "other"))
    with pytest.raises(ParameterError, match=r"holds 2 models of its own.*mine, other"):
        resolve(3, catheter_file=two)


def test_a_model_that_the_user_replaced_is_used_with_a_warning(table):
    text = USER_TABLE.replace("mine", "manoscan-36")
    with pytest.raises(ParameterError, match="holds a model manoscan-36, which is known already"):
        resolve(3, catheter_file=table(text))
    path = table(text + "replaces = true")
    with pytest.warns(ProvenanceWarning, match="manoscan-36 are those of your own table"):
        assert resolve(3, catheter_file=path).depths_cm == (0.0, 1.5, 4.0)


def test_default_of_a_format():
    assert resolve(36, default="manoscan-36").model == "manoscan-36"
    assert resolve(36, default="manoscan-36", depths=tuple(range(36))).model == "unknown"


@pytest.mark.parametrize(
    ("n_sensors", "options", "message"),
    [
        (22, {}, r"Known models with 22 pressure channels: CE4-0062, CE4-1083 \(positions unknown"),
        (5, {}, "Known models with 5 pressure channels: none"),
        (32, {"default": "manoscan-36"}, "32 pressure channels: diversatek-32"),
        (22, {"catheter": "CE4-62"}, "unknown catheter 'CE4-62'.*CE4-0062"),
        (21, {"catheter": "CE4-0062"}, "has 22 pressure sensors, but the file has 21"),
        (22, {"catheter": "CE4-1083"}, r"give the 22 positions with depths=$"),
        (3, {"depths": (0, 1)}, "2 depths given, but the file has 3"),
        (3, {"depths": (0, 2, 1)}, "increase strictly"),
        (3, {"depths": (2, 1, 0)}, "increase strictly"),
        (3, {"depths": (0, 1, 1)}, "increase strictly"),
        (3, {"depths": (0, 1, float("nan"))}, "increase strictly"),
        (3, {"depths": (0, 1, float("inf"))}, "increase strictly"),
        (3, {"depths": ("0", "1", "x")}, "must be numbers"),
        (22, {"catheter": "CE4-0062", "depths": tuple(range(22))}, "contradict"),
    ],
)
def test_refusals(n_sensors, options, message):
    with pytest.raises(ParameterError, match=message):
        resolve(n_sensors, **options)


@pytest.mark.parametrize("text", ["", "not toml [", "[[catheter]]\nmodel = 'x'\n"])
def test_a_bad_table_of_the_user(text, table):
    with pytest.raises(ParameterError, match="catheter file"):
        resolve(3, catheter_file=table(text))


def test_a_user_of_python_and_one_of_the_command_line_are_both_told_what_to_give():
    with pytest.raises(ParameterError) as caught:
        resolve(22)
    for name in ("catheter", "depths", "catheter_file"):
        assert f"{name}=" in str(caught.value)
