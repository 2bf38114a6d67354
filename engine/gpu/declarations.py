"""C types by name without parsing C anew: a second less from the command line to the first picture.

wgpu speaks to its library through cffi, which reads a type's name (`WGPUExtent3D *`) by writing a C program that
declares every name it knows and parsing that in Python: 10 to 30 ms for each of some seventy names. All but a few of
them are a declared name, alone or with one star or bracket behind it, and can be looked up.
"""

import re
from typing import Any

NAME = re.compile(r"\s*(\w+)\s*(\*|\[\s*\])?\s*$")


def look_up_types(ffi: Any) -> bool:
    """Makes one cffi.FFI look names up where it can; whatever else it is asked, it parses as before.

    Returns False, and changes nothing, where cffi is built otherwise than we know.
    """
    try:
        from cffi import model
        from cffi.commontypes import resolve_common_type

        parser = ffi._parser
        declared, parse, pointer = parser._declarations, parser.parse_type_and_quals, parser._get_type_pointer
    except (ImportError, AttributeError):
        return False

    def read(text):
        match = NAME.match(text)
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
