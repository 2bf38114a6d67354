"""`make gpu` runs everything on the adapter at hand, and says what failed."""

import subprocess

import pytest

from tools import gpu


@pytest.fixture
def ran():
    """A function in place of subprocess.run, which notes what was asked, and whose statuses may be chosen."""

    def run(words, **more):
        run.asked.append(" ".join(words[1:]))
        return subprocess.CompletedProcess(words, run.statuses.get(len(run.asked) - 1, 0))

    run.asked, run.statuses = [], {}
    return run


def test_doctor_tests_and_benchmarks_are_run_in_this_order(ran, capsys):
    assert gpu.main(["rays"], ran) is None
    assert [any(word in words for words in ran.asked) for word in ("platform()", "doctor", "pytest")] == [True] * 3
    assert ran.asked[-1] == "-m benchmarks rays" and len(ran.asked) == 4
    assert "benchmarks/results" in capsys.readouterr().out


def test_what_fails_is_named_and_stops_nothing(ran):
    ran.statuses = {1: 1, 2: 1}
    assert gpu.main([], ran) == "gpu: doctor, tests failed." and len(ran.asked) == 4


def test_without_an_adapter_nothing_is_run(ran):
    ran.statuses = {0: 1}
    assert "no adapter" in gpu.main([], ran) and len(ran.asked) == 1
