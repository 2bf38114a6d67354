"""What holds for every test: portable limits, no deadlines, and a line that says what is about to run."""

import os
import signal
import sys
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

# Before the engine is imported: the device reads it once. What passes within portable limits runs on any adapter.
os.environ["NEUROSCENE_PORTABLE"] = "1"
# Before numpy is: its threads wait for small products of matrices in loops that keep a processor busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Some machines are set to keep no bytecode; each process that a test starts would then compile the engine anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A slow or busy machine is no fault, so nothing has a deadline. The examples are the same at every run: a change that
# passes here passes elsewhere. `--hypothesis-profile=explore` draws other ones and prints how to repeat a failure.
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, **PATIENT)
settings.register_profile("explore", print_blob=True, **PATIENT)
settings.load_profile("same")


# Of the processor, measured over all tests, on two cores with Mesa's software driver.
SECONDS_A_TEST = 0.115


def announcement(count, processes):
    """What is about to run, in a line; None for a few tests."""
    minutes = max(1, round(count * SECONDS_A_TEST / 60 / processes))
    about = f"roughly {minutes} min on two quiet cores" if count >= 200 else None
    return about and f"{count:,} tests, {about}; the percentage at the end of each line says how far they are."


def pytest_report_collectionfinish(config, items):
    return announcement(len(items), 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node, ids):
    """Each of the processes of `pytest -n` has found the same tests; the first says so."""
    if node.gateway.id == "gw0" and (line := announcement(len(ids), node.config.option.numprocesses or 1)):
        node.config.pluginmanager.getplugin("terminalreporter").write_line(line)


@pytest.fixture(scope="session", autouse=True)
def terminal_signals():
    """Signals as of a program in a terminal: started in the background or by nohup, this process ignores some."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture
def ctrl_c():
    """A function that does what the terminal does at Ctrl-C."""
    return lambda: os.kill(os.getpid(), signal.SIGINT)


class Answer(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    def is_one_line(self):
        return self.err.endswith("\n") and self.err.count("\n") == 1 and self.err.startswith("neuroscene: ")


@pytest.fixture
def ask(capfd):
    """Runs a command in this process: its status, stdout and stderr."""
    from engine.cli import main

    def run(*words):
        capfd.readouterr()
        status = main.main([str(word) for word in words])
        sys.stdout.flush()
        answer = Answer(status, *capfd.readouterr())
        assert "Traceback" not in answer.err
        return answer

    return run
