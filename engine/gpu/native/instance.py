"""The instance of wgpu's library: quick to start, with the backends that are asked for, and without a display."""

import atexit
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from engine.errors import SettingError, near

# The variable of wgpu's own tools that names backends, with commas between, and what it may say.
BACKEND = "WGPU_BACKEND"
BACKENDS = {
    "vulkan": "Vulkan", "vk": "Vulkan", "metal": "Metal", "mtl": "Metal", "dx12": "DX12", "d3d12": "DX12",
    "gl": "GL", "gles": "GL", "opengl": "GL",
}  # fmt: skip
# What drivers take a display from, and what makes them find none: an absolute path that nobody can make a file at, no
# X server, and no layer that asks one which adapter is its own.
DISPLAYS = {"WAYLAND_DISPLAY": "/proc/self/none", "WAYLAND_SOCKET": None, "DISPLAY": None, "NODEVICE_SELECT": "1"}

# A C type that can be looked up: a name, alone or with one star or bracket behind it.
C_NAME = re.compile(r"\s*(\w+)\s*(\*|\[\s*\])?\s*$")


_shows = False  # whether something will be shown on a display


def will_show() -> None:
    """To be called before the first window is opened: the driver may then look for the display."""
    global _shows
    _shows = True
    if sys.platform.startswith("linux") and "XDG_RUNTIME_DIR" not in os.environ:
        # Mesa complains where it is not set. In a folder that others write to, one of them could answer as the display.
        os.environ["XDG_RUNTIME_DIR"] = folder = tempfile.mkdtemp(prefix="neuroscene-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


@contextmanager
def no_display() -> Iterator[None]:
    """Hides all displays inside the block, unless something will be shown: drivers connect to any they find."""
    if _shows or not sys.platform.startswith("linux"):
        yield
        return
    before = {name: os.environ.get(name) for name in DISPLAYS}
    _set(DISPLAYS)
    try:
        yield
    finally:
        _set(before)


def _set(values):
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def backends() -> list[str]:
    """The backends that are looked for adapters: Vulkan, or those that WGPU_BACKEND names. SettingError for others."""
    asked = [word.strip().lower() for word in os.environ.get(BACKEND, "").split(",") if word.strip()]
    for word in asked:
        if word not in BACKENDS:
            raise SettingError(f"{BACKEND}={os.environ[BACKEND]}: {near(word, BACKENDS, noun='backend')}")
    return list(dict.fromkeys(BACKENDS[word] for word in asked)) or ["Vulkan"]


@cache
def prepare() -> None:
    """Makes the instance ready, once a process."""
    # Here, because it reads a C header for a third of a second, which what draws nothing need not wait for.
    from wgpu.backends.wgpu_native import _ffi, extras

    look_up_types(_ffi.ffi)
    # LP_NATIVE_VECTOR_WIDTH=512 would make fields 1.2 to 1.3 times faster, but Mesa 22.3 crashes at some pictures.
    # Unless they are named, wgpu tries OpenGL too and takes 0.8 s instead of 0.3 s to start.
    try:
        extras.set_instance_extras(backends=backends())
    except RuntimeError:
        pass  # An instance exists already, made by other code; backends are compared with an adapter's.


def look_up_types(ffi: Any) -> bool:
    """Makes a cffi.FFI look simple type names up in its table; it parses all other names as before.

    wgpu speaks to its library through cffi, which reads a type's name (`WGPUExtent3D *`) by writing a C program that
    declares every name it knows and parsing that in Python: 10 to 30 ms for each of some seventy names, a second before
    the first picture. All but a few of them are a declared name, alone or with one star or bracket behind it.

    Returns False, and changes nothing, where cffi has other internals than expected.
    """
    try:
        from cffi import model
        from cffi.commontypes import resolve_common_type

        parser = ffi._parser
        declared, parse, pointer = parser._declarations, parser.parse_type_and_quals, parser._get_type_pointer
    except (ImportError, AttributeError):
        return False

    def read(text):
        match = C_NAME.match(text)
        if match is None:
            return parse(text)
        name, mark = match.groups()
        if "typedef " + name in declared:
            kind, quals = declared["typedef " + name]
        elif name in model.PrimitiveType.ALL_PRIMITIVE_TYPES:
            kind, quals = resolve_common_type(parser, name)
        else:
            return parse(text)
        if mark is None:
            return kind, quals
        return (pointer(kind, quals), 0) if mark == "*" else (model.ArrayType(kind, None), quals)

    parser.parse_type_and_quals = read
    return True
