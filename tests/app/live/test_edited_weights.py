"""A random network whose weights are edited in the panel: its settings stay, and draw another in its place."""

import pytest

from engine.scene.settings import settings
from engine.ui.widgets.files import stem
from scenes.marching import Marching
from scenes.random_networks import RandomNetworks


def edited(scene):
    net = scene.matrix().edited(0, 0, 0, 0.5)
    scene.matrix_changed(net)
    return net


def shown(scene, name):
    when = settings(scene)[name].when
    return when is None or when(scene)


@pytest.mark.parametrize(("kind", "size"), [(Marching, "hidden"), (RandomNetworks, "width")])
@pytest.mark.parametrize("name", ["seed", "depth", "size"])
def test_the_settings_stay_and_a_change_of_one_draws_another_network(kind, size, name):
    scene, name = kind(), size if name == "size" else name
    net = edited(scene)
    assert scene.net is net and shown(scene, name)
    setattr(scene, name, getattr(scene, name) + 1)
    assert scene.net is None and shown(scene, name)
    assert scene.matrix().equals(kind(**{name: getattr(scene, name)}).matrix())


@pytest.mark.parametrize("kind", [Marching, RandomNetworks])
def test_an_undo_to_the_seed_s_network_and_an_own_network_are_no_edits(kind):
    scene = kind()
    before = scene.matrix()
    net = edited(scene)
    scene.matrix_changed(before)
    assert scene.net is None
    scene.net = net
    assert not shown(scene, "depth")
    scene.depth += 1
    assert scene.net is net


def test_files_are_called_by_the_words_of_their_scene():
    assert [stem(kind) for kind in (Marching, RandomNetworks)] == ["marching", "random-networks"]
