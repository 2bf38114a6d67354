"""`make demo`: marching.png and marching.gif in the project's folder, from a network file that comes with it."""

import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NETWORK = "examples/torus.safetensors"

# What is made, and the command that makes it: the same that a person would type.
STEPS = {
    "marching.png": f"render marching --net {NETWORK} -o marching.png --size 1200x900 --supersample 9 --time 1.5",
    "marching.gif": f"record marching --net {NETWORK} -o marching.gif --size 400x400 --loop --fps 20",
}


def say(text=""):
    print(text, file=sys.stderr, flush=True)


def main():
    say(f"{NETWORK} is a network of 3-32-32-1 tanh neurons, trained (examples/fit.py) to give the distance from a torus.")
    say("marching shows where its value is a level, all levels at once, and moves the levels.")
    for name, command in STEPS.items():
        say(f"\nneuroscene {command}")
        start = time.perf_counter()
        status = subprocess.run([sys.executable, "-m", "engine", *shlex.split(command)], cwd=ROOT, check=False).returncode
        if status:
            sys.exit(status)
        size = (ROOT / name).stat().st_size
        say(f"made {name}: {size / 1e6:.1f} MB in {time.perf_counter() - start:.1f} s")
    say(f"\nLook at them in {ROOT}: any viewer shows marching.png, any browser marching.gif, which repeats without a seam.")
    say("Next: .venv/bin/neuroscene run marching      a window, to turn it and change it")
    say("      .venv/bin/neuroscene list marching     all that can be set")


if __name__ == "__main__":
    main()
