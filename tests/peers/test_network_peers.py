"""Networks as PyTorch computes them, and as its exporters write them. `make test-peers` installs PyTorch.

Tolerance, unless said: 1e-6 of the largest value. The peer runs in float64 on the same float32 weights, so what
is left is the rounding of parameters and folded weights to float32, 6e-8 each, grown by three small layers.
"""

import io

import numpy as np
import pytest

from engine.errors import NetworkError, NeurosceneError
from engine.formats.load_mlp import from_bytes, load, save, to_bytes
from engine.network.random import random_mlp

torch = pytest.importorskip("torch", reason="PyTorch is installed by `make test-peers`")
nn = torch.nn

pytestmark = pytest.mark.peers

POINTS = np.random.default_rng(5).uniform(-3, 3, (200, 3))


class Sine(nn.Module):
    def __init__(self, w0):
        super().__init__()
        self.w0 = w0

    def forward(self, x):
        return torch.sin(self.w0 * x)


class SineLayer(nn.Module):
    """As the notebook of SIREN's authors has it."""

    def __init__(self, into, out, omega_0):
        super().__init__()
        self.omega_0, self.linear = omega_0, nn.Linear(into, out)

    def forward(self, x):
        return torch.sin(self.omega_0 * self.linear(x))


class Gaussian(nn.Module):
    def forward(self, x):
        return torch.exp(-x * x)


def chain(activation, last=None):
    torch.manual_seed(3)
    steps = [nn.Linear(3, 8), activation, nn.Linear(8, 6), activation, nn.Linear(6, 2)]
    return nn.Sequential(*steps, *([last] if last else [])).eval()


def assert_same(net, model):
    with torch.no_grad():
        truth = model.double()(torch.from_numpy(POINTS)).numpy()
    assert np.abs(net(POINTS) - truth).max() <= 1e-6 * np.abs(truth).max()


MODULES = {
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.2),
    "elu": nn.ELU(0.7),
    "softplus": nn.Softplus(),
    "softplus beta": nn.Softplus(beta=4.0),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "sine": Sine(2.5),
    "sine backwards": Sine(-2.5),
}


@pytest.mark.parametrize("activation", MODULES.values(), ids=MODULES)
def test_a_sequential_computes_what_pytorch_computes(activation):
    model = chain(activation)
    assert_same(load(model), model)


def test_softmax_last_computes_what_pytorch_computes():
    model = chain(nn.Tanh(), nn.Softmax(dim=-1))
    assert_same(load(model), model)


def test_batch_norm_before_between_and_last_is_folded():
    torch.manual_seed(4)
    norms = [nn.BatchNorm1d(n) for n in (3, 8, 8, 2)]
    for norm in norms:
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)
    model = nn.Sequential(
        norms[0], nn.Linear(3, 8), norms[1], nn.Tanh(), norms[2], nn.Dropout(0.5), nn.Linear(8, 2, bias=False), norms[3]
    ).eval()
    assert_same(load(model), model)


def test_nested_sequentials_of_sine_layers_are_read():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Sequential(SineLayer(3, 16, 3.0), SineLayer(16, 16, 2.0)), nn.Identity(), nn.Linear(16, 1))
    net = load(model)
    assert str(net.shape) == "3-16-16-1 sine(3),sine(2),identity"
    assert_same(net, model)


def test_a_state_dict_gives_its_weights_to_the_bit():
    model = chain(nn.Tanh())
    net = load(model.state_dict(), activations="tanh")
    for layer, module in zip(net.layers, model[::2], strict=True):
        assert np.array_equal(layer.weights, module.weight.detach().numpy())
        assert np.array_equal(layer.bias, module.bias.detach().numpy())
    assert load(model).equals(net)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types_are_converted_as_pytorch_does(dtype):
    state = {k: v.to(dtype) for k, v in chain(nn.Tanh()).state_dict().items()}
    net = load(state, activations="tanh")
    assert np.array_equal(net.layers[1].weights, state["2.weight"].float().numpy())


def test_registration_order_tells_where_names_do_not():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = nn.Linear(3, 3), nn.Linear(3, 3)

    model = Named()
    net = load(model.state_dict(), activations="tanh")
    assert np.array_equal(net.layers[0].weights, model.encoder.weight.detach().numpy())


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"epoch": 3, "model_state_dict": state}])
def test_a_pt_file_gives_the_weights_saved_in_it(tmp_path, wrap):
    model = chain(nn.Tanh())
    torch.save(wrap(model.state_dict()), tmp_path / "net.pt")
    assert load(f"{tmp_path / 'net.pt'}:tanh").equals(load(model))


def test_a_pickled_module_is_refused_without_running_it(tmp_path):
    torch.save(chain(nn.Tanh()), tmp_path / "net.pt")
    with pytest.raises(NeurosceneError, match="cannot be read without running code"):
        load(tmp_path / "net.pt", activations="tanh")


def test_pytorch_loads_what_we_save(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    net = random_mlp([3, 8, 6, 2], seed=2)
    save(net, tmp_path / "net.safetensors")
    state = safetensors.load_file(tmp_path / "net.safetensors")
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2))
    model.load_state_dict({f"{2 * int(k[7])}{k[8:]}": v for k, v in state.items()})
    assert_same(net, model)
    assert from_bytes(to_bytes(net)).equals(load(model, activations=None))


def test_safetensors_saved_by_pytorch_are_read(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    model = chain(nn.GELU())
    safetensors.save_file(model.state_dict(), tmp_path / "net.safetensors", metadata={"activations": "gelu"})
    assert load(tmp_path / "net.safetensors").equals(load(model))


class Layers(nn.Module):
    """Three layers; how they are joined is written out in forward, as people do."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.a, self.b, self.c = nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(8, 1)


class Siren(Layers):
    def forward(self, x):
        return self.c(torch.sin(5 * self.b(torch.sin(5 * self.a(x)))))


class Squeezed(Layers):
    def forward(self, x):
        return self.c(nn.functional.gelu(self.b(nn.functional.relu(self.a(x))))).squeeze(-1)


class Viewed(Layers):
    def forward(self, x):
        return torch.sigmoid(self.c(nn.functional.elu(self.b(nn.functional.silu(self.a(x.view(-1, 3))))))).view(-1)


class Bells(Layers):
    def forward(self, x):
        return self.c(torch.exp(-(self.b(torch.exp(-(self.a(x) ** 2) / (2 * 0.5**2))) ** 2)))


class Normalised(Layers):
    def forward(self, x):
        x = (x - torch.tensor([0.1, 0.2, 0.3])) / torch.tensor([1.0, 2.0, 3.0])
        return self.c(torch.tanh(self.b(torch.tanh(self.a(x))))) * 2 + 1


class Sharp(Layers):
    def forward(self, x):
        h = nn.functional.softplus(self.a(x), beta=100)
        return self.c(nn.functional.softplus(self.b(h), beta=100))


class WrittenOut(Layers):
    def forward(self, x):
        h = self.a(x)
        h = self.b(h * torch.sigmoid(1.702 * h))
        return self.c(0.5 * h * (1 + torch.erf(h / 2**0.5)))


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
@pytest.mark.parametrize("kind", [Siren, Squeezed, Viewed, Bells, Normalised, Sharp, WrittenOut])
def test_a_forward_written_out_is_read_from_its_export(tmp_path, kind, dynamo):
    pytest.importorskip("onnxscript", reason="PyTorch's exporter needs onnxscript")
    model, path = kind().eval(), tmp_path / "net.onnx"
    arguments = {"external_data": False, "verbose": False} if dynamo else {}
    torch.onnx.export(model, (torch.zeros(4, 3),), path, dynamo=dynamo, **arguments)
    with torch.no_grad():
        truth = model.double()(torch.from_numpy(POINTS)).numpy().reshape(-1, 1)
    assert np.abs(load(path)(POINTS) - truth).max() <= 1e-6 * np.abs(truth).max()


def test_an_export_with_its_weights_beside_it_is_the_one_with_them_in_it(tmp_path):
    pytest.importorskip("onnxscript", reason="PyTorch's exporter needs onnxscript")
    # Wide enough that the exporter moves the weights out; it keeps small ones in.
    model = nn.Sequential(nn.Linear(3, 512), nn.Tanh(), nn.Linear(512, 512), nn.Tanh(), nn.Linear(512, 1))
    nets = []
    for name, beside in (("apart", True), ("whole", False)):
        path = tmp_path / f"{name}.onnx"
        torch.onnx.export(model, (torch.zeros(4, 3),), path, dynamo=True, external_data=beside, verbose=False)
        assert path.with_name(f"{name}.onnx.data").exists() == beside
        nets.append(load(path))
    for a, b in zip(nets[0].layers, nets[1].layers, strict=True):
        assert np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias)


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
@pytest.mark.parametrize("activation", [*MODULES.values(), Gaussian()], ids=[*MODULES, "gaussian"])
def test_an_exported_chain_computes_what_pytorch_computes(tmp_path, activation, exporter):
    pytest.importorskip("onnxscript", reason="PyTorch's exporter needs onnxscript")
    model, path = chain(activation, nn.Softmax(dim=-1)), tmp_path / "net.onnx"
    sample = torch.zeros(4, 3)
    try:
        if exporter == "dynamo":
            rows = torch.export.Dim("rows", min=2, max=1 << 20)
            torch.onnx.export(
                model, (sample,), path, dynamo=True, external_data=False, dynamic_shapes=({0: rows},), verbose=False
            )
        else:
            torch.onnx.export(model, (sample,), path, dynamo=False, dynamic_axes={"x": {0: "rows"}}, input_names=["x"])
    except (ModuleNotFoundError, AttributeError) as error:
        pytest.skip(f"this PyTorch has no such exporter: {error}")
    assert_same(load(path), model)


def test_batch_norm_and_flatten_are_read_from_an_export(tmp_path):
    pytest.importorskip("onnxscript", reason="PyTorch's exporter needs onnxscript")
    norm = nn.BatchNorm1d(8)
    norm.running_mean.uniform_(-1, 1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, 8), nn.Tanh(), norm, nn.Linear(8, 2)).eval()
    torch.onnx.export(
        model, (torch.zeros(4, 3),), tmp_path / "net.onnx", dynamo=True, external_data=False, verbose=False
    )
    assert_same(load(tmp_path / "net.onnx"), model)


def test_state_dicts_of_other_layers_are_refused_by_name():
    with pytest.raises(NetworkError, match=r"0.weight.*convolution"):
        load(nn.Sequential(nn.Conv2d(1, 2, 3)).state_dict(), activations="tanh")
    with pytest.raises(NetworkError, match=r"1\..*batch normalisation"):
        load(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).state_dict(), activations="tanh")


def test_a_truncated_pt_file_is_refused_in_one_line(tmp_path):
    buffer = io.BytesIO()
    torch.save(chain(nn.Tanh()).state_dict(), buffer)
    data = buffer.getvalue()
    for cut in (1, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "net.pt").write_bytes(data[:cut])
        with pytest.raises(NeurosceneError) as caught:
            load(tmp_path / "net.pt", activations="tanh")
        assert "\n" not in str(caught.value)
