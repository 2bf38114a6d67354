"""Arrays, textures, kernels and the device: what goes in comes out, and what does not fit is refused."""

import numpy as np
import pytest

from engine.errors import DeviceLimitError, ShaderError, ShapeError
from engine.gpu.array import Array, grown
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import Module
from engine.gpu.device import MOST_WAITING, device
from engine.gpu.kernel import MAX_GROUPS, Kernel
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.texture import FORMATS, ReadBack, Texture
from tools.hostile import resident

NUMBERS = Binding("numbers", "write", "array<f32>")
DOUBLING = """
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x < arrayLength(&numbers) {
        numbers[id.x] *= 2.0;
    }
}
"""


def kernel(code=DOUBLING, bindings=(NUMBERS,), **more):
    return Kernel(Module("test.wgsl", declare(bindings) + code, ()), bindings, **more)


def test_the_adapter_speaks_vulkan():
    assert device().backend == "Vulkan"


def test_the_device_is_held_to_portable_limits():
    # From the specification of WebGPU, section 3.6.2; lavapipe itself has 1024, 32 KiB, 32 and 16384.
    assert device().limits["max-compute-invocations-per-workgroup"] == 256
    assert device().limits["max-compute-workgroup-storage-size"] == 16384
    assert device().limits["max-storage-buffers-per-shader-stage"] == 8
    assert device().limits["max-texture-dimension-2d"] == 8192


@pytest.mark.parametrize("dtype", ["f4", "u4", "i4", "u1", "f2", np.dtype(("f4", 4))], ids=str)
@pytest.mark.parametrize("count", [1, 3, 64])
def test_what_is_written_to_an_array_is_read_from_it(dtype, count):
    dtype = np.dtype(dtype)
    data = np.random.default_rng(0).integers(0, 100, (count, *dtype.shape)).astype(dtype.base)
    array = Array(dtype, count)
    device().queue.write_buffer(array.buffer, 0, np.pad(data.reshape(-1).view("u1"), (0, -data.nbytes % 4)))
    assert np.array_equal(array.read(), data)


def test_a_part_of_an_array_is_written_and_read():
    array = Array.of(np.arange(10, dtype="f4"))
    array.write([50, 60], at=4)
    assert list(array.read()) == [0, 1, 2, 3, 50, 60, 6, 7, 8, 9]
    assert list(array.read(3, at=4)) == [50, 60, 6]
    assert array.nbytes == 40


def test_writes_that_nothing_follows_wait_in_bounded_memory():
    part = np.zeros(2**18, np.float32)
    array = Array.of(part)
    array.read(1)
    before = resident()
    for _ in range(160):
        array.write(part)
    assert resident() - before < 3 * MOST_WAITING / 1e6


def test_an_array_of_nothing_can_be_bound_and_read():
    array = Array.of(np.zeros(0, "f4"))
    assert array.count == 0 and len(array.read()) == 0
    kernel().run(1, numbers=array)


def test_too_much_for_an_array_is_refused():
    with pytest.raises(ShapeError, match="3 items from 2 on do not fit an array of 4"):
        Array("f4", 4).write([1, 2, 3], at=2)
    with pytest.raises(ShapeError, match="float64"):
        Array("f8", 4)
    most = device().limits["max-storage-buffer-binding-size"]
    with pytest.raises(DeviceLimitError, match=f"binds {most >> 20}"):
        Array("f4", most // 4 + 1)


def test_an_array_grows_only_when_it_must():
    array = Array("f4", 8)
    assert grown(array, "f4", 5) is array
    assert grown(array, "f4", 9).count == 9
    assert grown(array, "u4", 8).dtype == np.uint32
    assert grown(None, "f4", 3).count == 3


def test_a_kernel_computes_on_every_item():
    array = Array.of(np.arange(1000, dtype="f4"))
    kernel().run(16, numbers=array)
    assert np.array_equal(array.read(), 2 * np.arange(1000))


def test_a_pipeline_is_compiled_once():
    assert kernel().pipeline is kernel().pipeline
    assert kernel().pipeline is not kernel(DOUBLING.replace("2.0", "3.0")).pipeline


def test_a_constant_is_set_without_changing_the_text():
    code = "override FACTOR: f32 = 1.0;\n" + DOUBLING.replace("2.0", "FACTOR")
    array = Array.of(np.ones(4, "f4"))
    kernel(code, constants={"FACTOR": 5.0}).run(1, numbers=array)
    kernel(code).run(1, numbers=array)
    assert list(array.read()) == [5.0] * 4


def test_a_mistake_in_a_shader_names_its_file_and_line():
    places = tuple(("wgsl/kernels/wrong.wgsl", i) for i in range(20))
    with pytest.raises(ShaderError, match=r"wgsl/kernels/wrong\.wgsl:\d+:\d+"):
        Kernel(Module("wrong.wgsl", declare((NUMBERS,)) + DOUBLING.replace("2.0", "two"), places), (NUMBERS,))


def test_resources_of_other_names_are_refused():
    with pytest.raises(ShaderError, match=r"binds \['numbers'\], but was given \['values'\]"):
        kernel().bind(values=Array("f4", 1))


def test_too_many_workgroups_are_refused():
    with pytest.raises(DeviceLimitError, match="65535"):
        kernel().run(MAX_GROUPS + 1, numbers=Array("f4", 1))


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"depth32float"}))
def test_what_is_written_to_a_texture_is_read_from_it(format):
    base, channels = FORMATS[format]
    shape = (5, 7) if channels == 1 else (5, 7, channels)
    pixels = np.random.default_rng(1).integers(0, 200, shape).astype(base)
    texture = Texture.of(pixels, format)
    assert texture.size == (7, 5)
    assert np.array_equal(texture.read(), pixels)


def test_too_large_a_texture_is_refused():
    limit = device().limits["max-texture-dimension-2d"]
    with pytest.raises(DeviceLimitError, match=str(limit)):
        Texture((limit + 1, 1), "rgba8unorm")


def test_a_draw_paints_what_its_stages_say():
    """Red left of the middle and green right of it, by the pixel's place; half over blue where blended."""
    code = """
    struct Ends { @builtin(position) place: vec4f }
    @vertex fn vertex(@builtin(vertex_index) i: u32) -> Ends {
        return Ends(vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.5, 1.0));
    }
    @fragment fn fragment(ends: Ends) -> @location(0) vec4f {
        return 0.5 * select(vec4f(0.0, 1.0, 0.0, 1.0), vec4f(1.0, 0.0, 0.0, 1.0), ends.place.x < 4.0);
    }
    """
    target = Texture((8, 2), "rgba32float")
    pipeline = Pipeline(Module("test.wgsl", code, ()), (), Draw(("rgba32float",), blend="replace"))
    encoder = device().encoder()
    step = encoder.begin_render_pass(
        color_attachments=[
            {"view": target.view, "load_op": "clear", "store_op": "store", "clear_value": (0.0, 0.0, 1.0, 1.0)}
        ]
    )
    pipeline.draw(step, pipeline.bind(), 3)
    step.end()
    device().submit(encoder)
    expected = np.zeros((2, 8, 4))
    expected[:, :4], expected[:, 4:] = (0.5, 0, 0, 0.5), (0, 0.5, 0, 0.5)
    assert np.array_equal(target.read(), expected)


@pytest.mark.parametrize("width", [1, 63, 64, 65])
@pytest.mark.parametrize("format", ["rgba8unorm", "r32float", "r8unorm"])
def test_a_copy_read_later_is_the_texture_as_it_was_then(width, format):
    # Rows of 4 to 260 bytes: with padding to 256 and without.
    rng = np.random.default_rng(width)
    shape = (5, width, 4) if format == "rgba8unorm" else (5, width)
    first, second = (rng.integers(0, 256, shape).astype("f4" if format == "r32float" else "u1") for _ in range(2))
    texture = Texture.of(first, format)
    back, encoder = ReadBack(texture), device().encoder()
    back.record(encoder)
    device().submit(encoder)
    texture.write(second)
    assert np.array_equal(back.pixels(), first)
    assert np.array_equal(texture.read(), second)
