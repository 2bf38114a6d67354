"""A lost device and memory that ends: one line, and what comes next works."""

import json
import os
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
import wgpu
from tree import ROOT

from engine.app.live.recovery import WENT_ON
from engine.app.make import render
from engine.app.show import make_viewer
from engine.errors import DeviceLimitError, DeviceLostError
from engine.gpu.array import Array
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.native import faults
from engine.kernels import field
from engine.network.random import random_mlp
from engine.output.offscreen import make_canvas
from engine.render.renderer import Renderer
from scenes import SCENES

SMALL = ("--size", "16x12", "--supersample", "1")
EXACT = {"size": (16, 12), "supersample": 1, "progress": False}


def opened(name):
    from engine.app.lookup import open_scene

    return open_scene(name)[0]


def lose():
    device().handle.destroy()


def is_told_or_mended(answer, path, whole):
    """Whether a command that lost its device said so and left nothing, or wrote the whole file on a new device.

    The library tells of a loss at a moment of its own: when it happens, or when the device is used next.
    """
    if answer.status == 0:
        return path.read_bytes() == whole
    left = [p for p in path.parent.iterdir() if p != path]
    return answer.status == 3 and answer.is_one_line() and "device was lost" in answer.err and left == []


def test_of_a_lost_device_one_line_is_said_and_the_next_command_works(ask, tmp_path):
    path = tmp_path / "a.png"
    words = ("render", "marching", *SMALL, "-o", path)
    assert ask(*words).status == 0
    first = path.read_bytes()
    lose()
    assert is_told_or_mended(ask(*words), path, first)
    path.unlink(missing_ok=True)
    assert ask(*words).status == 0
    assert path.read_bytes() == first


def test_a_film_that_loses_its_device_is_whole_or_leaves_nothing_and_the_next_is_whole(ask, tmp_path, monkeypatch):
    path = tmp_path / "a.gif"
    words = ("record", "marching", *SMALL, "--seconds", "0.3", "-o", path)
    assert ask(*words).status == 0
    whole = path.read_bytes()
    path.unlink()
    steps, drawn = Renderer.steps, []

    def losing(self, *args, **more):
        drawn.append(1)
        if len(drawn) == 3:
            lose()
        return steps(self, *args, **more)

    monkeypatch.setattr(Renderer, "steps", losing)
    assert is_told_or_mended(ask(*words), path, whole) and len(drawn) >= 3
    path.unlink(missing_ok=True)
    assert ask(*words).status == 0 and path.read_bytes() == whole


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_in_a_program_is_drawn_on_a_new_device_as_before(name):
    scene = opened(name)
    before = render(scene, **EXACT)
    lose()
    with suppress(DeviceLostError):
        Array("f4", 4)
    assert np.array_equal(render(scene, **EXACT), before)


def test_kernels_run_on_the_device_of_the_moment():
    net, x = random_mlp([3, 8, 1], "tanh", seed=0), np.zeros((4, 3), np.float32)
    before = field.evaluate(net, x)
    kernel, sizes = Kernel.of("gpu/subgroup_size", field_sizes()), None
    lose()
    with suppress(DeviceLostError):
        Array("f4", 4)
    assert np.array_equal(field.evaluate(net, x), before)
    sizes = Array("u4", 1)
    kernel.run(1, sizes=sizes)
    assert sizes.read()[0] > 0


def field_sizes():
    from engine.gpu.bindings import Binding

    return (Binding("sizes", "write", "array<u32>"),)


def test_what_was_begun_on_an_earlier_device_is_refused_not_submitted():
    encoder, array = device().encoder("old"), Array("f4", 4)
    lose()
    with pytest.raises(DeviceLostError):
        array.read()
    device()
    with pytest.raises(DeviceLostError):
        device().submit(encoder)
    new = device().encoder("new")
    new.clear_buffer(array.buffer)
    with pytest.raises(DeviceLostError):
        device().submit(new)


@pytest.mark.parametrize("panel", [False, True])
def test_a_window_goes_on_where_it_was_and_time_stands_until_a_person_goes_on(panel):
    viewer = make_viewer(opened("random_networks"), make_canvas((320, 200)), panel=panel, playing=True)
    before = viewer.canvas.draw()
    scene = viewer.scene
    lose()
    viewer.changed()
    viewer.canvas.draw()
    assert viewer.notices.problem == WENT_ON and not viewer.transport.playing
    assert viewer.scene is not scene and viewer.scene.state() == scene.state()
    # Beside the panel, whose button for playing is another one now.
    assert np.array_equal(viewer.canvas.draw()[40:120, :60], before[40:120, :60]) and before[40:120, :60].std() > 1
    viewer.canvas.close()


def test_messages_of_the_library_become_lines_for_a_person():
    make = faults._error(ValueError)
    assert isinstance(make("Validation Error\n\nCaused by:\n  Not enough memory left."), DeviceLimitError)
    assert isinstance(make("no such thing"), ValueError)


# The status of three pictures and what was said: a small one, one for which there is no memory, the small one again.
SHORT = """
import io, json, resource
from contextlib import redirect_stderr, redirect_stdout
from engine.cli import main
for number, size in enumerate(("16x12", "3000x3000", "16x12")):
    if number == 1:
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (4 << 20), resource.RLIM_INFINITY))
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        status = main.main(["render", "plain.py", "--size", size, "--supersample", "4", "-o", f"{number}.png"])
    print(json.dumps([status, said.getvalue().splitlines()[-1:]]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits and tells a process's memory")
def test_a_picture_for_which_there_is_no_memory_is_a_line_and_the_next_is_made(tmp_path):
    if not device().is_software:
        pytest.skip("a graphics card has a memory of its own")
    (tmp_path / "plain.py").write_text("import engine\n\n\nclass Plain(engine.Scene):\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-c", SHORT], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    first, short, again = (json.loads(line) for line in done.stdout.splitlines())
    assert first[0] == again[0] == 0 and short[0] == 2, done.stdout + done.stderr
    assert short[1][0].startswith("neuroscene: ") and "smaller" in short[1][0]
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["0.png", "2.png"]
    assert "Traceback" not in done.stderr


def without_memory(patch):
    """Has the device make no texture and no buffer, as the library says it."""
    ending = faults._error(wgpu.GPUOutOfMemoryError)

    def full(*_, **__):
        raise ending("Out of Memory Error\n\nCaused by:\n  Not enough memory left.")

    for method in ("create_texture", "create_buffer"):
        patch.setattr(type(device().handle), method, full)


def test_a_device_without_memory_is_a_line_and_the_next_command_works(ask, tmp_path, monkeypatch):
    words = ("render", "marching", "--size", "18x14", "--supersample", "1", "-o", tmp_path / "a.png")
    with monkeypatch.context() as patch:
        without_memory(patch)
        answer = ask(*words)
    assert answer.status == 2 and answer.is_one_line() and faults.NO_MEMORY in answer.err
    assert list(tmp_path.iterdir()) == []
    assert ask(*words).status == 0


@pytest.mark.parametrize("size", [(64, 48), (96, 60)], ids=["while it draws", "while it grows"])
def test_a_window_whose_device_has_no_memory_left_says_so_and_goes_on(size, monkeypatch):
    viewer = make_viewer(opened("random_networks"), make_canvas((64, 48)), panel=False, playing=False)
    before = viewer.canvas.draw()
    with monkeypatch.context() as patch:
        without_memory(patch)
        viewer.changed()
        viewer.canvas.set_logical_size(*size)
        viewer.canvas.draw()
    assert viewer.notices.problem == faults.NO_MEMORY
    viewer.canvas.set_logical_size(64, 48)
    viewer.changed()
    assert np.array_equal(viewer.canvas.draw(), before)
    viewer.canvas.close()
