"""The programs that attack the project find nothing; a few of their damaged files and stops run here."""

import signal
import sys
from pathlib import Path

import pytest

from tools.fuzz import __main__ as fuzz
from tools.fuzz.kinds import KINDS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells the peak of memory")


@pytest.fixture
def alarm():
    def late(*_):
        raise fuzz.Hang

    before = signal.signal(signal.SIGPROF, late)
    yield
    signal.signal(signal.SIGPROF, before)


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_read_or_refused_in_a_line(name, tmp_path, alarm):
    if name in ("pt", "keras"):
        pytest.importorskip({"pt": "torch", "keras": "h5py"}[name], reason="it is no dependency")
    counts = fuzz.attacked(name, 40, tmp_path)
    assert sum(counts.values()) == 40 and set(counts) <= {"read", "refused"}, counts


def test_the_damage_is_the_same_every_time_and_a_fault_is_kept(tmp_path, alarm, monkeypatch):
    read = []

    def faulty(path):
        read.append(path.read_bytes())
        raise ZeroDivisionError("fault")

    monkeypatch.setitem(fuzz.KINDS, "csv", lambda: fuzz.Kind([b"1, 2, 3\n"] * 2, ".csv", faulty))
    found = [fuzz.attacked("csv", 20, tmp_path) for _ in range(2)]
    assert (
        found[0] == found[1] and read[:20] == read[20:] and all("ZeroDivisionError: fault" in text for text in found[0])
    )
    assert [Path(path).read_bytes() for path in tmp_path.iterdir()] == [read[0]]
