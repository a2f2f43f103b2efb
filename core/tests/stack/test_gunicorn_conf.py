"""A worker's threads share a few arenas, whatever they allocate at the same moment."""

import subprocess
import sys

import pytest

from stack import gunicorn_conf
from stack.checkout import ROOT

# Prints how many arenas glibc has made for 16 threads that allocate at once.
COUNT_ARENAS = """
import ctypes, sys, threading
from stack import gunicorn_conf
if sys.argv[1] == "shared":
    gunicorn_conf.share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(16)
def allocate():
    together.wait()
    libc.malloc(5_000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
stream = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, ctypes.c_void_p(stream))
libc.fclose(ctypes.c_void_p(stream))
"""


def arenas(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_ARENAS, how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")
def test_threads_share_as_many_arenas_as_we_say() -> None:
    assert arenas("shared") <= gunicorn_conf.ARENAS
    assert arenas("each its own") > gunicorn_conf.ARENAS


def test_a_worker_begins_by_sharing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(gunicorn_conf, "tie_to_parent", lambda at_death: done.append("tied"))
    monkeypatch.setattr(gunicorn_conf, "share_arenas", lambda: done.append("shared"))
    gunicorn_conf.post_fork(None, None)
    assert done == ["tied", "shared"]
