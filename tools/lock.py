"""Writes constraints.txt: the exact versions of all that this environment has of what pyproject.toml asks for.

pip takes them with `-c`, so that two clones a year apart run the same programs. The peers are left out: they are
pinned in pyproject.toml and bring hundreds of packages that differ from machine to machine.
"""

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

HEAD = """\
# Exact versions of what pyproject.toml asks for, with all they bring. Written by `make lock`; taken by tools/setup.py.
"""


def closure(name, extras):
    """name -> version of everything a distribution needs here, itself left out."""
    versions, waiting, seen = {}, [(name, frozenset(extras))], set()
    while waiting:
        current, wanted = waiting.pop()
        if (current, wanted) in seen:
            continue
        seen.add((current, wanted))
        try:
            found = distribution(current)
        except PackageNotFoundError:
            sys.exit(f"lock: {current} is not installed here. Run `make test` first.")
        if current != name:
            versions[canonicalize_name(current)] = found.version
        for text in found.requires or ():
            asked = Requirement(text)
            if any(asked.marker is None or asked.marker.evaluate({"extra": extra}) for extra in wanted | {""}):
                waiting.append((asked.name, frozenset(asked.extras)))
    return versions


def main():
    versions = closure("neuroscene", {"dev"})
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    (ROOT / "constraints.txt").write_text(HEAD + "".join(lines))
    print(f"lock: {len(lines)} versions in constraints.txt", file=sys.stderr)


if __name__ == "__main__":
    main()
