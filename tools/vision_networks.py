"""Trains a small U-Net on drawn pictures, and makes a small vision transformer; exports them as ONNX.

    make test-peers                     installs PyTorch, once, into .venv-peers
    .venv-peers/bin/python tools/vision_networks.py FOLDER [--only unet]

unet.onnx tells the drawn object from what is behind it, at each pixel of 64 x 64, and is judged on pictures of other
seeds; what it reaches is printed and written into the file, with the classes and what is done to a photo. It takes
some minutes of two cores. vit.onnx, which looks at 8 x 8 patches of 8 x 8 pixels with a class token, in four blocks of
four heads, has random weights: it is there to be looked at.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from example_convnets import SIZE, exported
from small_squeezenet import HELD_OUT, options, recipe, say, seen, settle, shown
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.drawn.objects import KINDS, drawing  # noqa: E402 - the project's folder is put on the path above

PATCH, WIDTH, DEPTH, HEADS = 8, 64, 4, 4
CHANNELS = (12, 24, 48, 64)


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


NETWORKS = {"unet": unet, "vit": vit}


def main():
    parser = options(__doc__, 4_000, 5)
    parser.set_defaults(learning_rate=2e-3)
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--only", choices=NETWORKS, help="one of the two")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    settle(asked)
    start = time.perf_counter()
    for name in [asked.only] if asked.only else NETWORKS:
        torch.manual_seed(asked.seed)
        model, about = NETWORKS[name](asked)
        model.prob = nn.Softmax(1)
        metadata = {**recipe("vision_networks.py", parser, asked), **shown(SIZE), **about}
        if name == "vit":
            del metadata["classes"]  # of random weights no class has a name
        path = asked.folder / f"{name}.onnx"
        exported(model.to(memory_format=torch.contiguous_format), path, metadata)
        print(f"{path.name}: {sum(x.numel() for x in model.parameters())} weights, {path.stat().st_size} bytes")
    say(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
