"""Stops commands at random moments, and looks at what they leave: python -m tools.kills --count 100.

At any moment the target is absent, the earlier file, or whole. What is stopped politely (SIGINT, SIGTERM, SIGHUP)
leaves nothing else but what it can continue from; what is killed (SIGKILL) may, and the next run of the same command
removes it and gives the same bytes as one that was never stopped.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import engine
from engine.cli import main as cli
from engine.output import resumable
from engine.render import tiling

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
WAIT = 120  # seconds for a command to end
EARLIER = b"earlier"


@dataclass(frozen=True)
class Command:
    """A command to stop.

    target   the name of what it writes
    words    its words without -o
    whole    raises an exception for a file that is not whole
    kept     names beside the target that a stop may leave, for the next run
    """

    target: str
    words: tuple[str, ...]
    whole: Callable[[Path], object]
    kept: tuple[str, ...] = ()


def _decoded(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def _never(path: Path) -> None:
    raise ValueError("a film is whole, with the same bytes, or not there")


def _ends(text: bytes) -> Callable[[Path], None]:
    def check(path: Path) -> None:
        assert path.read_bytes().rstrip().endswith(text)

    return check


SMALL = ("marching", "--size", "48x40", "--supersample", "1")
LARGE = ("marching", "--size", "300x240", "--supersample", "1")
FILM = (*SMALL, "--seconds", "0.6", "--fps", "10")
TRAINING = ("train", "bottle", "--side", "16", "--hidden", "8", "--steps", "600")
COMMANDS = (
    Command("a.png", ("render", *SMALL), _decoded),
    Command("b.png", ("render", *LARGE), _decoded, ("b.png.unfinished",)),
    Command("c.gif", ("record", *FILM), _never),
    Command("d.mp4", ("record", *FILM), _never),
    Command("e", ("record", *FILM), _never),
    Command("f.svg", ("export", "boundaries"), _ends(b"</svg>")),
    Command("g.safetensors", TRAINING, engine.load_history, ("g.state.safetensors",)),
)


def started(command: Command, folder: Path, *, resumes: bool = False) -> int:
    """The id of a process that runs a command in a folder."""
    process = os.fork()
    if process:
        return process
    try:
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        # So that the large picture is in many bands, stored at once.
        tiling.TILE_BYTES, tiling.TILE_SIDE, tiling.BAND_PIXELS, resumable.MEMORY_SECONDS = 1 << 20, 64, 1, 0.0
        words = ("train", "--resume", command.target) if resumes else command.words
        status = cli.main([*words, "-o", command.target + "/" * ("." not in command.target)])
    except BaseException:
        status = 99
    os._exit(status)


def ended(process: int) -> int:
    """The exit status of a process. Raises TimeoutError after WAIT."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    raise TimeoutError


def content(path: Path) -> bytes | None:
    """The bytes of a file, or of all files of a folder; None if there is none."""
    if path.is_dir():
        return b"".join(file.read_bytes() for file in sorted(path.iterdir()))
    return path.read_bytes() if path.exists() else None


def stopped(command: Command, count: int, rng: random.Random, folder: Path) -> Counter[str]:
    """{outcome: how often} of so many stops of a command; after a few of them it runs to its end."""
    target, found = folder / command.target, Counter[str]()
    for _ in range(2):  # the first may compile shaders
        begun = time.monotonic()
        assert ended(started(command, folder)) == 0, command
    seconds, reference = time.monotonic() - begun, content(target)
    for number in range(count):
        if number % 4 == 0:
            shutil.rmtree(folder)
            folder.mkdir()
            if rng.random() < 0.5 and "." in command.target:
                target.write_bytes(EARLIER)
        process, how = started(command, folder), rng.choice(SIGNALS)
        time.sleep(rng.uniform(0.1, 1.05) * seconds)
        os.kill(process, how)
        try:
            status = ended(process)
        except TimeoutError:
            found["hang"] += 1
            continue
        found["stopped" if status not in (0, 99) else "ended" if status == 0 else "a fault of its own"] += 1
        made = content(target)
        if made not in (None, EARLIER, reference):
            try:
                command.whole(target)
            except Exception as error:
                found[f"not whole: {type(error).__name__} after {how.name}"] += 1
        left = sorted(set(os.listdir(folder)) - {command.target, *command.kept})
        if how != signal.SIGKILL and number % 4 == 0 and left:
            found[f"left {left} after {how.name}"] += 1
        if number % 4 == 3 or number == count - 1:
            resumes = (folder / "g.state.safetensors").exists()
            time.sleep(0.5)  # an ffmpeg whose program was killed ends by itself
            if ended(started(command, folder, resumes=resumes)) != 0 or content(target) != reference:
                found["other bytes after the next run"] += 1
            if os.listdir(folder) != [command.target]:
                found[f"left {sorted(os.listdir(folder))} after the next run"] += 1
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=28, help="stops in all")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, bad = random.Random(asked.seed), 0
    for command in COMMANDS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "here"
            folder.mkdir()
            found = stopped(command, -(-asked.count // len(COMMANDS)), rng, folder)
        wrong = {text: n for text, n in found.items() if text not in ("stopped", "ended")}
        bad += sum(wrong.values())
        done = f"{found['stopped']} stopped, {found['ended']} had ended"
        print(f"{command.target}: {done}; {wrong or 'all well'}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
