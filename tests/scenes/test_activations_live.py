"""A person at the window of activations: what is pointed at, clicked, dropped and played."""

import numpy as np
import pytest
from hands import Hands
from PIL import Image

from engine.network.convnet import ConvNet
from engine.network.graph.nodes import Convolution, Elementwise, Input
from engine.scene.view_data import Clock
from scenes.activations import Activations
from scenes.activations.marks import Neuron

SIZE = (1080, 620)


@pytest.fixture
def hands():
    scene = Activations(azimuth=20.0)  # from the side, where no block stands before another
    made = Hands(scene, SIZE, clock=Clock(scene.moment))
    yield made
    made.close()


def place_of(hands, neuron):
    """(x, y) in logical pixels where a neuron is drawn."""
    scene = hands.scene
    _, _, width, height = hands.viewer.viewport()
    world = scene._cloud.place(scene.block_names.index(neuron.node), *neuron.place)
    x, y, _ = scene.camera.project(world, width / height)
    return (x + 1) / 2 * width, (1 - y) / 2 * height


def rest(hands, x, y):
    hands.move(x, y)
    hands.wait(0.3)


CAT = Neuron("prob", 4, 0, 0)


def test_a_class_under_the_pointer_is_named_at_the_end_of_a_line(hands):
    scene = hands.scene
    rest(hands, *place_of(hands, CAT))
    assert scene.marked == CAT and scene._ring.visible and scene._ring.words[0] == "cat"
    # Its name is in the picture: no card of the window beside it.
    assert hands.viewer.pointer.reading is None
    rest(hands, 30, 600)
    assert scene.marked is None and not scene._ring.visible


def strongest(scene, name):
    values = scene.responses[name]
    return np.unravel_index(values.argmax(), values.shape)


def test_a_neuron_under_the_pointer_is_told_of_with_what_it_sees(hands):
    scene = hands.scene
    rest(hands, *place_of(hands, Neuron("pool1", *map(int, strongest(scene, "pool1")))))
    neuron = scene.marked
    # Another may stand before it; the one that is seen is described.
    assert neuron is not None and neuron.node in scene.block_names
    reading = hands.viewer.pointer.reading
    assert float(dict(reading.rows)["response"]) == pytest.approx(scene.response(neuron), rel=1e-3)
    assert len(scene._frame.items) == 4 and len(scene._card.images) == 2


def test_a_click_pins_a_second_click_unpins_and_so_does_escape(hands):
    scene = hands.scene
    place = place_of(hands, CAT)
    hands.click(*place)
    assert scene.neuron == "prob 4" and len(scene._wires.items) > 5
    rest(hands, 30, 600)
    assert scene.marked == CAT
    hands.click(*place)
    assert scene.neuron == ""
    hands.click(*place)
    hands.key("Escape")
    assert scene.neuron == "" and not hands.canvas.get_closed()
    hands.click(*place)
    hands.click(30, 560)  # beside everything, above the status line
    assert scene.neuron == ""


def test_the_pin_stays_with_its_neuron_while_all_turns(hands):
    scene = hands.scene
    hands.click(*place_of(hands, CAT))
    before = place_of(hands, CAT)
    hands.key(" ")
    hands.wait(2.0)
    after = place_of(hands, CAT)
    assert scene.pinned == CAT and np.hypot(*np.subtract(before, after)) > 5
    ring = scene._pin.parent.transform @ scene._pin.transform
    assert np.allclose(ring[:3, 3], scene._cloud.place(scene.block_names.index("prob"), 4, 0, 0))


def test_the_picture_under_the_pointer_tells_its_pixel(hands):
    scene = hands.scene
    plane = scene._plane
    middle = np.array(plane.corner) + np.array(plane.right) / 2 + np.array(plane.down) / 2
    world = (scene._root.transform @ np.append(middle, 1.0))[:3]
    _, _, width, height = hands.viewer.viewport()
    x, y, _ = scene.camera.project(world, width / height)
    rest(hands, (x + 1) / 2 * width, (1 - y) / 2 * height)
    reading = hands.viewer.pointer.reading
    row, column = map(int, dict(reading.rows)["row, column"].split(", "))
    assert max(abs(row - 48), abs(column - 48)) <= 2  # the middle of 97 x 97, a pixel of the window being about one
    assert dict(reading.rows)["red, green, blue"] == ", ".join(map(str, scene.seen[row, column]))


def test_blocks_are_shown_hidden_and_looked_at_alone_by_their_buttons(hands):
    scene = hands.scene
    hands.click(*hands.place("units.0.1"))
    assert scene.shown == "pool1, fire3, fire4, fire5, fire6, fire7, pool8, prob"
    hands.click(*hands.place("units.Hide all"))
    assert scene.shown == "none" and not scene._cloud.opacity.any()
    hands.click(*hands.place("units.Show all"))
    assert scene.shown == "all"
    hands.move(*hands.place("units.0.3"))
    hands.frame()
    hands.frame()
    assert np.argmax(scene._cloud.opacity) == 3 and sorted(scene._cloud.opacity)[-2] < 0.5


def test_arrows_go_nearer_and_farther(hands):
    scene = hands.scene
    before, target = scene.camera.distance, scene.camera.target
    hands.key("ArrowUp")
    nearer = scene.camera.distance
    hands.key("ArrowDown")
    assert nearer < before and scene.camera.distance == pytest.approx(before) and scene.camera.target == target


def test_reveal_begins_again_and_goes_on_by_itself(hands):
    scene, transport = hands.scene, hands.viewer.transport
    assert not transport.playing
    hands.key("v")
    assert transport.playing and transport.time < 0.2 and scene._cloud.appeared[-1] == 0.0
    hands.wait(1.0)
    assert scene._cloud.appeared[0] == 1.0 and transport.time > 0.9


def test_where_all_blocks_have_appeared_those_of_another_choice_have_too(hands):
    scene = hands.scene
    hands.click(*hands.place("blocks.all"))
    hands.frame()
    assert len(scene.block_names) > 20 and all(scene._cloud.appeared == 1.0)
    assert hands.viewer.transport.time == pytest.approx(scene.moment)
    hands.key("v")
    hands.wait(1.0)
    hands.click(*hands.place("blocks.original"))
    hands.frame()
    assert 0.0 < scene._cloud.appeared.sum() < len(scene.block_names)


def test_a_mistake_is_told_and_the_panel_stays(hands, capsys):
    scene = hands.scene
    for name, value in (("alone", "nonsense"), ("shown", "nonsense"), ("neuron", "nonsense")):
        hands.viewer.assign(name, value)
        hands.frame()
        assert "nonsense" in hands.viewer.notices.problem and "\n" not in hands.viewer.notices.problem
        hands.frame()
        hands.click(*hands.place("theme.paper"))
        hands.click(*hands.place("theme.dark"))
        assert scene.theme == "dark"
        hands.viewer.assign(name, {"shown": "all"}.get(name, ""))
        hands.frame()
        assert hands.viewer.notices.problem is None
    assert "imgui" not in capsys.readouterr().err


def test_another_picture_is_drawn_and_seen(hands):
    scene = hands.scene
    before, responses = scene.seen, scene.responses
    hands.key("n")
    assert scene.seed == 4 and not np.array_equal(before, scene.seen) and scene.responses is not responses


def test_a_photo_that_is_dropped_is_seen_and_another_file_is_told(hands, tmp_path):
    scene, photo = hands.scene, tmp_path / "photo.JPG"
    Image.new("CMYK", (40, 60), (0, 120, 200, 10)).save(photo, "JPEG")
    assert hands.viewer.drop(str(photo)) is None
    hands.frame()
    assert scene.image.shape == (60, 40, 3) and scene.seen.shape == (97, 97, 3)
    assert "nothing here takes" in hands.viewer.drop(str(tmp_path / "film.mov"))
    assert "nothing here takes" in hands.viewer.notices.problem and scene.image.shape == (60, 40, 3)
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    assert "broken.onnx" in hands.viewer.drop(str(tmp_path / "broken.onnx"))
    assert scene.net is None


def test_a_pin_waits_while_a_network_is_shown_that_has_no_such_neuron(hands):
    scene = hands.scene
    hands.click(*place_of(hands, CAT))
    grey = Convolution("c", ("x",), np.ones((2, 1, 3, 3)))
    scene.net = ConvNet([Input("x", (), (1, 1, 9, 7)), grey, Elementwise("r", ("c",), "relu")])
    hands.frame()
    assert scene.pinned is None and scene.marked is None and hands.viewer.notices.problem is None
    scene.net = None
    hands.frame()
    assert scene.pinned == CAT
