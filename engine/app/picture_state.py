"""The state a picture was made in, stored as text in its PNG, and checked when it is read.

What is stored is `Scene.state` and the size and samples of the picture, as JSON in a compressed iTXt chunk
`neuroscene` (PNG specification, third edition, 11.3.3). Other readers refuse long texts, so a longer one goes on in
the chunks `neuroscene 2`, `neuroscene 3` and so on. A picture may come from anybody, so reading it runs nothing and
opens nothing: a scene that comes with neuroscene is found by its name in a list; a scene from a person's own file is
named with that file's name, and only the person can say that it may be run.
"""

import json
import os
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from engine.errors import FileError, SceneError, SettingError
from engine.formats.files import short
from engine.output.progress import say
from engine.scene.scene import Scene
from engine.scene.view_data import Clock

KEYWORD = "neuroscene"
VERSION = 1
# Characters of a name that is stored.
LONGEST_NAME = 299

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A network takes at most 1 MB, 2 MB in hexadecimal: enough for three networks and all settings.
MAX_STATE_BYTES = 8 << 20
# The characters, all ASCII, of every chunk but the last; Pillow refuses pictures with over 1 MiB in one.
PART = 1_000_000
# Other programs store chunks too (histories, colour profiles); a file with more chunks than this is refused.
MAX_CHUNKS = 1_000_000
# Keys under which a setting that comes from a file stores its bytes in hexadecimal (engine.scene.data_settings).
DATA = {"network", "history", "image", "names"}


def stored(scene: Scene, clock: Clock, size: tuple[int, int], supersample: int = 4) -> dict[str, Any]:
    """Everything needed to make a picture again, as plain data for JSON.

    size   (width, height) in pixels
    """
    state = {"version": VERSION, **scene.state(clock)}
    state["size"] = [int(n) for n in size]
    state["supersample"] = int(supersample)
    file = _own_file(scene)
    if file:
        state["file"] = short(file, LONGEST_NAME)
    return state


def text(state: dict[str, Any]) -> dict[str, str]:
    """{keyword: text} for a PNG writer: the state in parts, each short enough for other programs."""
    # Sorted and without spaces: the same state gives the same bytes.
    whole = json.dumps(state, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return {_keyword(n): whole[n * PART : (n + 1) * PART] for n in range(-(-len(whole) // PART))}


def _keyword(part: int) -> str:
    """The keyword of a part of the text, counted from 0."""
    return f"{KEYWORD} {part + 1}" if part else KEYWORD


def read_state(path: str | Path) -> dict[str, Any]:
    """The state that `stored` made, read from a picture.

    Raises FileError for a file that is missing, not a PNG, truncated, or without a state stored by neuroscene.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder; give the path of a PNG in it.")
        if path.exists() and not path.is_file():
            raise FileError(f"{path} is not a regular file; give the path of a PNG.")
        with path.open("rb") as stream:
            return _parsed(_find(stream, path), path)
    except FileNotFoundError:
        raise FileError(f"There is no picture {path}. Check the path.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte in it
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be read: {reason}.") from None


def scene_name(state: dict[str, Any], scenes: Mapping[str, str], path: str | Path = "the picture") -> str:
    """The name in `scenes` (name -> "module:Class") of the scene a state belongs to.

    Raises SceneError for a scene from a person's own file: what a picture names is never run.
    """
    for name, place in scenes.items():
        if place == state["scene"]:
            return name
    kind = state["scene"].rpartition(":")[2]
    if "file" in state:
        raise SceneError(
            f"{path} was made by {kind} in {state['file']}; a picture may not choose which file is run. "
            f"Give the scene file, and take the state with --from {path}."
        )
    raise SceneError(f"{path} was made by {kind}, a scene written in a program or notebook. Use restore_from there.")


def restore_from(path: str | Path, scene: Scene) -> Clock:
    """Gives a scene the settings, camera and weights stored in a picture; returns the Clock it was made at.

    Raises FileError as read_state does, and SettingError for a picture of another scene.
    """
    state = read_state(path)
    made, now = state["scene"].rpartition(":")[2], type(scene).__name__
    if made != now:
        raise SettingError(f"{path} was made by the scene {made}, not {now}. Open it with that scene.")
    clock = scene.restore(state)
    for what in state.get("left_out", []):
        # Not an error: the person may set the missing network next.
        say(f"{path} does not hold {what}: too large to be stored. Give it again.")
    return clock


def _own_file(scene: Scene) -> str | None:
    """The name of the person's file a scene class is from, None for ours and for notebooks.

    A file below the current folder is named by its path from there, any other by its bare name: folders are private.
    It is only for messages.
    """
    file = getattr(sys.modules.get(type(scene).__module__), "__file__", None)
    if file is None or type(scene).__module__.partition(".")[0] in ("engine", "scenes"):
        return None
    with suppress(FileNotFoundError):  # the current folder was deleted
        near = os.path.relpath(file)
        return os.path.basename(file) if near.startswith("..") else near.replace(os.sep, "/")
    return os.path.basename(file)


# Reading: first the chunks, then the text of one, its JSON, its fields.


def _find(stream: BinaryIO, path: Path) -> str:
    """The text of the first chunk with the keyword `neuroscene`, and of those it goes on in."""
    parts: list[str] = []
    if stream.read(8) != SIGNATURE:
        raise FileError(f"{path} is not a PNG; pictures that reopen are PNGs made by neuroscene.")
    left = os.fstat(stream.fileno()).st_size - 8
    for _ in range(MAX_CHUNKS):
        head = stream.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        # The stated length may be wrong: it is compared with the file's size before anything is read.
        if len(head) < 8 or length + 12 > left:
            raise FileError(f"{path} is cut off: it ends within a chunk. Make or copy it again.")
        left -= length + 12
        if kind == b"IEND":
            if parts:
                return "".join(parts)
            raise FileError(f"{path} holds no scene; pictures that reopen are PNGs saved by neuroscene.")
        keyword = _keyword(len(parts)).encode() + b"\0"
        if kind in (b"iTXt", b"tEXt", b"zTXt") and length >= len(keyword):
            begin = stream.read(len(keyword))
            if begin == keyword:
                if length > MAX_STATE_BYTES:
                    raise _too_large(path)
                data = begin + stream.read(length - len(begin))
                if zlib.crc32(kind + data) != int.from_bytes(stream.read(4), "big"):
                    raise FileError(f"{path} is damaged: its stored state does not match its checksum. Copy it again.")
                parts.append(_text(kind, data[len(begin) :], path))
                if sum(map(len, parts)) > MAX_STATE_BYTES:
                    raise _too_large(path)
                if len(parts[-1]) != PART:  # the last; pictures made before have all in one
                    return "".join(parts)
                continue
            stream.seek(length - len(begin) + 4, os.SEEK_CUR)
        else:
            stream.seek(length + 4, os.SEEK_CUR)
    raise FileError(f"{path} has more than {MAX_CHUNKS} chunks; that is no picture of ours.")


def _text(kind: bytes, data: bytes, path: Path) -> str:
    """The text of a chunk: what follows its keyword."""
    try:
        if kind == b"iTXt":
            rest = data[2:].split(b"\0", 2)[2]  # after the language and the translated keyword
            return (_inflated(rest, path) if data[0] else rest).decode()
        return (_inflated(data[1:], path) if kind == b"zTXt" else data).decode("latin-1")
    except (IndexError, UnicodeDecodeError, zlib.error):
        raise FileError(f"{path} is damaged: its stored state cannot be unpacked. Make or copy it again.") from None


def _inflated(data: bytes, path: Path) -> bytes:
    unpacker = zlib.decompressobj()
    out = unpacker.decompress(data, MAX_STATE_BYTES)
    if unpacker.unconsumed_tail:
        raise _too_large(path)
    if not unpacker.eof:
        raise zlib.error("incomplete")
    return out


def _too_large(path: Path) -> FileError:
    return FileError(f"{path} claims over {MAX_STATE_BYTES >> 20} MiB of stored state; it is not ours.")


def _parsed(source: str, path: Path) -> dict[str, Any]:
    """The state in a JSON text, its fields checked."""
    try:
        state = json.loads(source, parse_constant=_no_constant)
    except RecursionError:
        raise FileError(f"{path} has a stored state that is nested too deep; it is not ours.") from None
    except ValueError:
        raise FileError(f"{path} is damaged: its stored state is not readable JSON. Make or copy it again.") from None
    version = state.get("version") if isinstance(state, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise FileError(f"{path} was made by a newer neuroscene (state {version}, not {VERSION}). Update neuroscene.")
    wrong = "its version" if version != VERSION else _wrong_field(state)
    if wrong:
        raise FileError(f"{path} has a stored state that is not as neuroscene writes it: {wrong}. Make it again.")
    return state


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_short(value: Any) -> bool:
    """True for a text short enough for one line of a message."""
    return isinstance(value, str) and len(value) <= LONGEST_NAME and value.isprintable()


def is_value(value: Any) -> bool:
    """True for a value of a type that a setting is stored as."""
    if isinstance(value, dict):
        return len(value) == 1 and set(value) <= DATA and all(isinstance(v, str) for v in value.values())
    return value is None or isinstance(value, str | int | float)


def _wrong_field(state: dict[str, Any]) -> str | None:
    """What is wrong with the first bad field, or None."""
    settings, size, left_out = state.get("settings"), state.get("size", [1, 1]), state.get("left_out", [])
    checks = (
        (is_short(state.get("scene")), "its scene"),
        (isinstance(settings, dict) and all(map(is_value, settings.values())), "its settings"),
        (isinstance(state.get("camera"), dict), "its camera"),
        (is_number(state.get("time")), "its time"),
        (isinstance(size, list) and len(size) == 2 and all(is_whole(n, 1, 32768) for n in size), "its size"),
        (is_whole(state.get("supersample", 4), 1, 16), "its samples"),
        (is_short(state.get("file", "")), "its file"),
        (isinstance(left_out, list) and len(left_out) < 100 and all(map(is_short, left_out)), "what it leaves out"),
    )
    return next((what for good, what in checks if not good), None)
