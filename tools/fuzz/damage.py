"""What is done to a file: bits flipped, the end cut, numbers made huge, two spliced, deep nesting, repetition."""

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def _any(choices: Sequence[Any], rng: np.random.Generator) -> Any:
    return choices[int(rng.integers(len(choices)))]


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    array = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        array[rng.integers(len(array))] ^= 1 << rng.integers(8)
    return bytes(array)


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(len(data))]


def huge(data: bytes, rng: np.random.Generator) -> bytes:
    """A number in it becomes a large or negative one."""
    at, width = rng.integers(len(data)), _any([1, 2, 4, 8], rng)
    value = _any([b"\xff", b"\x7f", b"\x80", b"\0", b"9"], rng) * width
    return data[:at] + value + data[at + width :]


def spliced(data: bytes, rng: np.random.Generator, other: bytes = b"") -> bytes:
    """The beginning of one file, the end of another."""
    return data[: rng.integers(len(data))] + (other or data)[rng.integers(len(other or data)) :]


def nested(data: bytes, rng: np.random.Generator) -> bytes:
    at = rng.integers(len(data))
    return (
        data[:at]
        + _any([b"[", b"(", b'{"a":', b"\x0a\x80", b"-", b"1", b"\0"], rng) * 10 ** rng.integers(2, 6)
        + data[at:]
    )


def repeated(data: bytes, rng: np.random.Generator) -> bytes:
    at, length = rng.integers(len(data)), rng.integers(1, 200)
    return data[:at] + data[at : at + length] * rng.integers(2, 200) + data[at + length :]


DAMAGES: list[Callable[..., bytes]] = [flipped, flipped, cut, huge, huge, spliced, nested, repeated]


def damaged(samples: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A damaged sample; of zips and PNG often with its checksums made right again, so that what is inside is read."""
    data, other = (_any(samples, rng) for _ in range(2))
    damage = DAMAGES[rng.integers(len(DAMAGES))]
    how: Callable[[bytes], bytes] = (
        (lambda d: spliced(d, rng, other)) if damage is spliced else (lambda d: damage(d, rng))
    )
    if data[:2] == b"PK" and rng.random() < 0.6:
        return _zipped(data, how, rng)
    if data[:4] == b"\x89PNG" and rng.random() < 0.6:
        return _chunked(data, how, rng)
    return how(data)


def _zipped(data, how, rng):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        chosen = names[rng.integers(len(names))]
        for name in names:
            new.writestr(name, how(old.read(name)) if name == chosen else old.read(name))
    return out.getvalue()


def _chunked(data, how, rng):
    parts, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    chosen, out = rng.integers(len(parts)), data[:8]
    for k, (name, body) in enumerate(parts):
        body = how(body) if k == chosen and body else body
        out += len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    return out
