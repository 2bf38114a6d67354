import json
from importlib.resources import files

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load as load_safetensors

from engine.errors import FileError, NeurosceneError
from engine.formats.load_convnet import load_convnet, small_squeezenet
from engine.formats.tensors import container
from engine.reference.forward import value as forward
from tools.drawn.objects import KINDS, SIZE, draw

FILE = files("scenes").joinpath("data", "small_squeezenet.safetensors")
BYTES = FILE.read_bytes()
# No picture of the training or of its judging has a seed near.
FRESH = 5_000_000


@pytest.fixture(scope="module")
def net():
    return small_squeezenet(BYTES)


@pytest.fixture(scope="module")
def metadata():
    with safetensors.safe_open(str(FILE), "numpy") as stream:
        return stream.metadata()


def test_the_file_is_small_and_says_what_it_is(metadata):
    assert len(BYTES) < 1_000_000
    assert {"architecture", "classes", "preprocess", "held_out_accuracy", "command", "torch", "seed"} <= set(metadata)
    assert json.loads(metadata["classes"]) == list(KINDS)
    assert float(metadata["held_out_accuracy"]) > 0.95 and int(metadata["held_out_images"]) >= 1000


def test_any_reader_of_networks_reads_it(net, tmp_path):
    found = load_convnet(FILE)
    assert [node.name for node in found.nodes] == [node.name for node in net.nodes]
    assert (found.name, found.classes, found.preprocess) == (net.name, net.classes, net.preprocess)
    # Only maps, no dense layer: it takes larger images too.
    wide = load_convnet(FILE, size=(97, 161), classes=["a"] * len(KINDS))
    assert wide.input_shape == (3, 97, 161) and wide.shapes["conv8"] == (len(KINDS), 5, 9)
    assert wide.classes[0] == "a"


def test_every_array_is_of_torchvisions_names_and_used_once(net):
    arrays = load_safetensors(BYTES)
    assert {key.split(".")[0] for key in arrays} == {"features", "classifier"}
    assert all(key.endswith((".weight", ".bias")) for key in arrays)
    assert net.weight_count == sum(array.size for array in arrays.values()) < 250_000


def test_no_window_hangs_over_the_border(net):
    """Every pixel of the input counts: the maps' sizes come out even at each stride."""
    assert net.input_shape == (3, SIZE, SIZE)
    sizes = [net.shapes[name] for name in ("conv1", "pool1", "fire3/concat", "pool3", "fire5/concat", "pool5", "conv8")]
    assert [shape[1] for shape in sizes] == [47, 23, 23, 11, 11, 5, 5]
    for before, window, after in ((SIZE, 5, 47), (47, 3, 23), (23, 3, 11), (11, 3, 5)):
        assert (after - 1) * 2 + window == before


def test_it_knows_freshly_drawn_objects(net, metadata):
    """As often as stated: 256 pictures, at most three standard errors below; each kind mostly."""
    right = {
        kind: sum(
            KINDS[int(forward(net, net.preprocess(draw(kind, FRESH + seed)))[net.output.name].argmax())] == kind
            for seed in range(16)
        )
        for kind in KINDS
    }
    stated, count = float(metadata["held_out_accuracy"]), 16 * len(KINDS)
    assert sum(right.values()) / count >= stated - 3 * np.sqrt(stated * (1 - stated) / count)
    assert min(right.values()) > 8


def test_probabilities_are_of_the_classes(net):
    found = forward(net, net.preprocess(draw("umbrella", FRESH)))[net.output.name]
    assert net.classes == KINDS and found.shape == (len(KINDS), 1, 1)
    assert abs(found.sum() - 1.0) < 1e-12  # float64 sums of sixteen


def edited(change):
    """The file's bytes with its metadata or arrays changed in place by `change(metadata, arrays)`."""
    with safetensors.safe_open(str(FILE), "numpy") as stream:
        metadata, arrays = stream.metadata(), {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    change(metadata, arrays)
    return b"".join(container.chunks(metadata, arrays))


def layer(metadata, k, **changes):
    layers = json.loads(metadata["architecture"])
    layers[k] |= changes
    metadata["architecture"] = json.dumps(layers)


WRONG = {
    "no architecture": (lambda m, a: m.pop("architecture"), "no `architecture` in its metadata"),
    "no JSON": (lambda m, a: m.update(classes="["), "`classes` of .* is not JSON"),
    "not a list": (lambda m, a: m.update(classes="3"), "`classes` of .* must be a JSON list"),
    "layers of what": (lambda m, a: m.update(architecture="[7]"), "needs a name and a kind"),
    "unknown kind": (lambda m, a: layer(m, 2, kind="fir"), "There is no kind of layer `fir`.*Near: fire"),
    "no such array": (lambda m, a: layer(m, 0, key="features.00"), "needs `features.00.weight`, which is not there"),
    "no number": (lambda m, a: layer(m, 1, stride="two"), "`pool1` has the stride two"),
    "other shape": (lambda m, a: layer(m, 0, filters=31), r"needs \(31, any, 5, 5\)"),
    "whole numbers": (
        lambda m, a: a.update({"features.0.bias": np.zeros(32, np.int32)}),
        "`features.0.bias` is I32; weights must be",
    ),
    "no mean": (lambda m, a: m.update(preprocess='{"size": [97, 97]}'), "must have size"),
    "size of no map": (
        lambda m, a: m.update(preprocess=m["preprocess"].replace("[97, 97]", "[3, 97]")),
        "`conv1` .*window",
    ),
    "another order": (lambda m, a: m.update(preprocess=m["preprocess"].replace("rgb", "rbg")), "the order `rbg`"),
    "kind that is no text": (lambda m, a: layer(m, 2, kind=[1]), "needs a name and a kind"),
    "classes too few": (lambda m, a: m.update(classes='["cat"]'), "1 classes"),
    "arrays that do not follow": (
        lambda m, a: layer(m, 2, key="features.9", squeeze=48, expand=96),
        "need 128 channels",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_does_not_fit_its_words_is_refused_in_a_line(name):
    change, message = WRONG[name]
    with pytest.raises(NeurosceneError, match=message) as caught:
        small_squeezenet(edited(change), "mine.safetensors")
    assert "mine.safetensors" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [{"size": "ab"}, {"size": 5}, {"size": [97.0, 97]}, {"size": [97]}, {"mean": ["a"] * 3}, {"mean": 1}, {"std": [[]]},
     {"scale": "white"}, {"scale": 10**400}, {"order": []}, {"colour": 1}],
    ids=str,
)  # fmt: skip
def test_a_preprocess_of_other_words_is_refused(words):
    def change(metadata, arrays):
        metadata["preprocess"] = json.dumps(json.loads(metadata["preprocess"]) | words)

    with pytest.raises(FileError, match=r"preprocess of mine.safetensors cannot be read"):
        small_squeezenet(edited(change), "mine.safetensors")


def test_a_broken_file_is_refused():
    with pytest.raises(FileError, match="not a whole safetensors file"):
        small_squeezenet(BYTES[:1000])
