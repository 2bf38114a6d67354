"""Writes the drawn pictures of the scene activations: a file a kind in scenes/data/drawn, seeds 0 to 3 side by side.

.venv/bin/python tools/drawn/pictures.py [--output FOLDER]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scenes.activations.network import DRAWN, SIDE  # noqa: E402 - the project's folder is put on the path above
from tools.drawn.objects import KINDS, draw  # noqa: E402


def main():
    options = argparse.ArgumentParser(description="Writes scenes/data/drawn.")
    options.add_argument("--output", type=Path, default=ROOT / "scenes" / "data" / "drawn")
    folder = options.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        row = np.concatenate([draw(kind, seed, SIDE) for seed in range(DRAWN)], axis=1)
        Image.fromarray(row).save(folder / f"{kind}.webp", lossless=True, quality=100, method=6, exact=True)


if __name__ == "__main__":
    main()
