"""The base of activations: the settings for the network and its input picture, and the responses."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import permutations
from typing import Any

import numpy as np

import engine
from engine import Choice, Convolutional, Integer, Number, SettingError, in_group

# What the drawn pictures show, in the order of the small network's classes.
KINDS = ("boat", "bottle", "butterfly", "car", "cat", "cup", "fish", "flower", "house", "key", "mushroom", "snowman",
         "star", "sun", "tree", "umbrella")  # fmt: skip
# The number of pictures of each kind in its file in scenes/data/drawn, side by side, and their side in pixels.
DRAWN, SIDE = 4, 256
# The included network; docs/activations.md says how it was trained.
OWN = "small_squeezenet.safetensors"
AS_STATED = "as the file says"
# Free photos in scikit-image's package; `none` stands for the drawn picture.
PHOTOS = ("none", "chelsea", "astronaut", "coffee", "rocket", "motorcycle_left", "horse", "clock_motion", "camera",
          "coins", "moon", "hubble_deep_field", "retina", "cell", "brick", "grass", "gravel")  # fmt: skip
NETWORKS = "small", "squeezenet"
# A code of so many numbers, or a rectangle so many times as wide as high, is all squares.
LONGEST = 8


@cache
def own_network() -> engine.ConvNet:
    """The included ConvNet."""
    return engine.small_squeezenet(files("scenes").joinpath("data", OWN).read_bytes(), OWN)


@cache
def downloaded(name: str) -> engine.ConvNet:
    """The ConvNet of a file that `neuroscene download` has stored. Raises SettingError if there is none."""
    path = engine.downloaded_file(name)
    if path is None:
        raise SettingError(
            f"network={name}: it is not on this machine. Fetch it with `neuroscene download {name}`, or take "
            "network=small, which comes along."
        )
    return engine.load_convnet(path)


class SeenNetwork(engine.SpaceScene):
    """A scene with a convolutional network, its input picture, and its responses."""

    with in_group("shown"):
        with in_group(when=lambda s: s.image is None and s.photo == "none" and not s.takes_code):
            subject = Choice(list(KINDS), "cat", doc="what is drawn for the network to look at")
            seed = Integer(3, bounds=(0, 2**31 - 1), doc="of the drawn picture")
        with in_group(when=lambda s: s.takes_code):
            code = Integer(0, bounds=(0, 2**31 - 1), doc="seed of the code that the network makes a picture of")
            spread = Number(
                1.0, bounds=(0.0, 100.0), softbounds=(0.0, 3.0), doc="standard deviation of the code's normal numbers"
            )
        photo = Choice(
            list(PHOTOS),
            when=lambda s: s.image is None and not s.takes_code,
            doc="one of scikit-image's free photos; chelsea is a cat",
        )
        image = engine.Image(None, side=1024, label="your picture", doc="an image file, also one dropped on the window")
        white = Integer(
            0, bounds=(0, 65535), when=lambda s: s.image is not None and s.image.dtype == np.uint16,
            doc="the value of white in your picture of 16 bits; 0 finds it",
        )  # fmt: skip
        network = Choice(
            list(NETWORKS), when=lambda s: s.net is None,
            doc="the one that comes along, or SqueezeNet once it is downloaded",
        )  # fmt: skip
        net = Convolutional(None, label="your network", doc="an .onnx file, or .safetensors of a SqueezeNet")
        pixels = Choice(
            [AS_STATED, *engine.PREPROCESSES], when=lambda s: s.net is not None,
            doc="what your network wants pixels to be",
        )  # fmt: skip
        names = engine.ClassNames(None, label="class names", doc="a text file, one a line")

    # The network.

    @property
    def plain(self) -> engine.ConvNet:
        """The network as it is read, with the pixels and names that the settings say."""
        return self.cached("plain", (self.net, self.network, self.pixels, self.names), self._read)

    def _read(self):
        if self.net is None:
            net = own_network() if self.network == "small" else downloaded(self.network)
        else:
            net = self.net if self.pixels == AS_STATED else self.net.changed(preprocess=self.pixels)
        return net if self.names is None else net.changed(classes=self.names)

    @property
    def convnet(self) -> engine.ConvNet:
        """The network that is shown."""
        return self.plain

    @property
    def takes_code(self) -> bool:
        """Whether the network's input is a vector instead of a picture."""
        return self.net is not None and engine.takes_code(self.net)

    @property
    def forward(self) -> engine.Forward:
        """The network on the GPU, made once."""
        net = self.convnet
        return self.cached("forward", (net,), lambda: engine.Forward(net))

    # Its input.

    @property
    def picture(self) -> np.ndarray:
        """(H, W) or (H, W, 3) uint8 or uint16: the whole picture, before it is resized."""
        if self.image is not None:
            return self.image
        if self.photo != "none":
            return self.cached("photo", (self.photo,), lambda: free_photo(self.photo))
        return self.cached("drawn", (self.subject, self.seed), lambda: drawn_picture(self.subject, self.seed))

    @property
    def given_code(self) -> np.ndarray:
        """(C,) float32: the code of a network that takes one, normal numbers."""
        count = self.convnet.input_shape[0]
        return (self.spread * np.random.default_rng(self.code).normal(size=count)).astype(np.float32)

    @property
    def seen(self) -> np.ndarray:
        """(H, W, 3) uint8: the picture at the network's input size, grey where the network sees grey; or its code."""
        if self.takes_code:
            key = self.convnet, self.code, self.spread
            return self.cached("seen code", key, lambda: code_image(self.given_code))
        photo, net = self.fitted, self.convnet
        prepare: Any = net.preprocess  # `fitted` has refused networks without one
        return self.cached("seen", (photo, net), lambda: prepare.shown(photo))

    @property
    def fitted(self) -> np.ndarray:
        """(H, W, 3): the picture at the network's input size; uint8, or of 16 bits floats from 0 to 1."""
        net, picture = self.convnet, self.picture
        if not net.preprocess:
            raise SettingError(f"{net} takes {net.input_shape[0]} channels; photos have three, or one in grey.")
        size, resize = net.preprocess.size, net.preprocess.resize
        key = picture, net, self.white
        return self.cached("fitted", key, lambda: engine.fit_photo(picture, size, resize, self.white))

    @property
    def responses(self) -> Mapping[str, np.ndarray]:
        """{node: (C, H, W)} responses to `fitted`: computed when it has changed, read from the GPU when accessed."""
        if self.takes_code:
            key = self.forward, self.code, self.spread
            return self.cached(
                "responses", key, lambda: self.forward.responses(self.given_code.reshape(self.convnet.input_shape))
            )
        photo, forward = self.fitted, self.forward
        prepare: Any = forward.net.preprocess  # `fitted` has refused networks without one
        return self.cached("responses", (photo, forward), lambda: forward.responses(prepare(photo)))

    def class_name(self, number: int) -> str:
        """The name of a class; its number if the network has no names."""
        classes = self.convnet.classes
        return classes[number] if number < len(classes) else f"class {number}"


def drawn_picture(kind: str, seed: int) -> np.ndarray:
    """(256, 256, 3) uint8: a drawn picture of an object; for seeds from 4 on, a variation of one of the first four.

    Every second group of four seeds is mirrored, and colour channels are exchanged: 48 different pictures of each kind.
    """
    row = _drawn(kind)
    look, number = divmod(seed, DRAWN)
    picture = row[:, number * SIDE : (number + 1) * SIDE]
    channels = list(permutations(range(3)))[look // 2 % 6]
    return np.ascontiguousarray(picture[:, :: -1 if look % 2 else 1][..., channels])


@lru_cache(maxsize=4)
def _drawn(kind):
    return engine.shrunk_image(str(files("scenes").joinpath("data", "drawn", f"{kind}.webp")), DRAWN * SIDE)


def code_image(code: np.ndarray, cell: int = 8) -> np.ndarray:
    """(H, W, 3) uint8: the numbers of a code as squares, coloured from -3 to 3 by a map that diverges from 0.

    Where they fill no rectangle up to LONGEST times as wide as high, some rows have fewer, wider cells.
    """
    count, near = len(code), int(np.sqrt(len(code)))
    whole = next(rows for rows in range(near, 0, -1) if count % rows == 0)
    rows = whole if count <= LONGEST * whole**2 else near
    columns = -(-count // rows)
    ends, wide = np.linspace(0, count, rows + 1).astype(int), columns * cell
    at = [a + np.arange(wide) * (b - a) // wide for a, b in zip(ends, ends[1:], strict=False)]
    colours = engine.srgb(engine.map_colours("diverging", "image", np.asarray(code)[np.array(at)] / 6.0 + 0.5))
    return np.repeat(np.rint(255 * colours).astype(np.uint8), cell, axis=0)


def free_photo(name: str) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8: a photo in scikit-image's package, read without access to the internet."""
    try:
        folder = files("skimage") / "data"
    except ModuleNotFoundError:
        raise SettingError(
            f"photo={name}: scikit-image is not installed. Run `pip install scikit-image`, or give a file with --image."
        ) from None
    found = [path for path in map(folder.joinpath, (f"{name}.png", f"{name}.jpg")) if path.is_file()]
    if not found:
        raise SettingError(
            f"photo={name}: this scikit-image comes without it. Take another, or give a file with --image."
        )
    return engine.shrunk_image(str(found[0]), 1024)
