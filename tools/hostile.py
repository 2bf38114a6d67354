"""Gives every setting of every included scene hostile values, one by one and many together, and says what broke.

    python tools/hostile.py                    every value of every setting
    python tools/hostile.py --random 1000      so many random subsets of settings, with random hostile values
    python tools/hostile.py --states 1000      so many pictures whose stored state has hostile values
    python tools/hostile.py --scene marching   of one scene alone

Each is a command `neuroscene render` of a small picture, in this process. Right is a picture and notes on stderr, or
one line that says what is wrong; wrong is a traceback, a fault, a warning of Python's, a long message, a file left.
"""

import argparse
import io
import json
import math
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from engine.app.lookup import find_scene
from engine.app.picture_state import KEYWORD, stored
from engine.cli.main import MISTAKE, OK, main
from engine.output.writers.png import encode
from engine.scene.settings import Choice, Integer, Number, Switch, is_data, settings
from engine.scene.view_data import Clock
from scenes import SCENES

SMALL = ["--size", "12x10", "--supersample", "1"]
# The longest message: a line that quotes a long value shortens it.
LONGEST = 2000
# Seconds of all cores for a small picture, on a software driver.
MAX_SECONDS = 240
# Settings whose largest values take minutes, so that many together are tried with less.
COSTLY = {"hidden": 24, "depth": 6, "width": 40, "steps": 2000, "batch": 64, "runs": 2, "layers": 8}
# Texts that are no value of most settings, and ways in which numbers are written that Python or a person may know.
TEXTS = (
    "", " ", "nan", "inf", "-inf", "1e999", "1e308", "-1e308", "1e-320", "-1e-320", "0", "-0", "-0.0", "-1", "0,5",
    "1_0", "0x10", "1e3", "2.0", "٣", "½", "true", "None", "a", "'", "\n", "\0", "\udcff", "\x1b[31m", "‮",
    "9" * 5000, "x" * 100_000, "%s{0}", "--set", "=", "1=2", "/", "..", "/dev/null", "nan,nan", "1e308,1e308,1e308",
    ",,,", ";", str(2**31 - 1), str(2**31), str(2**63), str(2**64), "1.1", "99.99", "9" * 25 + ".5",
)  # fmt: skip


def values(setting: Any) -> list[str]:
    """Hostile texts for a setting: those for any, and those at and just within its bounds."""
    found = list(TEXTS)
    if isinstance(setting, Number | Integer):
        low, high = setting.bounds or (None, None)
        whole = isinstance(setting, Integer)
        for end, inwards in ((low, math.inf), (high, -math.inf)):
            if end is not None:
                near = end + (1 if inwards > 0 else -1) if whole else math.nextafter(end, inwards)
                past = end - (1 if inwards > 0 else -1) if whole else math.nextafter(end, -inwards)
                found += [repr(end), repr(near), repr(past)]
        if not whole:
            found += ["1e-30", "-1e-30", "1e-7", "0.5"]
    elif isinstance(setting, Choice):
        found += [*setting.names_taken, setting.names_taken[0].upper(), setting.names_taken[-1][:-1]]
    elif isinstance(setting, Switch):
        found += ["on", "off", "ON", "maybe"]
    elif is_data(setting):
        found += [__file__, "x.npz:tanh", "x" * 255 + ".npz", "~", "."]
    else:
        found += ["all", "none", "1", "1, 2", "1.1, 2.2", "999999999", "1" * 400, "all,none", "-", "fire4 0 0 0"]
        found += ["²", "1 ²", "fire4 ² 0 0", "fire4 " + "9" * 5000 + " 0 0", "class ²"]
    return found


def pairs(name: str) -> list[tuple[str, str]]:
    """(setting, text) of every hostile value of a scene."""
    return [(key, text) for key, setting in settings(find_scene(name)).items() for text in values(setting)]


def wrong(words: list[str], folder: Path) -> tuple[str | None, int]:
    """(what is wrong with how `neuroscene render` ends, or None; its status).

    words    of the command after `render`
    folder   empty, for the picture
    """
    path, out, err = folder / "a.png", io.StringIO(), io.StringIO()
    begun = time.process_time()
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("always")
        try:
            status = main(["render", *words, "-o", str(path), *SMALL])
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return f"raised {type(error).__name__}: {error}", -1
    said, made = err.getvalue(), path.exists()
    path.unlink(missing_ok=True)
    left = [p.name for p in folder.iterdir()]
    for name in left:
        shutil.rmtree(folder / name, ignore_errors=True)
    lines = said.splitlines()
    checks = {
        f"status {status}: {said[-400:]}": status in (OK, MISTAKE),
        f"status {status}, a picture: {made}": made == (status == OK),
        f"more on stderr: {said[:400]}": all(line.startswith("neuroscene: ") for line in lines),
        f"{len(lines)} lines for a mistake": status == OK or len(lines) == 1,
        f"a message of {len(said)} characters: {said[:80]}": len(said) <= LONGEST,
        f"left behind: {left}": not left,
        # Of the processor: other programs are no fault.
        f"it took {time.process_time() - begun:.0f} s": time.process_time() - begun < MAX_SECONDS,
    }
    return next((what for what, right in checks.items() if not right), None), status


def subsets(names: list[str], count: int, seed: int) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """So many (scene, its random settings with random hostile values, and some right ones)."""
    dice = random.Random(seed)
    known = {name: settings(find_scene(name)) for name in names}
    for _ in range(count):
        name = dice.choice(names)
        chosen = dice.sample(sorted(known[name]), dice.randint(1, min(6, len(known[name]))))
        picked = []
        for key in chosen:
            setting, texts = known[name][key], values(known[name][key])
            # A value that is refused ends the command: most are right, though extreme.
            right = [text for text in texts if _is_taken(setting, text, COSTLY.get(key, math.inf))]
            wrong_ones = [text for text in TEXTS if text not in right]
            if right or key not in COSTLY:
                picked.append((key, dice.choice((right if right and dice.random() < 0.93 else wrong_ones) or right)))
        yield name, picked


def _is_taken(setting: Any, text: str, most: float) -> bool:
    try:
        setting._validate(value := setting.read(text))
    except Exception:
        return False
    return most == math.inf or (isinstance(value, int) and value <= most)


# JSON texts of values that a stored state does not have where they are put.
STORED = (
    "null", "true", "false", "0", "-0.0", "-1", "1", "0.5", "1e308", "-1e308", "1e999", "1e-320", "NaN", "-Infinity",
    "9" * 400, "[]", "{}", "[1]", "[1, 2, 3]", "[null, 0, 0]", "[1e308, 0, 0]", "[0.0, 0.0, 0.0]", '""', '"nan"', '"0"',
    '"' + "x" * 5000 + '"', '"\\u0000\\ud800\\n"', '{"network": ""}', '{"network": "zz"}', '{"image": "00"}',
    '{"names": "ff"}', '{"history": "%s"}' % ("00" * 5000), "3.14159265358979", "[[[[1]]]]",
)  # fmt: skip


def states(state: dict[str, Any], count: int, seed: int) -> Iterator[str]:
    """So many JSON texts of a stored state in which one value, or two, are hostile."""
    dice = random.Random(seed)
    paths = [(key,) for key in state] + [(key, name) for key in ("settings", "camera") for name in state[key]]
    for _ in range(count):
        text = json.dumps(state)
        marks = {}
        made = json.loads(text)
        for number, (key, *rest) in enumerate(dice.sample(paths, dice.choice((1, 1, 2)))):
            # A camera's numbers are also put in each other's place: near = far, eye = target.
            others = [json.dumps(value) for value in state["camera"].values()] if key == "camera" else STORED
            marks[f'"mark {number}"'] = dice.choice(dice.choice((STORED, others)))
            if not rest:
                made[key] = f"mark {number}"
            elif isinstance(made[key], dict):
                made[key][rest[0]] = f"mark {number}"
        text = json.dumps(made)
        for mark, value in marks.items():
            text = text.replace(mark, value)
        yield text


def picture_of(text: str, path: Path) -> Path:
    """A PNG whose stored state is a text."""
    with path.open("wb") as stream:
        encode(stream, np.zeros((2, 2, 3), np.uint8), {KEYWORD: text})
    return path


def resident() -> float:
    """MB of memory that this process has now."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def run() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random subsets instead of every value")
    parser.add_argument(
        "--states", type=int, default=0, metavar="N", help="N pictures of each scene, stored state damaged"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--setting", action="append", help="these settings alone")
    asked = parser.parse_args()
    names = asked.scene or list(SCENES)
    with tempfile.TemporaryDirectory() as folder:
        return _tried(asked, names, Path(folder))


def _cases(asked, names, folder):
    """(what is given, words of the command) of each."""
    if asked.states:
        for name in names:
            whole = stored(find_scene(name)(), Clock(), (12, 10))
            for text in states(whole, asked.states, asked.seed):
                yield text, [str(picture_of(text, folder / "state.png"))]
        return
    chosen = ((name, [pair]) for name in names for pair in pairs(name))
    for name, picked in subsets(names, asked.random, asked.seed) if asked.random else chosen:
        if not asked.setting or picked[0][0] in asked.setting:
            given = ", ".join(f"{key}={text[:60]}" for key, text in picked)
            yield f"{name} {given}", [name, *(w for key, text in picked for w in ("--set", f"{key}={text}"))]


def _tried(asked, names, folder):
    """Tries all; returns the status of the program."""
    count, pictures, faults, at = 0, 0, 0, time.monotonic()
    (made := folder / "made").mkdir()
    for given, words in _cases(asked, names, folder):
        what, status = wrong(words, made)
        count, pictures, faults = count + 1, pictures + (status == OK), faults + (what is not None)
        if what:
            print(f"{ascii(given)[:600]}: {ascii(what)[:600]}", flush=True)
        if count % 100 == 0:
            took = time.monotonic() - at
            print(f"  {count}: {pictures} pictures, {faults} wrong, {resident():.0f} MB, {took:.0f} s", flush=True)
    refused = count - pictures - faults
    print(f"{count} commands, {pictures} pictures, {refused} refused, {faults} wrong; {resident():.0f} MB.")
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(run())
