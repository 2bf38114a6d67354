"""Networks that people have: read from PyTorch's modules, in float64 as PyTorch computes them, and on the GPU.

Of torchvision and timm, where they are installed, a small network of each family, with random weights. It takes long:
ZOO=2/10 in the environment takes the second tenth of them.
"""

import os
import warnings

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers

from engine.formats.load_convnet import load_convnet  # noqa: E402 - needs PyTorch
from engine.kernels.forward import Forward  # noqa: E402
from engine.network.graph.views import unviewed, viewed  # noqa: E402

nn = torch.nn
NORMS = {
    "batch": nn.BatchNorm2d,
    "instance": lambda n: nn.InstanceNorm2d(n, affine=True),
    "group": lambda n: nn.GroupNorm(4, n),
}


class UNet(nn.Module):
    """Two steps down and up, up by `nn.Upsample` of a mode or by transposed convolutions."""

    def __init__(self, norm, mode):
        super().__init__()

        def block(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), NORMS[norm](o), nn.LeakyReLU(0.1))

        def up(i, o):
            if mode == "transposed":
                return nn.ConvTranspose2d(i, o, 2, 2)
            return nn.Sequential(nn.Upsample(scale_factor=2, mode=mode), nn.Conv2d(i, o, 1))

        self.a, self.b, self.c = block(3, 8), block(8, 12), block(12, 16)
        self.up1, self.d, self.up2, self.e = up(16, 12), block(24, 12), up(12, 8), block(16, 8)
        self.last = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(nn.functional.max_pool2d(a, 2))
        c = self.c(nn.functional.max_pool2d(b, 2))
        d = self.d(torch.cat([self.up1(c), b], 1))
        return self.last(self.e(torch.cat([self.up2(d), a], 1))).softmax(1)


class Generator(nn.Module):
    """Of CycleGAN: reflected padding, instance norms, residual blocks, transposed convolutions with output padding."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(3, 6, 7), nn.InstanceNorm2d(6), nn.ReLU())
        self.down = nn.Sequential(nn.Conv2d(6, 9, 3, 2, 1), nn.InstanceNorm2d(9), nn.ReLU())
        self.block = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(9, 9, 3), nn.InstanceNorm2d(9), nn.ReLU())
        self.up = nn.Sequential(nn.ConvTranspose2d(9, 6, 3, 2, 1, output_padding=1), nn.InstanceNorm2d(6), nn.ReLU())
        self.last = nn.Sequential(nn.ReplicationPad2d(3), nn.Conv2d(6, 3, 7), nn.Tanh())

    def forward(self, x):
        x = self.down(self.first(x))
        return self.last(self.up(x + self.block(x)))


class GroupedQueries(nn.Module):
    """Attention in which two heads of queries share each head of keys and values."""

    def __init__(self):
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 16, 4, 4), nn.Linear(16, 5)
        self.query, self.pairs = nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        query = self.query(x).unflatten(2, (4, 4)).transpose(1, 2)
        key, value = self.pairs(x).unflatten(2, (4, 4)).transpose(1, 2).chunk(2, 1)
        x = nn.functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
        return self.head(x.transpose(1, 2).flatten(2).mean(1))


class Transformer(nn.Module):
    """A ViT of PyTorch's own layers: a class token, places, two layers, the class token's scores."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 4, 4)
        self.token, self.places = nn.Parameter(torch.randn(1, 1, 24)), nn.Parameter(torch.randn(1, 17, 24))
        layer = nn.TransformerEncoderLayer(24, 3, 40, activation="gelu", batch_first=True, norm_first=True)
        self.layers, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(24, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(self.layers(x)[:, 0])


class Windows(nn.Module):
    """Windows by `unfold`, as halos of attention are cut, side by side through a convolution; written over zeros."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1)

    def forward(self, x):
        cut = x.unfold(2, 4, 2).unfold(3, 4, 4)  # (1, 3, rows, columns, 4, 4)
        small = self.conv(cut.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)).relu()
        return torch.zeros(small.shape[1:], dtype=x.dtype).copy_(small.amax(0)) + small.mean(0)


def dcgan():
    """A generator of images from a vector."""
    return nn.Sequential(
        nn.Linear(10, 48), nn.Unflatten(1, (12, 2, 2)), nn.ConvTranspose2d(12, 8, 4, 2, 1, bias=False),
        nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip


def subpixel():
    """Super-resolution by a pixel shuffle, with a slope for each channel."""
    return nn.Sequential(nn.Conv2d(3, 6, 5, padding=2), nn.PReLU(6), nn.Conv2d(6, 12, 3, padding=1), nn.PixelShuffle(2))


def mixer():
    """Convolutions as large as patches, channels shuffled, local response norm, adaptive pools, a dilated window."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 4, 4), nn.GELU(approximate="tanh"), nn.ChannelShuffle(2), nn.LocalResponseNorm(3, alpha=0.1),
        nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4), nn.AdaptiveAvgPool2d((2, 3)), nn.Flatten(),
        nn.Linear(48, 5), nn.LogSoftmax(1),
    )  # fmt: skip


OWN = {
    **{f"unet, {norm} norm, {mode}": (lambda norm=norm, mode=mode: UNet(norm, mode), (3, 16, 24)) for norm, mode in (
        ("batch", "transposed"), ("instance", "nearest"), ("group", "bilinear"), ("batch", "bicubic"))},
    "cyclegan": (Generator, (3, 16, 16)),
    "transformer": (Transformer, (3, 16, 16)),
    "grouped queries": (GroupedQueries, (3, 16, 16)),
    "windows": (Windows, (3, 8, 12)),
    "dcgan": (dcgan, (10,)),
    "subpixel": (subpixel, (3, 7, 9)),
    "mixer": (mixer, (3, 16, 24)),
}  # fmt: skip
TORCHVISION = {
    "alexnet": 96, "squeezenet1_1": 64, "vgg11": 64, "resnet18": 64, "resnext50_32x4d": 64, "densenet121": 64,
    "googlenet": 64, "inception_v3": 128, "mobilenet_v2": 64, "mobilenet_v3_small": 64, "mnasnet0_5": 64,
    "shufflenet_v2_x0_5": 64, "efficientnet_b0": 64, "regnet_y_400mf": 64, "convnext_tiny": 64, "swin_t": 64,
    "swin_v2_t": 64, "vit_b_32": 224, "maxvit_t": 224, "deeplabv3_mobilenet_v3_large": 64,
    "lraspp_mobilenet_v3_large": 64, "fcn_resnet50": 64,
}  # fmt: skip
TIMM = {
    "beit_base_patch16_224": 224, "cait_xxs24_224": 224, "coat_lite_tiny": 224, "convmixer_768_32": 64,
    "convnext_atto": 64, "crossvit_tiny_240": 240, "cs3darknet_s": 64, "davit_tiny": 64, "deit_tiny_patch16_224": 224,
    "dla34": 64, "dpn48b": 64, "edgenext_xx_small": 64, "efficientformer_l1": 224, "efficientvit_b0": 64,
    "efficientvit_m0": 224, "eva02_tiny_patch14_224": 224, "fasternet_t0": 64, "fastvit_t8": 64,
    "focalnet_tiny_srf": 64, "ghostnet_050": 64, "gmlp_ti16_224": 224, "hgnetv2_b0": 64, "hrnet_w18_small": 64,
    "inception_next_atto": 64, "inception_v4": 96, "lcnet_035": 64, "levit_128s": 224, "mixer_s32_224": 224,
    "mixnet_s": 64, "mobilenetv3_small_050": 64, "mobilevit_xxs": 64, "mvitv2_tiny": 224, "nf_regnet_b0": 64,
    "pit_ti_224": 224, "poolformer_s12": 64, "pvt_v2_b0": 64, "regnetx_002": 64, "repvgg_a0": 64, "repvit_m0_9": 64,
    "res2net50_14w_8s": 64, "resmlp_12_224": 224, "resnest14d": 64, "resnetv2_50": 64, "rexnet_100": 64,
    "selecsls42": 64, "seresnet18": 64, "skresnet18": 64, "starnet_s1": 64, "tiny_vit_5m_224": 224,
    "tnt_s_patch16_224": 224, "twins_svt_small": 64, "vit_tiny_patch16_224": 224, "volo_d1_224": 224,
    "xception41": 64, "xcit_nano_12_p16_224": 224,
}  # fmt: skip
PART, PARTS = map(int, os.environ.get("ZOO", "1/1").split("/"))


def weighted(model):
    """The module in eval() mode, no weights of which are what makes its layers do nothing."""
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is not None:
                part.running_mean.normal_(0, 0.1)
                part.running_var.uniform_(0.5, 1.5)
        for parameter in model.parameters():
            if parameter.ndim > 1 and not parameter.any():
                parameter.normal_(0, 0.05)
    return model.eval()


def check(model, shape, *, gpu):
    """What is read gives what the module does, in float64 to 1e-5 of the largest value; the GPU alike."""
    image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(1))
    net = load_convnet(model, example=image)
    with torch.no_grad():
        single = first(model(image)).double().numpy()
        truth = first(model.double()(image.double())).numpy()
    found, largest = net.graph(image.numpy().astype(float)), abs(truth).max()
    # A bit that decides between two ways may be rounded the other way: not farther off than PyTorch in float32.
    allowed = max(1e-5, 2 * abs(single - truth).max() / largest)
    assert abs(found.reshape(truth.shape) - truth).max() <= allowed * largest
    if gpu:
        name = net.output.name
        view = Forward(net).run(viewed(image.numpy(), net.last[net.input.name]))[name]
        values = unviewed(view, net.graph.dims[name], net.last[name])
        assert abs(values.reshape(truth.shape) - truth).max() <= 2 * allowed * largest


def first(output):
    while not hasattr(output, "detach"):
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return output


@pytest.mark.parametrize("name", OWN)
def test_networks_written_by_hand_are_what_pytorch_computes(name):
    torch.manual_seed(0)
    make, shape = OWN[name]
    check(weighted(make()), shape, gpu=True)


def zoo(names):
    return [(name, size) for i, (name, size) in enumerate(names.items()) if i % PARTS == PART - 1]


@pytest.mark.parametrize(("name", "size"), zoo(TORCHVISION))
def test_networks_of_torchvision_are_what_pytorch_computes(name, size):
    models = pytest.importorskip("torchvision.models", exc_type=Exception, reason="torchvision is not installed")
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if "_mobilenet_v3_large" in name or name.startswith("fcn"):
            model = models.get_model(name, weights=None, weights_backbone=None, num_classes=7)
        else:
            model = models.get_model(name, weights=None, num_classes=7)
    check(weighted(model), (3, size, size), gpu=name in ("mobilenet_v3_small", "shufflenet_v2_x0_5", "swin_t"))


@pytest.mark.parametrize(("name", "size"), zoo(TIMM))
def test_networks_of_timm_are_what_pytorch_computes(name, size):
    timm = pytest.importorskip("timm", exc_type=Exception, reason="timm is not installed")
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, num_classes=7)
    check(weighted(model), (3, size, size), gpu=name in ("convnext_atto", "mobilevit_xxs", "xcit_nano_12_p16_224"))
