"""Trains a small U-Net on drawn pictures, and makes a transformer, a MobileNetV2 and a ResNet-50; exports them as ONNX.

    make test-peers                     installs PyTorch, once, into .venv-peers
    .venv-peers/bin/python tools/vision_networks.py FOLDER [--only unet]

unet.onnx tells the drawn object from what is behind it, at each pixel of 64 x 64, and is judged on pictures of other
seeds; what it reaches is printed and written into the file, with the classes and what is done to a photo. It takes
some minutes of two cores. The others are there to be looked at, with random weights. vit.onnx looks at 8 x 8 patches of
8 x 8 pixels with a class token, in four blocks of four heads. mobilenetv2.onnx and resnet50.onnx have the published
widths, depths and input; their batch norms have measured some drawn pictures, so that no layer goes out.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from example_convnets import SIZE, exported
from small_squeezenet import HELD_OUT, options, pictures, recipe, say, seen, settle, shown
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.drawn.objects import KINDS, drawing  # noqa: E402 - the project's folder is put on the path above

PATCH, WIDTH, DEPTH, HEADS = 8, 64, 4, 4
CHANNELS = (12, 24, 48, 64)
# Sandler et al. 2018, table 2: factor of the widening, channels, blocks, stride of the first.
BOTTLENECKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# He et al. 2015, table 1: channels of the narrow convolutions, blocks, stride of the first.
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
# The side of pictures and the classes as of ImageNet; how many pictures batch norms measure.
USUAL, CLASSES, MEASURED = 224, 1000, 16


class Pair(nn.Sequential):
    """Two 3 x 3 convolutions, each with a batch norm and a relu."""

    def __init__(self, into, out):
        layers = [nn.Conv2d(into, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        super().__init__(*layers, nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU())


class UNet(nn.Module):
    """Ronneberger et al. 2015, figure 1, in small: pairs of convolutions, maxima downwards, skips."""

    def __init__(self):
        super().__init__()
        steps = list(zip(CHANNELS[:-1], CHANNELS[1:], strict=True))
        self.down = nn.ModuleList([Pair(3, CHANNELS[0]), *(Pair(a, b) for a, b in steps)])
        self.larger = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in reversed(steps)])
        self.up = nn.ModuleList([Pair(2 * a, a) for a, _ in reversed(steps)])
        self.scores, self.prob = nn.Conv2d(CHANNELS[0], 2, 1), nn.Identity()

    def forward(self, x):
        passed = []
        for k, pair in enumerate(self.down):
            x = pair(x if k == 0 else nn.functional.max_pool2d(x, 2))
            passed.append(x)
        for larger, pair, skip in zip(self.larger, self.up, reversed(passed[:-1]), strict=True):
            x = pair(torch.cat([skip, larger(x)], 1))
        return self.prob(self.scores(x))


class Block(nn.Module):
    """Vaswani et al. 2017 with the norms before, as Dosovitskiy et al. 2020 have it."""

    def __init__(self):
        super().__init__()
        self.norm1, self.qkv, self.mixed = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm2, self.wide, self.narrow = (
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, 2 * WIDTH),
            nn.Linear(2 * WIDTH, WIDTH),
        )

    def forward(self, x):
        count, tokens, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(count, tokens, 3, HEADS, -1).permute(2, 0, 3, 1, 4).unbind(0)
        looks = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1)
        x = x + self.mixed((looks @ v).transpose(1, 2).reshape(count, tokens, WIDTH))
        return x + self.narrow(nn.functional.gelu(self.wide(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        side = SIZE // PATCH
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, WIDTH))
        self.places = nn.Parameter(0.02 * torch.randn(1, side * side + 1, WIDTH))
        self.blocks = nn.ModuleList([Block() for _ in range(DEPTH)])
        self.norm, self.head, self.prob = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(KINDS)), nn.Identity()

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        for block in self.blocks:
            x = block(x)
        return self.prob(self.head(self.norm(x)[:, 0]))


def convolved(into, out, size, stride=1, groups=1, activation=None):
    """A convolution with its batch norm and an activation, if there is one."""
    layers = [nn.Conv2d(into, out, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class Inverted(nn.Module):
    """Sandler et al. 2018, figure 3b: widened, seen through a 3 x 3 of each channel, and narrowed without a relu."""

    def __init__(self, into, out, widening, stride):
        super().__init__()
        wide, self.adds = into * widening, stride == 1 and into == out
        self.widened = convolved(into, wide, 1, activation=nn.ReLU6) if widening > 1 else nn.Identity()
        self.seen = convolved(wide, wide, 3, stride, wide, nn.ReLU6)
        self.narrowed = convolved(wide, out, 1)

    def forward(self, x):
        y = self.narrowed(self.seen(self.widened(x)))
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, blocks, into = convolved(3, 32, 3, 2, activation=nn.ReLU6), [], 32
        for widening, out, count, stride in BOTTLENECKS:
            for k in range(count):
                blocks.append(Inverted(into, out, widening, stride if k == 0 else 1))
                into = out
        self.blocks, self.last = nn.Sequential(*blocks), convolved(into, 1280, 1, activation=nn.ReLU6)
        self.pool, self.classifier, self.prob = nn.AdaptiveAvgPool2d(1), nn.Linear(1280, CLASSES), nn.Identity()

    def forward(self, x):
        return self.prob(self.classifier(self.pool(self.last(self.blocks(self.stem(x)))).flatten(1)))


class Bottleneck(nn.Module):
    """He et al. 2015, figure 5 on the right; the stride is the 3 x 3's, as in torchvision."""

    def __init__(self, into, narrow, stride):
        super().__init__()
        self.down, self.seen = convolved(into, narrow, 1, activation=nn.ReLU), convolved(narrow, narrow, 3, stride)
        self.up, same = convolved(narrow, 4 * narrow, 1), stride == 1 and into == 4 * narrow
        self.past = nn.Identity() if same else convolved(into, 4 * narrow, 1, stride)

    def forward(self, x):
        return (self.up(self.seen(self.down(x)).relu()) + self.past(x)).relu()


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.pool, into = convolved(3, 64, 7, 2, activation=nn.ReLU), nn.MaxPool2d(3, 2, 1), 64
        for number, (narrow, count, stride) in enumerate(STAGES, start=1):
            blocks = [Bottleneck(into if k == 0 else 4 * narrow, narrow, stride if k == 0 else 1) for k in range(count)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            into = 4 * narrow
        self.mean, self.classifier, self.prob = nn.AdaptiveAvgPool2d(1), nn.Linear(into, CLASSES), nn.Identity()

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.pool(self.stem(x))))))
        return self.prob(self.classifier(self.mean(x).flatten(1)))


def covered(seeds):
    """(image, whether the object covers more than half of each pixel) of the pictures of some seeds."""
    made = [drawing(KINDS[seed % len(KINDS)], seed // len(KINDS), SIZE) for seed in seeds]
    return np.stack([d.image for d in made]), np.stack([d.cover > 0.5 for d in made])


def masked(first, count, workers):
    """`count` pictures from seed `first` on, (N, H, W, 3) uint8, and their masks, (N, H, W) int64."""
    seeds = range(first * len(KINDS), first * len(KINDS) + count)
    with ProcessPoolExecutor(workers) as crew:
        images, masks = zip(*crew.map(covered, [seeds[k : k + 256] for k in range(0, count, 256)]), strict=True)
    return torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(masks)).long()


def train_masks(model, images, masks, asked):
    """The U-Net after the epochs asked for, in eval()."""
    rng, adam = np.random.default_rng(asked.seed), torch.optim.Adam(model.parameters(), lr=asked.learning_rate)
    steps = asked.epochs * (len(images) // asked.batch)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, asked.learning_rate, steps)
    for epoch in range(asked.epochs):
        total = 0.0
        for batch in np.split(
            rng.permutation(len(images))[: steps // asked.epochs * asked.batch], steps // asked.epochs
        ):
            chosen = torch.from_numpy(batch)
            loss = nn.functional.cross_entropy(model(seen(images[chosen])), masks[chosen])
            adam.zero_grad()
            loss.backward()
            adam.step()
            rate.step()
            total += float(loss.detach())
        say(f"epoch {epoch + 1} of {asked.epochs}: loss {total * asked.epochs / steps:.3f}")
    return model.eval()


@torch.no_grad()
def overlap(model, images, masks):
    """The object's pixels that are found, over those that are it or are found (intersection over union)."""
    found = torch.cat([model(seen(batch)).argmax(1) for batch in images.split(128)]).bool()
    return float((found & masks.bool()).sum() / (found | masks.bool()).sum())


def unet(asked):
    """(the trained U-Net, what is written about it)."""
    images, masks = masked(0, asked.images, asked.threads)
    model = train_masks(UNet(), images, masks, asked)
    found = overlap(model, *masked(HELD_OUT, asked.held_out, asked.threads))
    print(f"intersection over union {found:.3f}")
    return model, {
        "classes": '["background", "object"]',
        "held_out_images": str(asked.held_out),
        "held_out_intersection_over_union": f"{found:.4f}",
    }


def vit(asked):
    """(a transformer of random weights, what is written about it)."""
    return Transformer().eval(), {"training": "none: random weights"}


@torch.no_grad()
def measured(model, asked):
    """(a network of random weights whose batch norms have measured drawn pictures, what is written about it)."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # the mean of all that is seen
    images, _ = pictures(0, MEASURED, asked.threads, USUAL)
    model.train()(seen(images))
    return model.eval(), {"training": f"none: random weights; batch norms of {MEASURED} drawn pictures"}


def mobilenetv2(asked):
    return measured(MobileNetV2(), asked)


def resnet50(asked):
    return measured(ResNet50(), asked)


# What makes each, and the side of what it sees.
NETWORKS = {
    "unet": (unet, SIZE),
    "vit": (vit, SIZE),
    "mobilenetv2": (mobilenetv2, USUAL),
    "resnet50": (resnet50, USUAL),
}


def main():
    parser = options(__doc__, 4_000, 5)
    parser.set_defaults(learning_rate=2e-3)
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--only", choices=NETWORKS, help="one of the four")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    settle(asked)
    start = time.perf_counter()
    for name in [asked.only] if asked.only else NETWORKS:
        torch.manual_seed(asked.seed)
        make, size = NETWORKS[name]
        model, about = make(asked)
        model.prob = nn.Softmax(1)
        metadata = {**recipe("vision_networks.py", parser, asked), **shown(size), **about}
        if name != "unet":
            del metadata["classes"]  # of random weights no class has a name
        path = asked.folder / f"{name}.onnx"
        exported(model.to(memory_format=torch.contiguous_format), path, metadata, size)
        print(f"{path.name}: {sum(x.numel() for x in model.parameters())} weights, {path.stat().st_size} bytes")
    say(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
