"""`make gallery`: the pictures of README.md and the documents, each by the command that stands beside it there.

The commands are read from the documents, so that what is shown is what the command makes; PNG files are then compressed
anew, their pixels and state unchanged. Pictures of files that are not there are left out: networks are made before, by
tools/vision_networks.py.

    python tools/gallery.py [--files FOLDER]             all; the files that are not included lie in the folder
    python tools/gallery.py marching relief              those whose file is called so
    python tools/gallery.py --shapes marching -o FILE    one scene on dark and paper, in pictures of four shapes
"""

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import engine  # noqa: E402 - the project's folder is put on the path above
from engine.output.writers.png_bands import png_info  # noqa: E402
from engine.scene.settings import assign  # noqa: E402

DOCUMENTS = ("gallery.md", "activations.md")
THEMES = ("dark", "paper")
# Width and height of the pictures of a sheet of shapes; the gaps between them, and their grey.
SIZES = ((533, 300), (400, 300), (300, 300), (169, 300))
GAP, GREY = 6, 128


def commands(text):
    """The arguments to Python of each command in a document's code blocks that writes under docs/images."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = [
        shlex.split(line) for line in lines if line.startswith(("neuroscene ", "python ")) and "docs/images/" in line
    ]
    return [["-m", "engine", *words] if program == "neuroscene" else words for program, *words in found]


def sheet(name, values):
    """(H, W, 3) uint8: a row for each theme, a column for each shape."""
    scene, _ = engine.open_scene(name)
    for setting, value in values.items():
        assign(scene, setting, value)
    rows = []
    for scene.theme in THEMES:
        pictures = [engine.render(scene, size, time=scene.moment, supersample=9)[..., :3] for size in SIZES]
        framed = [np.pad(p, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=GREY) for p in pictures]
        rows.append(np.concatenate(framed, axis=1))
    return np.pad(np.concatenate(rows), ((0, GAP), (0, GAP), (0, 0)), constant_values=GREY)


def compress(path):
    """Writes a PNG file again as small as it gets, with the same pixels and texts."""
    with Image.open(path) as image:
        texts = {
            str(key): str(value) for key, value in image.info.items() if isinstance(value, str) and key != "Software"
        }
        image.load()
    image.save(path, optimize=True, pnginfo=png_info(texts))


def found(word, folder):
    """A word of a command: a file that is in the folder by its path there."""
    name, equals, value = word.rpartition("=")
    return f"{name}{equals}{folder / value}" if (folder / value).is_file() else word


def made(only, folder):
    """Runs the commands of the documents, with files of a folder; of some names only those."""
    for words in [words for name in DOCUMENTS for words in commands((ROOT / "docs" / name).read_text())]:
        path = ROOT / next(word for word in words if word.startswith("docs/images/"))
        if only and path.stem not in only:
            continue
        words = [found(word, folder) for word in words]
        files = [word.rpartition("=")[2] for word in words if word.endswith((".onnx", ".safetensors", ".txt"))]
        if missing := [file for file in files if not (ROOT / file).exists()]:
            print(f"{path.name}: left out, as {missing[0]} is not there", file=sys.stderr)
            continue
        status = subprocess.run([sys.executable, *words], cwd=ROOT, check=False).returncode
        if status:
            sys.exit(status)
        for file in [path] if path.suffix == ".png" else path.glob("*.png"):
            compress(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of files")
    parser.add_argument("--shapes", metavar="SCENE", help="makes one sheet of a scene")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of it")
    parser.add_argument("--files", type=Path, default=ROOT, help="a folder with files that are not included")
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    if asked.shapes:
        Image.fromarray(sheet(asked.shapes, dict(pair.split("=", 1) for pair in asked.set))).save(
            asked.output, quality=78, subsampling=0, optimize=True
        )
        return
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    made(asked.names, asked.files.resolve())


if __name__ == "__main__":
    main()
