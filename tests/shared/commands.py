"""The commands that the documents tell a reader to type."""

import re
import shlex

from tree import text

# Commands that are not run here, known by a part of them.
LEFT_OUT = {
    "neuroscene download": "it uses the network; tests/cli runs it with a server of its own",
    "neuroscene doctor": "tests/doctor runs every check",
    "network=squeezenet": "the network must have been downloaded",
    "--net squeezenet1_0.safetensors": "the network must have been downloaded",
    "--resume": "a training must have been stopped; tests/cli/test_train.py does it",
    "mine.py": "a scene of the reader's",
    "morph.py": "tests/documents/test_writing_a_scene.py runs it",
    "wave.py": "tests/vector runs it",
}


def commands_in(path):
    """Every `neuroscene ...` line of a document's shell blocks; lines that end with a backslash are joined."""
    # Blocks of every language are matched: else the end of one would be taken for the beginning of the next.
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text(path), re.MULTILINE | re.DOTALL)
    shell = [block for language, block in blocks if language in ("", "sh", "bash", "console")]
    lines = [line.strip() for block in shell for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("neuroscene ")]


def is_left_out(line):
    return any(part in line for part in LEFT_OUT)


def words_of(line):
    """A command's words after `neuroscene`, as a shell parts them; what follows a # is left out."""
    return shlex.split(line, comments=True)[1:]


def smaller(words):
    """The same command, quick to run: small pictures, few frames, few steps. `run` draws its window into a file."""
    command, *rest = words
    options, place = {}, []
    sized = {"--size": "48x36", "--supersample": "1", "--cell": "24", "--fps": "2", "--steps": "60", "--seconds": "1"}
    while rest:
        word = rest.pop(0)
        if word in sized and command != "export":
            options[word] = sized[word]
            rest.pop(0)
        else:
            place.append(word)
    if command == "run":
        return ["render", *place, "--ui", "-o", "window.png", "--size", "480x320"]
    if "--ui" in place:
        sized["--size"] = "480x320"  # the panel needs room
    if command in ("render", "record"):
        options["--size"] = sized["--size"]
    if command in ("render", "record", "sheet", "figures") and "--list" not in place:
        options["--supersample"] = sized["--supersample"]
    if command == "record":
        options["--fps"] = sized["--fps"]
    if command == "record" and "--loop" not in place:
        options["--seconds"] = sized["--seconds"]
    if command == "sheet":
        options["--cell"] = sized["--cell"]
    if command == "figures" and "--list" not in place:
        options["--cell"] = sized["--cell"]
        names = [w for w in place[1 : place.index("-o")] if not w.startswith("-")]
        # One is enough, a picture where none is named: tests/scenes make them all.
        place = [place[0], *(names[:1] or ["3"]), *place[1 + len(names) :]]
    if command == "train" and "--resume" not in place:
        options |= {"--steps": sized["--steps"], "--side": "16"}
    return [command, *place, *(word for option in options.items() for word in option)]
