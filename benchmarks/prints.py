"""A great print from the command line to the file: time, the most memory the process took, size of the file.

    python -m benchmarks.prints [SCENE] [--size WxH] [--supersample N] [--set NAME=VALUE ...] [--ending .png]

Without arguments, a random network of 27 hidden layers of 30 at 16384 x 16384, one sample a pixel: some minutes on a
processor, seconds on a graphics card. What counts is the memory, which must stay under 2 GB at any size.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import store

SCENE, SETTINGS = "random_networks", ("depth=27", "width=30")
MOST_BYTES = 2_000_000_000


def peak_bytes():
    """The most memory any child of this process has had at a time."""
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main():
    options = argparse.ArgumentParser(prog="benchmarks.prints")
    options.add_argument("scene", nargs="?", default=SCENE)
    options.add_argument("--size", default="16384x16384")
    options.add_argument("--supersample", default="1")
    options.add_argument("--set", action="append", dest="settings", metavar="NAME=VALUE")
    options.add_argument("--ending", default=".png", choices=[".png", ".tif"])
    asked = options.parse_args()
    settings = asked.settings or (SETTINGS if asked.scene == SCENE else ())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"print{asked.ending}"
        words = [asked.scene, "-o", str(path), "--size", asked.size, "--supersample", asked.supersample]
        for setting in settings:
            words += ["--set", setting]
        begun = time.perf_counter()
        # Its progress goes where ours goes.
        subprocess.run([sys.executable, "-m", "engine", "render", *words], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begun
        peak, written = peak_bytes(), os.path.getsize(path)
    width, height = (int(n) for n in asked.size.split("x"))
    row = {
        "scene": " ".join([asked.scene, *settings]),
        "size": asked.size,
        "samples": asked.supersample,
        "ending": asked.ending,
        "seconds": seconds,
        "megasamples a second": width * height * int(asked.supersample) / seconds / 1e6,
        "peak GB": peak / 1e9,
        "file MB": written / 1e6,
    }
    store("prints", [row])
    if peak > MOST_BYTES:
        sys.exit(f"prints: {peak / 1e9:.2f} GB of memory, over {MOST_BYTES / 1e9:g}.")


if __name__ == "__main__":
    main()
