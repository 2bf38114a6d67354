"""Settings of files: what they take, how they describe it, what of it a picture stores."""

import json

import numpy as np
import pytest

from engine.app.make import save
from engine.app.picture_state import restore_from
from engine.cli.options import Asked
from engine.errors import FileError, NeurosceneError, SettingError
from engine.network.convnet import ConvNet
from engine.network.graph.nodes import Convolution, Input
from engine.scene.data_settings import ClassNames, Convolutional, Image
from engine.scene.scene import Scene
from engine.scene.settings import assign, settings


class Seen(Scene):
    """A scene with a network, names and an image."""

    net = Convolutional(None)
    names = ClassNames(None)
    image = Image(None, side=50)


NET = ConvNet([Input("x", (), (1, 3, 4, 5)), Convolution("c", ("x",), np.ones((2, 3, 1, 1)))], name="mine")


def test_a_list_of_names_is_a_path_or_a_tuple_and_comes_back_from_a_picture(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("Katze\nHündin, Rüde\nVogel\n", encoding="utf-8")
    scene = Seen()
    assign(scene, "names", str(path))
    assert scene.names == ("Katze", "Hündin, Rüde", "Vogel")
    other = Seen()
    other.restore(json.loads(json.dumps(scene.state())))
    assert other.names == scene.names
    assign(other, "names", None)
    assert other.names is None


def test_what_is_no_list_of_names_is_refused(tmp_path):
    scene = Seen()
    with pytest.raises(FileError):
        assign(scene, "names", str(tmp_path / "missing.txt"))
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(FileError, match="no class name"):
        assign(scene, "names", str(tmp_path / "empty.txt"))
    state = scene.state() | {"settings": {"names": {"names": b"\xff\xfe".hex()}}}
    with pytest.raises(NeurosceneError):
        Seen().restore(state)


def test_a_picture_may_not_choose_what_is_opened(tmp_path):
    (tmp_path / "names.txt").write_text("a\n")
    state = Seen().state() | {"settings": {"names": str(tmp_path / "names.txt")}}
    with pytest.raises(SettingError, match="stored"):
        Seen().restore(state)


def test_a_convolutional_network_is_told_by_name_input_and_weights_and_a_picture_leaves_it_out():
    scene = Seen(net=NET)
    setting = settings(scene)["net"]
    assert setting.lines(NET) == ("mine", "3 x 4 x 5, 8 weights")
    state = scene.state()
    assert "net" not in state["settings"] and state["left_out"] == ["net: mine, 3 x 4 x 5, 8 weights"]


def test_a_picture_keeps_names_and_tells_of_the_network_it_lacks(tmp_path, capsys):
    scene = Seen(net=NET, names=("a", "b"))
    path = str(tmp_path / "a.png")
    save(scene, path, (8, 8), supersample=1)
    other = Seen()
    restore_from(path, other)
    assert other.names == ("a", "b") and other.net is None
    assert "does not hold net: mine" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".onnx", ".safetensors"])
def test_a_file_that_is_no_network_is_refused_in_a_line(tmp_path, ending):
    path = tmp_path / f"no{ending}"
    path.write_bytes(b"this is no network at all")
    with pytest.raises(NeurosceneError, match=path.name) as caught:
        assign(Seen(), "net", str(path))
    assert "\n" not in str(caught.value)


def test_the_options_net_and_image_find_their_settings():
    assert Asked("seen", net="m.onnx", image="p.png").assignments(Seen) == [("net", "m.onnx"), ("image", "p.png")]
    with pytest.raises(SettingError, match="no setting for a recorded training"):
        Asked("seen", history="h.safetensors").assignments(Seen)


def test_a_larger_image_is_averaged_down_and_a_smaller_one_kept():
    small, large = np.zeros((20, 30), np.uint8), np.full((200, 100, 3), 9, np.uint8)
    assert Seen(image=small).image is small
    assert Seen(image=large).image.shape == (50, 25, 3)
