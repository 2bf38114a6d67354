"""PyTorch's modules with any forward: what is read of their export computes what they compute.

Tolerance, unless said: 1e-6 of the largest value. The module computes in float64 with the same float32 weights, so what
is left is the rounding of folded weights, 6e-8 each.
"""

import zipfile

import numpy as np
import pytest

import engine
from engine.errors import NetworkError, NeurosceneError
from engine.formats.torch.exported import Exported
from engine.formats.torch.running import evaluated

pytestmark = pytest.mark.peers
torch = pytest.importorskip("torch", reason="`make test-peers` installs PyTorch")
nn = torch.nn
functional = nn.functional
POINTS = np.random.default_rng(0).uniform(-2, 2, (40, 3))


def assert_same(net, module, points=POINTS):
    truth = evaluated(module, points)[0].reshape(len(points), -1)
    assert np.abs(net(points) - truth).max() <= 1e-6 * np.abs(truth).max()


class Layers(nn.Module):
    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(1)
        self.a, self.b, self.c = nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(8, 2)
        self.table = nn.Parameter(torch.randn(3, 4))
        self.two = nn.Parameter(torch.randn(2, 3, 8))
        self.how = forward

    def forward(self, x):
        return self.how(self, x)


FORWARDS = {
    "residual": lambda m, x: m.c((h := torch.relu(m.a(x))) + torch.relu(m.b(h))),
    "a layer twice": lambda m, x: m.c(torch.tanh(m.b(torch.tanh(m.b(torch.tanh(m.a(x))))))),
    "in place": lambda m, x: m.c(m.b(m.a(x).relu_()).mul_(2).add_(1)),
    "a skip by concatenation": lambda m, x: m.c(torch.relu(m.b(torch.cat([torch.relu(m.a(x))[:, :5], x], -1)))),
    "parts of a layer": lambda m, x: m.c(torch.cat([torch.sigmoid(p) for p in m.a(x).chunk(2, -1)], -1)),
    "columns in another order": lambda m, x: m.c(torch.relu(m.a(x[:, [2, 0, 1]]))),
    "scaled inside": lambda m, x: m.c(torch.relu(m.a((x - 0.5) / 0.25))) * 3 - 1,
    "one output without its axis": lambda m, x: m.c(torch.tanh(m.a(x)))[:, 0],
    "a gate": lambda m, x: m.c(m.a(x) * torch.sigmoid(m.b(m.a(x)))),
    "several outputs": lambda m, x: (m.c(torch.relu(m.a(x))), m.a(x)),
    "a dictionary": lambda m, x: {"y": m.c(torch.relu(m.a(x)))},
    "sums by einsum": lambda m, x: torch.einsum("bi,oi->bo", torch.relu(m.a(x)), m.b.weight),
    "means of two": lambda m, x: torch.stack([m.a(x), m.b(m.a(x))], 1).mean(1),
    "padded": lambda m, x: m.c(functional.pad(torch.relu(m.a(x))[:, :6], (1, 1))),
    "the larger of two layers": lambda m, x: torch.max(m.a(x), torch.min(m.b(m.a(x)), torch.relu(m.a(x)))),
    "maxout": lambda m, x: m.a(x).view(-1, 2, 4).max(-1).values,
    "log of a sum of exponentials": lambda m, x: (
        torch.logsumexp(m.a(x), -1) + torch.logaddexp(*m.c(m.a(x)).split(1, 1)).squeeze(1)
    ),
    "gates by softmax": lambda m, x: (torch.softmax(m.a(x), -1) * torch.tanh(m.b(m.a(x)))).sum(-1, keepdim=True),
    "a mask of its own": lambda m, x: m.c(torch.where(m.a(x) > 0.2, torch.tanh(m.a(x)), 0.1 * m.a(x))),
    "a step of another type": lambda m, x: m.a(x) * (~(m.a(x) > 0.1)).to(x.dtype) * (m.a(x) < 0.2).double().to(x.dtype),
    "a saw": lambda m, x: m.c(torch.abs(m.a(x) % 2.0 - 1) + torch.frac(m.a(x))),
    "whole parts": lambda m, x: m.c(torch.trunc(3 * m.a(x)) + torch.fmod(m.a(x), 0.3)),
    "logarithms": lambda m, x: m.c(
        torch.log1p(m.a(x) ** 2) + torch.log2(m.a(x) ** 2 + 1) + torch.log10(m.a(x) ** 2 + 2)
    ),
    "powers of two": lambda m, x: m.c(torch.exp2(m.a(x)) + torch.expm1(m.a(x)) + torch.hypot(m.a(x), m.b(m.a(x)))),
    "distances to centres": lambda m, x: torch.exp(-(torch.cdist(x, m.a.weight) ** 2)),
    "two inputs of a bilinear layer": lambda m, x: functional.bilinear(x, m.a(x), m.two, m.c.bias),
    "batches seen by their number": lambda m, x: m.c(torch.relu(m.a(x.reshape(x.shape[0], -1)))),
}


@pytest.mark.parametrize("points", (torch.zeros(2, 7, 3), torch.zeros(1, 1, 3)))
def test_batches_of_points_are_networks_of_a_point(points):
    module = Layers(lambda m, x: m.c(torch.sin(m.a(x))) * x[..., :1])
    assert_same(engine.load(module, example=points), module)
    mixed = Layers(lambda m, x: m.a(x).mean(1))
    assert engine.load(mixed, example=torch.zeros(2, 7, 3)).inputs == 21


@pytest.mark.parametrize("example", (torch.zeros(1, 3), torch.zeros(3), None))
def test_an_example_of_zeros_hides_nothing(example):
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    module[0].register_forward_pre_hook(lambda part, given: (2 * given[0],))
    assert_same(engine.load(module, example=example), module)


@pytest.mark.parametrize("dtype", (torch.float16, torch.bfloat16))
@pytest.mark.parametrize("given", (torch.float32, None))
def test_half_precision_is_compared_on_what_the_module_gets(dtype, given):
    module = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1)).to(dtype)
    net = engine.load(module, example=torch.randn(5, 3).to(given or dtype))
    assert np.array_equal(net.weights[0], module[0].weight.detach().float().numpy())


@pytest.mark.parametrize("forward", FORWARDS.values(), ids=FORWARDS)
def test_any_forward_is_read_as_it_computes(forward):
    module = Layers(forward)
    assert_same(engine.load(module, example=torch.zeros(1, 3)), module)
    # The first linear layer tells the width.
    assert_same(engine.load(module), module)


def wrapped(kind):
    torch.manual_seed(2)
    made = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    if kind == "compiled":
        return torch.compile(made, backend="eager")
    if kind == "parallel":
        return nn.DataParallel(made)
    if kind == "traced":
        return torch.jit.trace(made, torch.zeros(1, 3))
    if kind == "scripted":
        return torch.jit.script(made)
    if kind == "double":
        return made.double()
    norms = nn.utils.parametrizations
    with_norm = {"weight norm": norms.weight_norm, "old weight norm": nn.utils.weight_norm,
                 "spectral norm": norms.spectral_norm, "orthogonal": norms.orthogonal}[kind]  # fmt: skip
    with_norm(made[0])
    return made


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["compiled", "parallel", "traced", "scripted", "double", "weight norm",
                                  "old weight norm", "spectral norm", "orthogonal"])  # fmt: skip
def test_wrapped_and_parametrised_modules_are_what_they_compute(kind):
    module = wrapped(kind)
    net = engine.load(module, example=torch.zeros(1, 3))
    with torch.no_grad():
        truth = module.eval()(torch.zeros(40, 3, dtype=next(module.parameters()).dtype) + 0.5)
    # The module computes in float32 here.
    assert np.abs(net(np.full((40, 3), 0.5)) - truth.numpy()).max() < 1e-5


def test_a_module_is_left_as_it_was():
    module = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    module[2].eval()
    module[1].running_mean += 1
    before = {key: x.clone() for key, x in module.state_dict().items()}
    torch.manual_seed(7)
    engine.load(module, example=torch.zeros(1, 3))
    engine.load(Layers(FORWARDS["residual"]))
    drawn = torch.rand(3)
    torch.manual_seed(7)
    Layers(FORWARDS["residual"])  # as above: it sets the seed itself
    assert [part.training for part in module] == [True, True, False, True]
    assert all(torch.equal(before[key], x) for key, x in module.state_dict().items())
    assert torch.equal(drawn, torch.rand(3))
    assert all(parameter.grad is None and parameter.requires_grad for parameter in module.parameters())


class Sine(nn.Module):
    """Its name and attribute say one thing, its forward computes another."""

    w0 = 30.0

    def forward(self, x):
        return torch.sin(2 * x)


def test_what_names_tell_wrongly_is_read_from_the_forward():
    module = nn.Sequential(nn.Linear(3, 8), Sine(), nn.Linear(8, 2))
    assert_same(engine.load(module), module)


def of(forward, **parts):
    module = nn.Module.__new__(type("Own", (nn.Module,), {"forward": forward}))
    nn.Module.__init__(module)
    for key, part in parts.items():
        setattr(module, key, part)
    return module


REFUSED = {
    "a branch on values": (Layers(lambda m, x: m.c(m.a(x)) if x.sum() > 0 else m.a(x)), "torch.export cannot read"),
    "random numbers": (Layers(lambda m, x: m.c(m.a(x)) + torch.rand(1)), "random numbers"),
    "no weights yet": (nn.Sequential(nn.LazyLinear(4)), "Run the module once"),
    "no width": (of(lambda self, x: x * 2), r"example=torch\.zeros"),
    "an operator that is none of ours": (Layers(lambda m, x: m.c(m.a(x).cumsum(-1))), "cumsum"),
    "a batch's own statistics": (Layers(lambda m, x: m.c(m.a(x) - m.a(x).mean(0))), "apart"),
}


@pytest.mark.parametrize(("module", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_shown_is_refused_for_what_it_is(module, says):
    with pytest.raises(NeurosceneError, match=says) as caught:
        engine.load(module)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 900


MAPS = {
    "same padding": nn.Conv2d(3, 4, 3, padding="same"),
    "groups, strides and dilation": nn.Conv2d(3, 6, 3, stride=2, padding=1, dilation=2, groups=3),
    "transposed": nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1),
    "max pool": nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "average pool": nn.AvgPool2d(3, 2, 1),
    "average pool without padding": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "adaptive pool": nn.AdaptiveAvgPool2d((5, 7)),
    "adaptive max pool": nn.AdaptiveMaxPool2d(4),
    "nearest": nn.Upsample(scale_factor=1.5),
    "linear": nn.Upsample(scale_factor=1.7, mode="bilinear"),
    "linear, corners": nn.Upsample(size=(20, 9), mode="bilinear", align_corners=True),
    "cubic": nn.Upsample(size=(20, 9), mode="bicubic"),
    "pixel shuffle": nn.Sequential(nn.Conv2d(3, 4, 1), nn.PixelShuffle(2)),
    "pixel unshuffle": nn.PixelUnshuffle(2),
    "batch norm": nn.BatchNorm2d(3),
    "group norm": nn.GroupNorm(3, 3),
    "instance norm": nn.InstanceNorm2d(3, affine=True),
    "reflected": nn.ReflectionPad2d(2),
    "round the edge": nn.CircularPad2d(2),
    "cut": nn.ZeroPad2d((1, 2, -1, 0)),
    "channels": nn.Softmax2d(),
    "neighbouring channels": nn.LocalResponseNorm(3),
    "slopes": nn.PReLU(3),
}


@pytest.mark.parametrize("module", MAPS.values(), ids=MAPS)
def test_layers_of_maps_are_read_as_they_compute(module):
    torch.manual_seed(0)
    image = torch.randn(1, 3, 16, 16)
    graph = Exported(module, image).graph()
    truth = evaluated(module, image)[0]
    # Matrices of resizing are rounded to float32, three of them meet in one number.
    assert np.abs(graph(image.double().numpy()) - truth).max() <= 3e-7 * np.abs(truth).max()


@pytest.mark.parametrize("first", [False, True])
def test_an_encoder_of_tokens_is_read_as_it_computes(first):
    torch.manual_seed(0)
    module = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=first, activation="gelu")
    tokens = torch.randn(1, 6, 8)
    graph, truth = Exported(module, tokens).graph(), evaluated(module, tokens)[0]
    assert np.abs(graph(tokens.double().numpy()) - truth).max() <= 1e-6 * np.abs(truth).max()


def recorded(module, **more):
    data = np.random.default_rng(3).uniform(-1, 1, (30, 3))
    with_data = engine.Recorder(data=data, **more)
    optimizer = torch.optim.Adam(module.parameters(), 0.05)
    given = torch.from_numpy(data).float()
    for _ in range(4):
        loss = (module(given)[..., 0] ** 2).mean()
        with_data.step(module, loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return with_data.history(), data


@pytest.mark.parametrize("activations", [None, "relu"])
def test_a_recorder_keeps_what_a_forward_computes_at_every_step(activations):
    module = Layers(FORWARDS["residual"])
    history, data = recorded(module, activations=activations)
    assert_same(history.at(0, -1), module, data)
    assert history.losses[0, 0] != history.losses[0, -1]


def test_weights_that_begin_at_zero_do_not_change_the_shape_of_a_recording():
    module = Layers(lambda m, x: m.c((h := torch.relu(m.a(x))) + m.table[0, 0] * torch.relu(m.b(h))))
    nn.init.zeros_(module.c.weight)
    nn.init.zeros_(module.table)
    history, data = recorded(module)
    assert not history.at(0, 0)(data).std(axis=0).any()
    assert_same(history.at(0, -1), module, data)


def test_a_recorder_refuses_names_that_do_not_tell_what_forward_computes():
    def forward(m, x):
        h = torch.relu(m.a(x))
        return m.c(h) if float(h.sum()) > -1 else h  # cannot be exported

    wrong = Layers(lambda m, x: forward(m, 2 * x))
    with pytest.raises(NetworkError, match=r"apart, of values up to"):
        recorded(Named(wrong), activations="relu")
    right = Named(Layers(forward))
    history, data = recorded(right, activations="relu")
    assert_same(history.at(0, -1), right, data)


class Named(nn.Module):
    """Two layers with names in their order, computed by another module's forward."""

    def __init__(self, of):
        super().__init__()
        self.a, self.c, self.how = of.a, of.c, of.how

    def forward(self, x):
        return self.how(self, x)


def test_a_module_of_several_inputs_without_an_example_is_told_how_to_give_them():
    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(5, 1)

        def forward(self, code, point):
            return self.layer(torch.cat([code, point], -1)).tanh()

    with pytest.raises(NeurosceneError, match=r"'point'\. Give an example .* or a tuple of several\.$"):
        engine.load(Decoder())
    assert engine.load(Decoder(), example=(torch.zeros(1, 2), torch.zeros(1, 3))).inputs == 5


def test_modules_that_compute_with_complex_numbers_are_refused_for_it():
    class Phases(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.turn, self.last = torch.nn.Linear(3, 2, dtype=torch.complex64), torch.nn.Linear(2, 1)

        def forward(self, x):
            return self.last(self.turn(x.to(torch.complex64)).abs())

    with pytest.raises(NeurosceneError, match="complex numbers"):
        engine.load(Phases(), example=torch.randn(2, 3))
    state = {"0.weight": torch.ones(4, 3, dtype=torch.complex64), "2.weight": torch.ones(1, 4)}
    with pytest.raises(NeurosceneError, match="complex64; weights must be real"):
        engine.load(state, activations="relu")


def test_a_file_that_names_a_class_at_length_is_refused_at_once(tmp_path):
    # PyTorch's own refusal searches its message for words, in the square of a name's letters.
    torch.save({"0.weight": torch.ones(4, 3)}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(tmp_path / "b.pt", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, b"\x80\x02c" + b"(" * 200_000 + b"\nb\n." if name.endswith("data.pkl") else data)
    (tmp_path / "c.pt").write_bytes(b"\x80\x02c" + b"(" * 200_000 + b"\nb\n.")
    for name in ("b.pt", "c.pt"):
        with pytest.raises(NeurosceneError, match="names a class of 200,002 letters"):
            engine.load(tmp_path / name)
