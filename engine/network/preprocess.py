"""What a convolutional network wants done to a photo before it sees it."""

from dataclasses import dataclass, replace

import numpy as np

from engine.errors import NetworkError, ShapeError, near

ORDERS = {"rgb": 3, "bgr": 3, "grey": 1}
RESIZES = ("crop", "stretch")

# ITU-R BT.601, as PIL's "L" and OpenCV weigh a photo's channels.
LUMA = (0.299, 0.587, 0.114)

# What torchvision's networks were trained on: mean and deviation of ImageNet's channels, white being 1.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# The mean of ILSVRC-2012's red, green and blue, white being 255, which networks made with Caffe take off.
CAFFE_MEAN = (122.678914, 116.668768, 104.006988)


@dataclass(frozen=True)
class Preprocess:
    """(white x - mean) / std of each channel, x between 0 and 1.

    size     (H, W) of the network's input
    mean     of each of the input's channels in their order, so blue first if order is "bgr"
    std      alike; above 0
    scale    what white is before the mean is taken: 255 or 1
    order    "rgb", "bgr" or "grey" (one channel)
    resize   "crop": the photo's short side is made to fit, the middle is taken; "stretch": both sides are made to fit
    """

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = 1.0
    order: str = "rgb"
    resize: str = "crop"

    def __post_init__(self):
        for what, value, known in (("order", self.order, ORDERS), ("resize", self.resize, RESIZES)):
            if value not in known:
                raise NetworkError(f"A preprocess has the {what} `{value}`; it may be {', '.join(known)}.")
        for what, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != ORDERS[self.order] or not np.isfinite(values).all():
                wanted = ORDERS[self.order]
                raise NetworkError(
                    f"A preprocess has the {what} {tuple(values)}; order {self.order} needs {wanted} finite numbers."
                )
        if min(self.std) <= 0 or not 0 < self.scale < np.inf:
            raise NetworkError(f"A preprocess has std {self.std} and scale {self.scale}; they must be above 0.")

    def __call__(self, photo):
        """What the network sees of a photo of its input's size.

        photo    (H, W, 3), red first; uint8, or floats from 0 to 1
        returns  (channels, H, W) float32
        Raises ShapeError for another size; resizing comes before.
        """
        photo = np.asarray(photo)
        if photo.shape != (*self.size, 3):
            raise ShapeError(f"A photo is {photo.shape}, but this network's input needs {(*self.size, 3)}.")
        x = photo / 255.0 if photo.dtype == np.uint8 else photo.astype(float)
        x = {"rgb": lambda: x, "bgr": lambda: x[..., ::-1], "grey": lambda: x @ np.array(LUMA)[:, None]}[self.order]()
        x = (self.scale * x - np.array(self.mean)) / np.array(self.std)
        return np.ascontiguousarray(x.transpose(2, 0, 1), np.float32)

    def sized(self, size):
        """The same for an input of another size (H, W)."""
        return replace(self, size=tuple(size))


# What most networks want, by the words people use: (mean and std of red, green, blue, what white is, order).
PREPROCESSES = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD, 1.0, "rgb"),
    "caffe": (CAFFE_MEAN, (1.0,) * 3, 255.0, "bgr"),
    "caffe-rgb": (CAFFE_MEAN, (1.0,) * 3, 255.0, "rgb"),
    "0..1": ((0.0,) * 3, (1.0,) * 3, 1.0, "rgb"),
    "-1..1": ((0.5,) * 3, (0.5,) * 3, 1.0, "rgb"),
    "0..255": ((0.0,) * 3, (1.0,) * 3, 255.0, "rgb"),
}


def usual(name, shape):
    """The Preprocess of PREPROCESSES under a name, for an input (C, H, W) of three channels or one.

    A grey input gets the mean of the three channels' numbers.
    Raises NetworkError for an unknown name, and for an input that is no photo.
    """
    if name not in PREPROCESSES:
        raise NetworkError(near(name, PREPROCESSES, noun="preprocess"))
    channels, *size = shape
    mean, std, scale, order = PREPROCESSES[name]
    if channels == 1:
        return Preprocess(tuple(size), (float(np.mean(mean)),), (float(np.mean(std)),), scale, "grey")
    if channels != 3:
        raise NetworkError(f"The input is {tuple(shape)}; a photo has three channels, or one in grey.")
    turn = -1 if order == "bgr" else 1
    return Preprocess(tuple(size), mean[::turn], std[::turn], scale, order)
