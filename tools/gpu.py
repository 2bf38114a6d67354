"""`make gpu`: doctor, the tests and every benchmark on the adapter at hand; the rows go to benchmarks/results.

A step that fails does not stop the next. `make gpu ARGS="rays bars"` runs only these benchmarks.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def steps(benchmarks):
    """(what, words after `python`) of each step."""
    return [
        ("doctor", ["-m", "engine", "doctor"]),
        ("tests", ["-m", "pytest", "-n", "2", "--dist", "loadfile", "-q"]),
        ("benchmarks", ["-m", "benchmarks", *benchmarks]),
    ]


def main(benchmarks, run=subprocess.run):
    adapter = "from engine.gpu.device import platform; print(platform())"
    if run([sys.executable, "-c", adapter], cwd=ROOT, check=False).returncode:
        return "gpu: there is no adapter here; `neuroscene doctor` says what is missing."
    failed = []
    for what, words in steps(benchmarks):
        begun = time.monotonic()
        status = run([sys.executable, *words], cwd=ROOT, check=False).returncode
        print(f"gpu: {what}: {'failed' if status else 'well'}, {time.monotonic() - begun:.0f} s", flush=True)
        failed += [what] * (status != 0)
    print("gpu: the rows in benchmarks/results name this adapter. Please send them, and what failed, as an issue.")
    return f"gpu: {', '.join(failed)} failed." if failed else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
