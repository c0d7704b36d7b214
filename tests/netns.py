# SPDX-License-Identifier: MIT
"""A network of its own, with nothing but a loopback that can be unplugged: then packets are lost and
nobody is told, as when a peer's machine loses its power."""

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import threading
import time

import pytest
from servers import PATIENCE

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
SIOCSIFADDR, SIOCSIFNAME = 0x8916, 0x8923
LOOPBACK = 1  # its index in every network

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def elsewhere(function):
    """What @function returns on a thread of its own, which may go to another network."""
    results = []

    def run():
        try:
            results.append((function(), None))
        except Exception as error:  # it is raised again below
            results.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    result, error = results[0]
    if error:
        raise error
    return result


def wait_for_address(address):
    """Until it can be bound: the kernel has it a little after it was given, later on a busy machine."""
    end = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        while True:
            try:
                return probe.bind((address, 0, 0, LOOPBACK))
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL or time.monotonic() > end:
                    raise
            time.sleep(0.001)


class Network:
    def __init__(self):
        def make():
            check(libc.unshare(CLONE_NEWNET))
            self.control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)

        self.descriptor = elsewhere(make)
        self.name = b"lo"
        self.plug(True)

    def enter(self):
        """Takes this thread there."""
        check(libc.setns(self.descriptor, CLONE_NEWNET))

    def run(self, function):
        """What @function returns when it runs there: sockets and processes that it makes stay there."""
        return elsewhere(lambda: (self.enter(), function())[1])

    def plug(self, in_):
        flags = struct.pack("16sh14x", self.name, IFF_UP if in_ else 0)
        fcntl.ioctl(self.control, SIOCSIFFLAGS, flags)

    def rename(self, name):
        """Gives the loopback another name."""
        self.plug(False)
        fcntl.ioctl(self.control, SIOCSIFNAME, struct.pack("16s16s8x", self.name, name))
        self.name = name
        self.plug(True)

    def add_address(self, address):
        """An IPv6 address for the loopback, once the kernel lets it be used: it looks for doubles first, on threads of its own."""
        request = struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, address), 64, LOOPBACK)
        with self.run(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as control:
            fcntl.ioctl(control, SIOCSIFADDR, request)
        self.run(lambda: wait_for_address(address))

    def close(self):
        self.control.close()
        os.close(self.descriptor)


@contextlib.contextmanager
def network():
    """A Network; where this user may not make one the test is skipped."""
    try:
        made = Network()
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS):
            raise
        pytest.skip("no network namespaces for this user")
    try:
        yield made
    finally:
        made.close()
