"""`make demo`: marching.png and marching.gif in the project's folder, from network files that come with it."""

import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is made, by the command that a person would type, and from what.
STEPS = {
    "marching.png": (
        "examples/gyroid.safetensors is the gyroid as a network of six sine neurons (examples/gyroid.py).",
        "render marching --net examples/gyroid.safetensors -o marching.png"
        " --set spacing=0.8 --set level=0.4 --size 1200x900",
    ),
    "marching.gif": (
        "examples/torus.safetensors has 32 tanh neurons, trained (examples/fit.py) to give the distance from a torus.",
        "record marching --net examples/torus.safetensors -o marching.gif"
        " --set levels=single --set sweep=0.6 --set speed=0.4 --size 360x360 --fps 20 --loop",
    ),
}


def say(text=""):
    print(text, file=sys.stderr, flush=True)


def main():
    say("marching shows where a network's value is a level, and moves the level.")
    for name, (source, command) in STEPS.items():
        say(f"\n{source}\n  neuroscene {command}")
        start = time.perf_counter()
        status = subprocess.run(
            [sys.executable, "-m", "engine", *shlex.split(command)], cwd=ROOT, check=False
        ).returncode
        if status:
            sys.exit(status)
        size = (ROOT / name).stat().st_size
        say(f"made {name}: {size / 1e6:.1f} MB in {time.perf_counter() - start:.1f} s")
    say(f"\nThey are in {ROOT}. Any viewer shows marching.png, any browser marching.gif, which repeats without a seam.")
    say("Next: .venv/bin/neuroscene run marching      a window, to turn it and change it")
    say("      .venv/bin/neuroscene list marching     all that can be set")


if __name__ == "__main__":
    main()
