"""Ctrl-C while a driver compiles: the command ends at once, though the driver goes on, and says no more than usual."""

import signal
import subprocess
import sys

import pytest

# A driver that never has done compiling; the command is told that it may be stopped.
SLOW = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from engine.gpu import device
def compile(**descriptor):
    print("compiling", flush=True)
    threading.Event().wait()
make = device._new
def slow():
    made = make()
    made.handle.create_compute_pipeline = compile
    return made
device._new = slow
sys.argv[1:] = {args!r}
from engine.cli.main import main
sys.exit(main())
"""


@pytest.mark.parametrize("args", [["render", "marching", "-o", "a.png", "--size", "64x48"], ["doctor"]])
def test_ctrl_c_ends_a_command_whose_driver_compiles(args, tmp_path):
    command = [sys.executable, "-c", SLOW.format(args=args)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "compiling" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    # A limit for a test that fails, far above what an end takes.
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
