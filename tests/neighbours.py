# SPDX-License-Identifier: MIT
"""Tests run side by side, in processes of their own (ci/test-whole): what they share is one's at a time."""

import contextlib
import fcntl


@contextlib.contextmanager
def one_at_a_time(lock):
    """Who comes second waits. @lock is a file's path; also a decorator."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
