"""Which file is to blame when a worker ends."""

import pytest

from hrm.batch import Settings
from hrm.batch.cluster import _Running
from hrm.batch.worker import Job


@pytest.mark.parametrize(
    ("n_begun", "n_sent", "to_blame"),
    [
        (2, 1, True),  # begun, and its worker ended, twice
        (0, 1, False),  # waited for workers that other files ended
        (1, 1, False),  # begun once, and once it waited
        (1, 2, False),
        (0, 3, True),  # ends its worker before that can say that it began
    ],
)
def test_a_file_that_only_waited_is_not_to_blame(n_begun, n_sent, to_blame):
    running = _Running(Job(1, "a.txt", Settings(), ""), None, 0.0)
    running.n_begun, running.n_sent = n_begun, n_sent
    assert running.is_to_blame is to_blame
