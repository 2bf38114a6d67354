"""Scenes and nodes: what is rebuilt when, and how the graph holds together."""

import numpy as np
import pytest

from engine.draw.node import Node
from engine.errors import SceneError, SettingError
from engine.scene.scene import Scene
from engine.scene.settings import Number
from engine.scene.view_data import Clock
from engine.view.camera import Camera


class Counted(Scene):
    slow = Number(1.0, rebuild=True)
    quick = Number(1.0)

    def __init__(self, **values):
        self.built, self.updated = 0, []
        super().__init__(**values)

    def build(self, stage):
        self.built += 1
        stage.add(Node("only"))

    def update(self, clock):
        self.updated.append(clock.time)


def test_a_scene_is_built_once_and_again_only_for_settings_that_say_so():
    scene = Counted()
    for time in (0.0, 0.1):
        scene.advance(Clock(time))
    scene.quick = 2.0
    scene.advance(Clock(0.2))
    assert scene.built == 1
    scene.slow = 2.0
    scene.advance(Clock(0.3))
    assert scene.built == 2
    assert len(scene.stage.children) == 1
    assert scene.updated == [0.0, 0.1, 0.2, 0.3]


class Reader(Scene):
    """Its `build` reads `size`; what `update` reads is chosen by `follows`."""

    size = Number(1.0)
    follows = False

    def build(self, stage):
        self.node = stage.add(Node("only")).move(self.size, 0, 0)

    def update(self, clock):
        self.moved = self.follows
        if self.follows:
            self.node.move(self.size, 0, 0)


def test_a_setting_that_build_reads_and_nobody_follows_is_an_error_that_names_it():
    with pytest.raises(SceneError, match=r"Reader\.build reads the setting `size`.*rebuild=True") as error:
        Reader().advance(Clock())
    assert "\n" not in str(error.value) and "theme" not in str(error.value)


def test_a_setting_that_build_reads_may_be_marked_or_read_by_update_too():
    class Rebuilt(Reader):
        size = Number(1.0, rebuild=True)

    class Once(Reader):
        size = Number(1.0, rebuild=False)

    class Following(Reader):
        follows = True

    for kind in (Rebuilt, Once, Following):
        kind().advance(Clock())


def test_a_misspelt_attribute_is_an_error_with_the_near_names():
    scene = Counted()
    with pytest.raises(SettingError, match=r"Counted: There is no setting `quik`.*Near: quick\.") as error:
        scene.quik = 2.0
    assert "\n" not in str(error.value) and not hasattr(scene, "quik")
    scene._own, scene.quick, scene.camera, scene.loop = 1, 3.0, Camera(), 2.0


def test_a_scene_s_own_attributes_begin_in_its_init_build_or_update():
    scene = Reader(size=2.0)
    scene.follows = True
    scene.advance(Clock())
    scene.node = scene.node
    with pytest.raises(SettingError, match="begin in __init__, build or update"):
        scene.other = 1


def test_a_plain_value_in_a_subclass_is_a_setting_s_new_default():
    class Quicker(Counted):
        quick, theme = 4.0, "paper"

    class Same(Quicker):
        pass

    assert (Counted().quick, Quicker().quick, Same().quick, Same().theme) == (1.0, 4.0, 4.0, "paper")
    assert Quicker.param["quick"].bounds == Counted.param["quick"].bounds
    with pytest.raises(SettingError, match="Near: paper"):
        type("Wrong", (Counted,), {"theme": "papr"})
    with pytest.raises(SettingError, match="theme"):
        Quicker().theme = "papr"


@pytest.mark.parametrize("fails", ["build", "update", "check"])
def test_after_an_error_the_stage_is_built_again(fails):
    class Failing(Scene):
        size = Number(1.0)
        wrong = True

        def build(self, stage):
            self.stages = getattr(self, "stages", 0) + 1
            stage.add(Node("first"))
            if self.wrong and fails == "build":
                raise ValueError(fails)
            stage.add(Node("second"))
            self.read = self.size if fails == "check" and self.wrong else None

        def update(self, clock):
            if self.wrong and fails == "update":
                raise ValueError(fails)

    scene = Failing()
    for _ in range(2):
        with pytest.raises((ValueError, SceneError)):
            scene.advance(Clock())
    scene.wrong = False
    scene.advance(Clock())
    assert scene.stages == 3 and [node.name for node in scene.stage.children] == ["first", "second"]
    scene.advance(Clock())
    assert scene.stages == 3


def test_two_scenes_of_a_class_do_not_share_settings():
    a, b = Counted(), Counted(quick=5.0)
    a.quick = 3.0
    assert (a.quick, b.quick, Counted().quick) == (3.0, 5.0, 1.0)


def test_transforms_multiply_from_parent_to_child_and_hidden_parts_are_left_out():
    root, arm, hand = Node("root"), Node("arm"), Node("hand")
    root.add(arm)
    arm.add(hand)
    arm.move(1, 0, 0)
    hand.move(0, 2, 0)
    places = {n.name: world[:3, 3] for n, world in root.walk()}
    assert np.allclose(places["hand"], (1, 2, 0))
    arm.visible = False
    assert [n.name for n, _ in root.walk()] == ["root"]


def test_a_node_has_one_parent_and_no_cycles():
    a, b = Node("a"), Node("b")
    child = a.add(Node("child"))
    b.add(child)
    assert a.children == [] and child.parent is b
    with pytest.raises(SceneError, match="under itself"):
        child.add(b)
    with pytest.raises(SceneError, match="not a child"):
        a.remove(child)


@pytest.mark.parametrize("change", [{"eye": (0, 0, 0)}, {"up": (0, 0, 1)}, {"eye": (np.nan, 0, 1)}])
def test_a_camera_without_a_picture_is_refused(change):
    with pytest.raises(SettingError):
        Camera(**change)


@pytest.mark.parametrize("aspect", [1.5, 0.4])
@pytest.mark.parametrize("fov", [0.0, 0.9])
def test_projection_maps_near_to_0_and_far_to_1_and_rays_to_the_pictures_corners(fov, aspect):
    camera = Camera(eye=(1, 2, 9), fov=fov, near=0.5, far=50.0)
    matrix = camera.projection(aspect) @ camera.view()
    for x, y in ((-1, -1), (1, 0.5), (0, 0)):
        origin, direction = camera.ray(x, y, aspect)
        along = direction @ camera.forward
        for distance, depth in ((0.5, 0.0), (50.0, 1.0)):
            p = matrix @ np.append(origin + direction * distance / along, 1.0)
            assert np.allclose(p[:3] / p[3], (x, y, depth), atol=1e-9)


def test_a_tall_picture_shows_as_much_across_as_a_wide_one_upwards():
    camera = Camera()
    assert camera.half_sizes(2.0)[1] == camera.half_sizes(0.5)[0]
