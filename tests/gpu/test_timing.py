"""Times of passes: each pass once, longest first; and a sentence where an adapter has no timestamps."""

import dataclasses

import numpy as np
import pytest

import engine
from engine.gpu import timing
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.timing import PassTimes, timing_lack
from engine.render.painter import Painter
from engine.render.renderer import Renderer

NUMBERS = (Binding("numbers", "write", "array<f32>"),)
# Work that grows with TURNS and that no compiler leaves out.
CODE = """
override TURNS: u32 = 1u;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    var x = numbers[id.x];
    for (var i = 0u; i < TURNS; i++) {
        x = fract(x * 1.618034 + 0.25);
    }
    numbers[id.x] = x;
}
"""


def kernel(name, turns):
    return Kernel(Module(f"{name}.wgsl", declare(NUMBERS) + CODE, ()), NUMBERS, constants={"TURNS": float(turns)})


@pytest.fixture
def without_timestamps(monkeypatch):
    bare = dataclasses.replace(device(), features=device().features - {"timestamp-query"})
    monkeypatch.setattr(timing, "device", lambda: bare)


def test_each_pass_is_counted_and_rows_are_longest_first():
    if timing_lack():
        pytest.skip(timing_lack())
    array, times = Array.of(np.linspace(0, 1, 4096, dtype="f4")), PassTimes()
    short, long = kernel("short", 1), kernel("long", 1000)
    short.run(64, numbers=array)
    with times.recording():
        for _ in range(timing.PASSES // 2):
            short.run(1, numbers=array)
        for _ in range(timing.PASSES // 2 + 3):
            # More than one query set has room for.
            long.run(64, numbers=array)
    short.run(64, numbers=array)
    rows = times.rows()
    counts = {row.label: row.count for row in rows}
    assert counts == {"long": timing.PASSES // 2 + 3, "short": timing.PASSES // 2}
    assert rows[0].seconds >= rows[1].seconds >= 0 and rows[0].seconds > 0
    # Asked again it says the same; what is timed later is added.
    assert times.rows() == rows
    with times.recording():
        long.run(64, numbers=array)
    assert {row.label: row.count for row in times.rows()} == counts | {"long": timing.PASSES // 2 + 4}


def test_a_picture_has_the_times_of_its_own_passes_and_the_renderer_all():
    if timing_lack():
        pytest.skip(timing_lack())
    scene, _ = engine.open_scene("marching")
    renderer = Renderer()
    untimed = renderer.frame(scene, engine.Clock(0.3), (64, 48), 1)
    times = renderer.time_passes()
    first, second = (renderer.frame(scene, engine.Clock(t), (64, 48), 1) for t in (0.3, 0.4))
    assert untimed.report.passes is None
    labels = {row.label for row in second.report.passes}
    assert {"solid", "draw/level_surfaces", "render/compose", "render/resolve", "light", "words"} <= labels
    assert all(row.count == 1 for row in second.report.passes)
    assert {row.label: row.count for row in times.rows()} == dict.fromkeys(labels, 2)
    assert np.array_equal(untimed.pixels(), first.pixels())
    lines = times.table().splitlines()
    assert lines[0].split() == ["pass", "count", "ms", "share"] and lines[-1].startswith("all passes")
    assert renderer.time_passes(False) is None
    assert renderer.frame(scene, engine.Clock(0.3), (64, 48), 1).report.passes is None


def test_an_adapter_without_timestamps_is_reported(without_timestamps):
    times = PassTimes()
    with times.recording():
        kernel("short", 1).run(1, numbers=Array("f4", 64))
    assert times.rows() == ()
    assert times.table() == timing_lack() and "no timestamps" in timing_lack()


def test_a_live_view_tells_the_times_of_the_picture_it_shows():
    if timing_lack():
        pytest.skip(timing_lack())
    scene, _ = engine.open_scene("marching")
    painter = Painter(Renderer(), pytest.fail, live=False)
    painter.draw(scene, engine.Clock(), (64, 48))
    assert painter.passes is None and painter.timing_lack is None
    painter.refinement.rested(1.0)
    painter.time_passes(True)
    painter.draw(scene, engine.Clock(), (64, 48))
    assert {"solid", "words"} <= {row.label for row in painter.passes}
    painter.time_passes(False)
    painter.draw(scene, engine.Clock(), (64, 48))
    assert painter.passes is None
