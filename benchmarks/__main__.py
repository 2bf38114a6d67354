"""`make bench`: every benchmark in turn, each in a process of its own. `make bench ARGS="pictures rays"` runs some.

Each prints our figure beside its peer's, measured in the same run where the peer can run here, and adds rows to
benchmarks/results.
"""

import subprocess
import sys

# name -> what it measures
BENCHMARKS = {
    "start": "from the command line to the first picture",
    "rays": "certified rays beside 64 equal steps",
    "bars": "pictures of networks as people have them, beside PyTorch's samples along the same rays",
    "grazes": "rays that graze in float32 alone, and with float64 where that leaves a side open",
    "field": "a network's values over a square of points",
    "accuracy": "its distance from float64, by activation and depth",
    "shapes": "the first use of a network's shape, by kind of code, width, depth and activation",
    "train": "steps of training a second, one run and several",
    "product": "layers of 65 to 1000 neurons, each a product of matrices",
    "convnet": "an image through SqueezeNet, every response stored",
    "cloud": "every neuron of SqueezeNet as a dot, beside quads by the rasteriser",
    "regions": "exact linear regions, beside clipping polygons",
    "pictures": "frames of marching in an array, a film of its loop, a small frame's processor time, compiling",
    "memory": "objects and resident memory over many scenes, shapes, frames and views",
    "window": "a hand at a window, under Xvfb: how long until a frame answers, whatever is drawn",
    "prints": "a print of 16384 x 16384: time, memory, size of the file",
}


def main():
    asked = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in asked if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"bench: there is no benchmark {', '.join(unknown)}. It may be: {', '.join(BENCHMARKS)}.")
    failed = []
    for name in asked:
        print(f"{name}: {BENCHMARKS[name]}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"bench: {', '.join(failed)} failed.")


if __name__ == "__main__":
    main()
