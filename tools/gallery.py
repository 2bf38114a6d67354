"""`make gallery`: the pictures of README.md and docs/gallery.md, each by the command that stands beside it there.

The commands are read from docs/gallery.md, so that what is shown is what the command makes.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def commands(text):
    """The words after `neuroscene` of each command in a document's code blocks that writes under docs/images."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("neuroscene ") and "docs/images/" in line]


def main():
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    for words in commands((ROOT / "docs" / "gallery.md").read_text()):
        status = subprocess.run([sys.executable, "-m", "engine", *words], cwd=ROOT, check=False).returncode
        if status:
            sys.exit(status)


if __name__ == "__main__":
    main()
