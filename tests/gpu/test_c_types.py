"""Types of C looked up by name are those that cffi parses."""

import subprocess
import sys

import pytest
from cffi import FFI

from engine.gpu.native.instance import look_up_types

SOURCE = """
typedef uint32_t Flags;
typedef struct HandleImpl* Handle;
typedef enum Kind { Kind_A = 0, Kind_B = 1, Kind_Force32 = 0x7FFFFFFF } Kind;
typedef struct Pair { Flags flags; const char *text; } Pair;
typedef struct { double x; } Nameless;
typedef void (*Callback)(Kind kind, Handle handle, void *data);
typedef void Function(int);
typedef const Pair Fixed;
"""
NAMES = [
    "Flags",
    "Handle",
    "Kind",
    "Pair",
    "Nameless",
    "Callback",
    "Fixed",
    "uint8_t",
    "char",
    "float",
    "uint64_t",
    "uintptr_t",
]


@pytest.mark.parametrize("mark", ["", " *", "[]", " []", "*"])
@pytest.mark.parametrize("name", NAMES)
def test_a_type_looked_up_is_the_type_parsed(name, mark):
    parsed, looked_up = FFI(), FFI()
    for ffi in (parsed, looked_up):
        ffi.cdef(SOURCE)
    ours = parsed.typeof(name + mark)
    # The same FFI again, its memory of names emptied: it must arrive at the very same type by the other way.
    parsed._parsed_types.clear()
    assert look_up_types(parsed)
    parsed._parser._parse = None  # parsing would fail
    assert parsed.typeof(name + mark) is ours
    assert look_up_types(looked_up)
    assert looked_up.getctype(name + mark) == parsed.getctype(ours)


@pytest.mark.parametrize(
    "text", ["void *", "const Pair *", "Pair **", "Flags[4]", "void(*)(Kind, Handle)", "unsigned int", "Function *"]
)
def test_whatever_is_no_single_name_is_parsed_as_before(text):
    plain, quick = FFI(), FFI()
    for ffi in (plain, quick):
        ffi.cdef(SOURCE)
    assert look_up_types(quick)
    assert quick.getctype(text) == plain.getctype(text)


@pytest.mark.parametrize("text", ["Nothing", "Nothing *", "Pair +"])
def test_an_unknown_name_is_refused_as_before(text):
    ffi = FFI()
    ffi.cdef(SOURCE)
    assert look_up_types(ffi)
    with pytest.raises(Exception) as refused:
        ffi.typeof(text)
    assert type(refused.value).__module__.startswith("cffi")


def test_a_cffi_built_otherwise_is_left_alone():
    class Other:
        pass

    assert look_up_types(Other()) is False


def test_the_device_looks_its_types_up():
    code = (
        "from engine.gpu.device import device; device(); from wgpu.backends.wgpu_native._ffi import ffi; "
        "assert ffi._parser.parse_type_and_quals.__module__ == 'engine.gpu.native.instance'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
