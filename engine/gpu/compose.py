"""WGSL from files: `#import` lines replaced by what they name, once each, with a map back to file and line."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from engine.errors import ShaderError

IMPORT = re.compile(r"^\s*#import\s+([\w/]+)\s*$")
# wgpu's messages point at `wgsl:line:column`, whatever the label.
PLACE = re.compile(r"\bwgsl:(\d+):(\d+)")


@dataclass(frozen=True)
class Module:
    """Composed WGSL.

    name     of the file it began with; the shader module's label
    code     the text given to the compiler
    places   for each line of code, the (file, line) it came from; lines count from 1
    """

    name: str
    code: str
    places: tuple[tuple[str, int], ...]

    def explain(self, message):
        """A compiler's message with every place turned into the file and line a person wrote."""

        def replace(match):
            line = int(match.group(1))
            if not 1 <= line <= len(self.places):
                return match.group(0)
            file, at = self.places[line - 1]
            return f"{file}:{at}:{match.group(2)}"

        return PLACE.sub(replace, str(message))


@cache
def source(name):
    """The text of `wgsl/<name>.wgsl`. Raises ShaderError when there is no such file."""
    path = files("wgsl").joinpath(*f"{name}.wgsl".split("/"))
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ShaderError(f"There is no shader file wgsl/{name}.wgsl.") from None


def compose(name, generated=None):
    """The file `wgsl/<name>.wgsl` with its imports.

    name        a path under wgsl/ without its ending, `kernels/rays`
    generated   texts by name, for `#import generated/<name>`: bindings, structs, network bodies

    Raises ShaderError for an import that does not exist (with the line that asked for it).
    """
    generated = generated or {}
    lines, places, seen = [], [], set()

    def add(name, asked_by):
        if name in seen:
            return
        seen.add(name)
        if name.startswith("generated/"):
            key = name.removeprefix("generated/")
            if key not in generated:
                raise ShaderError(f"{asked_by} imports {name}, but only {sorted(generated)} were generated.")
            text, file = generated[key], name
        else:
            try:
                text, file = source(name), f"wgsl/{name}.wgsl"
            except ShaderError as error:
                raise ShaderError(f"{asked_by}: {error}") from None
        for number, line in enumerate(text.splitlines(), 1):
            match = IMPORT.match(line)
            if match:
                add(match.group(1), f"{file}:{number}")
            else:
                lines.append(line)
                places.append((file, number))

    add(name, "compose")
    return Module(f"{name}.wgsl", "\n".join(lines) + "\n", tuple(places))
