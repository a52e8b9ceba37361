"""Files appear complete or not at all, and nothing but files is replaced."""

import os
import stat

import pytest

from hrm._files import check_target, new_file


def test_a_file_appears_when_it_is_complete(tmp_path):
    with new_file(tmp_path / "a.txt") as place:
        place.write_text("x")
        assert not (tmp_path / "a.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_fault_leaves_nothing(tmp_path):
    def halfway():
        with new_file(tmp_path / "a.txt") as place:
            place.write_text("x")
            raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        halfway()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_device_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="a device or a pipe"), new_file(pipe, overwrite=True):
        pass
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    from pathlib import Path

    with pytest.raises(OSError, match="a device or a pipe"):
        check_target(Path(os.devnull), overwrite=True)
