"""Every neuron of SqueezeNet as a dot, beside the same dots as unsorted quads: `python -m benchmarks.cloud`.

Pictures of 1460 x 600, one sample a pixel, of what the network makes of scikit-image's cat; least and median of several
runs in turn. The quads are the same list of dots, drawn by the rasteriser in the list's order, which blends them
wrongly; the original draws its points so. Parts are measured by themselves, each waited for. Then the stem and the sums
of a ResNet-50 at 320 x 320 with random weights, 13 million neurons, from the front. Prints a table and adds its rows to
benchmarks/results/cloud.csv.
"""

import argparse
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.convnet import image, squeezenet
from benchmarks.large import large
from benchmarks.results import store
from engine.draw.cloud.cloud_layout import lay_out
from engine.draw.cloud.neuron_cloud import Block, NeuronCloud, theme_palette
from engine.draw.drawable import Aim
from engine.draw.frame import THEMES
from engine.formats.load_convnet import load_convnet
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.channel_map import ChannelMap
from engine.gpu.compose import compose
from engine.gpu.device import device
from engine.gpu.pipeline import Draw, Pipeline
from engine.gpu.texture import Texture
from engine.kernels.block_statistics import BlockStatistics
from engine.kernels.forward import Forward
from engine.kernels.radix_sort import RadixSort
from engine.kernels.select_neurons import NeuronSelection
from engine.kernels.splat import FACTORS, NEURONS, VIEW_BINDING, Dots, Splatting, factors_of, palette_of
from engine.network.graph.nodes import Add, Elementwise
from engine.network.preprocess import fit
from engine.render.renderer import Renderer
from engine.scene.scene import Scene
from engine.scene.view_data import Clock
from engine.view.camera import Camera

SIZE = (1460, 600)
QUAD = Path(__file__).with_name("quads.wgsl")
NODES = [
    "pool1", "fire2/concat", "fire3/concat", "fire4/concat", "fire6/concat", "fire8/concat", "fire9/concat",
    "relu_conv10", "pool10", "prob",
]  # fmt: skip
LOOKS = ["features"] * 8 + ["pooled", "classes"]
QUADS = (VIEW_BINDING, NEURONS, FACTORS, Binding("palette", "uniform", "array<vec4f, 128>"))


class Cloud(Scene):
    """A cloud by itself."""

    node: NeuronCloud | None = None

    def build(self, stage):
        stage.add(self.node)


def network():
    """(blocks, length of the cloud, a function that runs the network on the GPU) of the cat."""
    from skimage.data import chelsea

    net, weights = squeezenet()
    print(f"SqueezeNet 1.0, {weights} weights")
    return blocks_of(net, NODES, LOOKS, net.preprocess(fit(chelsea(), net.preprocess.size, net.preprocess.resize)))


def large_network():
    """The same of a ResNet-50 at 320 x 320, of noise."""
    net = load_convnet(large("resnet50", 320))
    ends = (node for node in net.nodes[1:] if isinstance(net.node(node.inputs[0]), Add))
    names = [net.nodes[2].name, net.nodes[3].name, *(node.name for node in ends if isinstance(node, Elementwise))]
    return blocks_of(net, names, ["features"] * len(names), image(net))


def blocks_of(net, names, looks, seen):
    """As `network`, of the nodes with these names."""
    forward = Forward(net)
    shapes = [net.shapes[name] for name in names]
    layouts, length = lay_out(shapes, looks)

    def run():
        encoder = device().encoder()
        forward.record(encoder, seen)
        device().submit(encoder)

    run()
    blocks = [
        Block(name, shape, layout, look, array=forward.array(name), first=forward.first(name))
        for name, shape, layout, look in zip(names, shapes, layouts, looks, strict=True)
    ]
    return blocks, length, run


def cameras(length):
    """name -> Camera: before the input, as the original begins; from the side; among the neurons."""
    far = length / 2 + 350
    lens: dict[str, Any] = {"fov": np.pi / 4, "near": 1.0, "far": 4000.0}
    return {
        "front": Camera(eye=(0, 0, far), **lens),
        "side": Camera(eye=(far, 0, 0), **lens),
        "inside": Camera(eye=(0, 0, 100), **lens),
    }


def timed(works, runs):
    """name -> (median, least) seconds of works in turn, after one round that is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for run in range(runs + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if run:
                taken[name].append(time.perf_counter() - start)
    return {name: (statistics.median(times), min(times)) for name, times in taken.items()}


class Parts:
    """The steps of a picture by themselves, each handed over and waited for."""

    def __init__(self, blocks):
        shapes, layouts, looks = zip(*((b.shape, b.layout, b.look) for b in blocks), strict=True)
        self.maps = [ChannelMap(b.shape, b.array, b.first) for b in blocks]
        self.statistics, self.selection = BlockStatistics(shapes), NeuronSelection(shapes, layouts, looks)
        self.splatting, self.done = Splatting(), Array("u4", 4)
        self.sorts = (RadixSort(), RadixSort())
        self.keys: list[Array] = []
        ones = np.ones(len(blocks))
        factors = factors_of(ones, ones, ones, ones, ones)
        self.factors = Array.of(factors)
        self.palette = Array.of(palette_of(*theme_palette(THEMES["dark"])), "uniform")
        self.depth, self.colour = Texture(SIZE, "depth32float"), Texture(SIZE, "rgba16float")
        self.waited(lambda encoder: self.begin(encoder, False).end())
        self.measure()
        self.select()

    def waited(self, record):
        encoder = device().encoder()
        record(encoder)
        device().submit(encoder)
        self.done.read(1)

    def begin(self, encoder, coloured=True):
        """A render pass with nothing solid in it."""
        clear = {"load_op": "clear", "store_op": "store", "clear_value": (0, 0, 0, 0)}
        return encoder.begin_render_pass(
            color_attachments=[{"view": self.colour.view, **clear}] if coloured else [],
            depth_stencil_attachment={
                "view": self.depth.view, "depth_load_op": "clear", "depth_store_op": "store", "depth_clear_value": 1.0,
            },
        )  # fmt: skip

    def measure(self):
        self.waited(lambda encoder: self.statistics.record(encoder, self.maps))

    def select(self):
        table = self.statistics.table
        self.waited(lambda encoder: self.selection.record_count(encoder, self.maps, table))
        starts = self.selection.starts()
        self.waited(lambda encoder: self.selection.record_choice(encoder, self.maps, table, starts))
        self.seen = int(starts[-1])
        self.dots = Dots(self.selection.chosen, [(0, self.seen)], self.factors, self.palette)

    def look(self, view):
        """Functions of a view: name -> step, each to be run after those before it."""
        self.view = view
        return {"place": self.place, "list": self.list, "sort": self.sort, "blend": self.blend}

    def place(self):
        self.waited(lambda encoder: self.splatting.place(encoder, self.view, self.dots))

    def list(self):
        self.entries = self.splatting.count(self.view)
        self.waited(lambda encoder: self.splatting.enter(encoder, self.view, self.entries))

    def sort(self):
        """What sorting alone takes of those two: as many keys, by depth and by square, in no order."""
        keys = self.keys
        if not keys or keys[1].count != self.entries:
            rng = np.random.default_rng(0)
            self.keys = keys = [Array.of(rng.integers(0, 2**16, n, dtype=np.uint32)) for n in (self.seen, self.entries)]
            self.values = [Array("u4", n) for n in (self.seen, self.entries)]

        def record(encoder):
            for sort, to_sort, values, bits in zip(self.sorts, keys, self.values, (24, 16), strict=True):
                sort.record(encoder, to_sort, values, to_sort.count, bits)

        self.waited(record)

    def blend(self):
        self.waited(lambda encoder: self.splatting.blend(encoder, self.view, self.entries, self.depth))

    def quads(self):
        """The same list by the rasteriser, in the list's order."""
        generated = {"quads": QUAD.read_text(encoding="utf-8"), "bindings": declare(QUADS)}
        state = Draw(("rgba16float",), depth="test", topology="triangle-strip")
        pipeline = Pipeline(compose("generated/quads", generated), QUADS, state)
        group = pipeline.bind(
            view=Array.of(self.view.uniform(), "uniform"),
            neurons=self.dots.neurons,
            factors=self.factors,
            palette=self.palette,
        )

        def record(encoder):
            step = self.begin(encoder)
            pipeline.draw(step, group, 4, self.seen)
            step.end()

        self.waited(record)


def check(parts):
    """Refuses to measure where the two do not draw the same dots: their light differs by the order alone."""
    ours = parts.splatting.picture.read().astype(float)[..., 3]
    quads = parts.colour.read().astype(float)[..., 3]
    # What lets light through does so in any order. Halves: quads round after each dot.
    assert abs(ours - quads).mean() < 1e-3, f"other dots: {abs(ours - quads).mean():.1e}"


def measured(runs, network, views):
    """The rows of a network from some of `cameras`: {the row's name: the camera's}."""
    blocks, length, run = network()
    cloud, parts, renderer, rows = NeuronCloud(), Parts(blocks), Renderer(), []
    cloud.show(blocks)

    def row(view, who, what, times):
        rows.append(
            {"view": view, "seen": parts.seen, "who": who, "what": what, "seconds": times[1], "median": times[0]}
        )

    def draw(camera):
        scene = Cloud(camera=camera)
        scene.node = cloud
        return renderer.frame(scene, Clock(0.0), SIZE, 1).pixels()

    def another(camera):
        run()
        cloud.changed()
        draw(camera)

    def pick(aims):
        cloud.pick(aims.pop(), np.eye(4))

    once = {"measure": parts.measure, "select": parts.select, "new image": lambda: another(cameras(length)["front"])}
    for what, times in timed(once, runs).items():
        row("any" if len(views) > 1 else next(iter(views)), "ours", what, times)
    for name, camera in ((name, cameras(length)[key]) for name, key in views.items()):
        view = cloud.view(camera, np.eye(4), SIZE, (0, 0), SIZE)
        aims = [Aim.at(camera, SIZE, x, y) for x, y in np.random.default_rng(0).integers(0, SIZE, (runs + 1, 2))]
        steps = parts.look(view) | {
            "picture": partial(draw, camera),
            "pick": partial(pick, aims),
            "quads": parts.quads,
        }
        for what, times in timed(steps, runs).items():
            row(name, "rasteriser" if what == "quads" else "ours", what, times)
        check(parts)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9, help="of each, in turn")
    runs = parser.parse_args().runs
    store("cloud", measured(runs, network, {name: name for name in ("front", "side", "inside")}))
    store("cloud", measured(runs, large_network, {"resnet50 at 320": "front"}))


if __name__ == "__main__":
    main()
