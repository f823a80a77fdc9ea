"""Ctrl-C ends a command in one sentence, whatever breaks because of it."""

import signal
import subprocess
import sys
import threading

import pytest

from commands.console import interruptible

BROKEN = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from commands.console import interruptible
with interruptible():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        raise ConnectionError("the server of the orchestrator heard the key, too")
"""


def test_a_command_that_is_interrupted_says_so_and_nothing_else():
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.strip() == "interrupted: the same command goes on from what is done."


def test_errors_without_an_interrupt_stay_what_they_are():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ConnectionError, match="gone"), interruptible():
        raise ConnectionError("gone")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_job_that_ignores_the_key_goes_on_ignoring_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_threads_other_than_the_first_are_left_alone():
    found = []

    def work():
        with interruptible():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
