"""Every kernel against its float64 twin, here or in two processes: `python -m engine.doctor.checks` is the second."""

import json
import os
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from threading import Thread

import numpy as np

from engine.doctor import cloud, convnets, networks
from engine.doctor.compare import Comparison, compare
from engine.errors import FileError, NeurosceneError
from engine.gpu.device import device

# One for each file of engine/kernels; what takes longest comes first.
CHECKS = {**networks.CHECKS, **convnets.CHECKS, **cloud.CHECKS}
ROOT = Path(__file__).resolve().parent.parent.parent


def check(names: Iterable[str] | None = None) -> list[Comparison]:
    """Kernels against their twins, on this machine's adapter: those of the names, or all.

    A kernel that does not run at all gives one comparison, not passed, that says why. Raises NoAdapterError.
    """
    device()
    rows: list[Comparison] = []
    for name in CHECKS if names is None else names:
        kernel, twin = import_module(f"engine.kernels.{name}"), import_module(f"engine.reference.{name}")
        try:
            rows.extend(compare(name, *row) for row in CHECKS[name](kernel, twin))
        except FileError:
            raise  # the folder for shaders: no fault of a kernel
        except NeurosceneError as error:
            rows.append(_not_run(name, str(error)))
    return rows


def in_turn(names: Sequence[str], make: Callable[[list[str]], list[Comparison]]) -> Iterator[list[Comparison]]:
    """The rows of each check, made one after the other by `make`."""
    return (make([name]) for name in names)


def abreast(names: Sequence[str], make: Callable[[list[str]], list[Comparison]]) -> Iterator[list[Comparison]]:
    """The rows of each check, as they are found: a second process makes some while `make` makes others.

    A software driver compiles on one core; on two, both are busy. A driver that ends the second process gives a row
    that says so.
    """
    waiting, found = deque(names), queue.SimpleQueue[list[Comparison]]()
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    second = subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    asking = Thread(target=_ask, args=(second, waiting, found), daemon=True)
    asking.start()
    try:
        while waiting:
            try:
                name = waiting.popleft()
            except IndexError:  # the other one has taken it
                break
            found.put(make([name]))
            while not found.empty():
                yield found.get()
        asking.join()
        while not found.empty():
            yield found.get()
    finally:
        second.kill()
        second.communicate()


def _ask(second, waiting, found):
    """Has the second process make checks until none waits."""
    while waiting:
        try:
            name = waiting.popleft()
        except IndexError:
            return
        try:
            second.stdin.write(name + "\n")
            second.stdin.flush()
            answer = second.stdout.readline()
        except (OSError, ValueError):
            answer = ""
        if not answer:
            found.put([_not_run(name, f"its process ended with status {second.wait()}")])
            return
        found.put([Comparison(**row) for row in json.loads(answer)])


def _not_run(name, why):
    return Comparison(name, f"does not run: {why}", np.inf, 0.0, False)


def _answer():
    """Makes the checks whose names come by stdin, a line each; their rows go to stdout, a line of JSON each."""
    for line in sys.stdin:
        print(json.dumps([asdict(row) for row in check([line.strip()])]), flush=True)


if __name__ == "__main__":
    _answer()
