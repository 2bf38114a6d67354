"""The level surfaces of a network in three inputs, certified: none is skipped, and what is not known is not painted."""

from functools import cache

import numpy as np

from engine.codegen.mlp.arithmetics import DUAL
from engine.codegen.mlp.layout import weights_binding
from engine.codegen.mlp.weights import upload
from engine.draw.colour import STEPS, palette_array
from engine.draw.drawable import Drawable, Hit
from engine.draw.frame import FRAME_BINDING, LAYERS, LAYERS_WRITE
from engine.draw.surfaces.debug_views import NORMAL_MAP, view_legend, view_number, view_span
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding, declare
from engine.gpu.compose import compose
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.kernels import field, rays

SURFACE = struct(
    "Surface",
    inverse="mat4x4f",  # world to the node's space
    normals="mat4x4f",  # gradients in the node's space to the world
    region="vec4f",  # ball: (radius, -, -, 0); box: (half sizes, 1)
    level="f32",
    spacing="f32",
    single="f32",  # 1: this level alone
    low="f32",  # values at the two ends of the palette
    high="f32",
    reach="f32",  # the region's radius
    nearest="f32",  # distance from the eye to the region
    opacity="f32",
    rim="f32",  # pixels in a picture 720 high
    undecided="f32",  # 1: undecided and grazing samples in colours of their own
    most="f32",  # surfaces along a ray
    searches="f32",  # that a ray may take
    list="f32",
)
SURFACE_BINDING = Binding("surface", "uniform", SURFACE)
COUNTS_BINDING = Binding("counts", "write", "array<atomic<u32>, 4>")


class Region:
    """Where a network is shown: a ball or a box round the origin.

    kind   ball or box
    size   the ball's radius, or half the box's side: a number, or (3,) for a box
    """

    def __init__(self, kind="ball", size=5.0):
        sizes = np.broadcast_to(np.asarray(size, float), (3,))
        if kind not in ("ball", "box"):
            raise SettingError(f"A region is a ball or a box, not `{kind}`.")
        if not (np.isfinite(sizes).all() and (sizes > 0).all()) or (kind == "ball" and np.ptp(sizes)):
            raise SettingError(f"A {kind} of size {size} is none: give one positive number, or three for a box.")
        self.kind, self.sizes = kind, sizes

    @property
    def reach(self):
        """Radius of the ball round it."""
        return float(self.sizes[0] if self.kind == "ball" else np.linalg.norm(self.sizes))

    def points(self, count=24):
        """(N, 3) points spread evenly through it, walls included."""
        grid = np.linspace(-1.0, 1.0, count)
        p = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), -1).reshape(-1, 3)
        if self.kind == "ball":
            # Cubic shells pressed to spheres keep the spread and reach the wall.
            most = np.abs(p).max(axis=1, keepdims=True)
            length = np.linalg.norm(p, axis=1, keepdims=True)
            p = np.where(length > 0, p * most / np.maximum(length, 1e-30), 0.0)
        return p * self.sizes

    def chord(self, origin, direction):
        """(start, length) of the part of a ray inside; length 0 where it misses. direction has length 1."""
        if self.kind == "ball":
            b = float(np.dot(origin, direction))
            closest = origin - direction * b
            under = self.sizes[0] ** 2 - float(closest @ closest)
            if under <= 0:
                return 0.0, 0.0
            low, high = -b - under**0.5, -b + under**0.5
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                a, b = (-self.sizes - origin) / direction, (self.sizes - origin) / direction
            low, high = np.nanmax(np.minimum(a, b)), np.nanmin(np.maximum(a, b))
        low = max(float(low), 0.0)
        return low, max(float(high) - low, 0.0)


class LevelSurfaces(Drawable):
    """Where the network's output is `level`, or differs from it by a whole number of spacings.

    net       Mlp with three inputs
    output    which of its outputs
    level     of the surface; with `single` False every level + k spacing, k whole
    region    Region
    map       colour map of the levels, see draw.colour
    span      (low, high) values at the ends of the map; None takes the network's range in the region
    opacity   of a sheet seen straight on, 0 to 1
    surfaces  kept along a ray, front to back, 1 to 8; fewer for networks so large that a software driver can do no more
    debug     one of debug_views.VIEWS: "none"; "undecided" samples magenta and grazing ones orange; or in place of the
              surfaces "segments" that the ray took, "depth" and "normals" of its first surface, "overdraw": how many

    Raises ShapeError for a network without exactly three inputs or without that output.
    """

    makes_layers = True
    casts_rays = True
    phase = None

    def __init__(
        self, net, *, output=0, level=0.0, spacing=1.0, single=False, region=None,
        map="viridis", theme="dark", span=None, opacity=0.5, surfaces=LAYERS, rim=1.6, debug="none", name=None,
    ):  # fmt: skip
        super().__init__(name)
        self.level, self.spacing, self.single = level, spacing, single
        self.region = region or Region()
        self.map, self.theme, self.opacity = map, theme, opacity
        self.surfaces, self.rim, self.debug = surfaces, rim, debug
        self._span, self._found_span = span, None
        self._weights = self._uniform = None
        self.show(net, output)

    def show(self, net, output=0):
        """Takes another network, or the same one edited; only a new shape compiles anything."""
        if net.inputs != 3:
            raise ShapeError(f"{net} has {net.inputs} inputs; level surfaces in space need a network with 3.")
        if not 0 <= output < net.outputs:
            raise ShapeError(f"{net} has outputs 0 to {net.outputs - 1}; output {output} was asked for.")
        self.net, self.output = net, int(output)
        # On the GPU lives the network with this output alone.
        self._observed, self._uploaded, self._found_span = rays.observed(net, self.output), False, None

    @property
    def span(self):
        """(low, high): the values the colour map runs over."""
        if self._span is not None:
            return self._span
        key = (id(self.net), self.output, self.region.kind, tuple(self.region.sizes))
        if self._found_span is None or self._found_span[0] != key:
            values = self.net(self.region.points())[:, self.output]
            low, high = float(values.min()), float(values.max())
            if high - low < 1e-12:
                low, high = low - 0.5, high + 0.5
            self._found_span = (key, (low, high))
        return self._found_span[1]

    def kernel(self):
        palette = Binding("palette", "uniform", f"array<vec4f, {STEPS}>")
        module, bindings = self.module("draw/level_surfaces", palette, LAYERS_WRITE)
        return Kernel(module, bindings, constants={"DEBUG_VIEW": float(view_number(self.debug))})

    @property
    def is_exact(self):
        """True for debug views: their colours are values."""
        return view_number(self.debug) > 0

    def debug_span(self, camera, world):
        """(low, high): the values at the two ends of the debug view's colours."""
        inverse = np.linalg.inv(world)
        stretch = abs(np.linalg.det(world[:3, :3])) ** (1 / 3)
        distance = float(np.linalg.norm((inverse @ np.append(camera.eye, 1.0))[:3])) * stretch
        most = min(self.surfaces, rays.allowed(self._observed.shape).surfaces)
        return view_span(self.debug, distance, self.region.reach * stretch, most)

    def debug_legend(self, camera, world):
        """The Legend of the debug view; None where the surfaces themselves are shown."""
        return view_legend(self.debug, self.map, self.debug_span(camera, world))

    def module(self, name, *more):
        """(Module, bindings) of a shader that searches this network's surfaces: what all looks share, and `more`."""
        return _module(self._observed.shape, name, more)

    def resources(self, frame):
        """What those shared bindings stand for."""
        return {"frame": frame.uniforms, "surface": self._uniform, "weights": self._weights, "counts": frame.counts}

    def prepare(self, frame, world):
        if not self._uploaded:
            self._weights, self._uploaded = upload(self._observed, self._weights), True
        low, high = self.debug_span(frame.camera, world) if self.is_exact else self.span
        allowed = rays.allowed(self._observed.shape)
        inverse = np.linalg.inv(world)
        eye = (inverse @ np.append(frame.camera.eye, 1.0))[:3]
        stretch = abs(np.linalg.det(world[:3, :3])) ** (1 / 3)
        normals = np.eye(4)
        normals[:3, :3] = inverse[:3, :3].T
        self._uniform = self._uniform or Array(SURFACE.dtype, 1, "uniform")
        self._uniform.write(
            SURFACE.new(
                inverse=inverse.T,
                normals=normals.T,
                region=(*self.region.sizes, float(self.region.kind == "box")),
                level=self.level,
                spacing=self.spacing,
                single=float(self.single),
                low=low,
                high=high,
                reach=self.region.reach,
                nearest=max(0.0, float(np.linalg.norm(eye)) - self.region.reach) * stretch,
                opacity=self.opacity,
                rim=self.rim,
                undecided=float(self.debug == "undecided"),
                most=min(self.surfaces, allowed.surfaces),
                searches=allowed.searches,
                list=frame.list_number,
            )
        )

    def cast(self, frame, world):
        kernel = self.kernel()
        palette = palette_array(*(NORMAL_MAP if self.debug == "normals" else (self.map, self.theme)))
        group = kernel.bind(palette=palette, layers=frame.layers, **self.resources(frame))
        width, height = frame.samples
        kernel.dispatch(frame.encoder, group, (-(-width // 8), -(-height // 8)))

    def pick(self, aim, world):
        inverse = np.linalg.inv(world)
        o = (inverse @ np.append(aim.origin, 1.0))[:3]
        d = inverse[:3, :3] @ aim.direction
        stretch = float(np.linalg.norm(d))
        d = d / stretch
        start, length = self.region.chord(o, d)
        if length <= 0:
            return None
        entry = o + d * start
        found = rays.cast(
            self.net, entry[None], d[None], np.array([length]),
            level=self.level, spacing=self.spacing, single=self.single, output=self.output,
        )  # fmt: skip
        outcome = int(found["outcome"][0, 0])
        if outcome == rays.MISS:
            return None
        t = float(found["t"][0, 0])
        p = entry + d * t
        values, gradients = field.evaluate(self.net, p[None], gradient=True)
        value, gradient = float(values[0, self.output]), gradients[0, self.output].astype(float)
        position = (world @ np.append(p, 1.0))[:3]
        return Hit(
            node=self,
            position=tuple(position),
            distance=(start + t) / stretch,
            value=value,
            gradient=tuple(inverse[:3, :3].T @ gradient),
            level=self.level + self.spacing * float(found["level"][0, 0]),
            certain=outcome == rays.HIT,
        )


@cache
def _module(shape, name, more):
    # Composed once a shape, not for every tile.
    bindings = (FRAME_BINDING, SURFACE_BINDING, weights_binding(shape), COUNTS_BINDING, *more)
    return compose(name, rays.search_modules(shape, DUAL) | {"bindings": declare(bindings)}), bindings
