"""What a scene's hooks say for the panel of a window: asked in the thread that draws, read by the frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.gpu.native.apart import turn
from engine.scene.settings import applies, is_data, settings

if TYPE_CHECKING:  # the viewer, which makes one, imports this module
    from engine.app.viewer import Viewer

# Hooks that a panel reads; what each says before it is asked.
HOOKS: dict[str, Any] = {"actions": (), "units": None, "diagram": None, "listing": None, "matrix": None}


def key_of(function: Callable[[], Any]) -> str:
    """The name of a hook of these, or of `shown_data` or `applies` and a setting; empty for any other function."""
    if isinstance(function, partial):
        return f"{function.func.__name__} {function.args[0]}"
    name = getattr(function, "__name__", "")
    return name if name in HOOKS else ""


class Answers:
    """The last answers of a scene's hooks: some take seconds, or wait for the driver, which a frame must not.

    viewer   has scene, transport, painter, query, changed, request
    """

    def __init__(self, viewer: Viewer):
        self.viewer = viewer
        self._known: dict[str, Any] = {}
        # How often something may have changed what they say; and how often it had when they were last asked.
        self._changes, self._asked, self._remarked = 1, 0, 0

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def get(self, name: str, default: Any = None) -> Any:
        """The last answer of a hook."""
        return self._known.get(name, default)

    def holds(self, function: Callable[[], Any]) -> bool:
        """Whether a frame has its answer from here: which settings are shown, a first frame asks itself."""
        key = key_of(function)
        return bool(key) and (key in self._known or not key.startswith(applies.__name__))

    def stale(self) -> None:
        """To be called when the scene may say something else now. A matrix is not known until it is asked again."""
        self._changes += 1
        self._known.pop("matrix", None)

    def forget(self) -> None:
        """To be called when another scene is shown."""
        self.stale()
        self._known.clear()

    def renew(self) -> None:
        """Asks what may have changed; what accompanies a picture, once there is one of full size. By who draws."""
        viewer, changes = self.viewer, self._changes
        painter = viewer.painter
        if self._asked != changes:
            self.follow()
            scene = viewer.scene
            hooks = [getattr(scene, name) for name in HOOKS]
            for name, setting in settings(scene).items():
                hooks += [partial(scene.shown_data, name)] * is_data(setting)
                hooks += [partial(applies, name, setting, scene)] * (setting.when is not None)
            for hook in hooks:
                turn.breathe()
                key = key_of(hook)
                answer = viewer.query(hook, HOOKS.get(key, key.startswith(applies.__name__) or None))
                if self._changes == changes:
                    self._known[key] = answer
            self._asked = changes
            viewer.request()
        if self._remarked != changes and painter.quality.scale == 1.0 and not painter.refinement.is_moving:
            self._known["remark"] = viewer.query(viewer.scene.remark)
            self._remarked = changes
            viewer.request()

    def follow(self) -> None:
        """Takes the scene's present timeline; a picture is due where it has grown."""
        viewer = self.viewer
        before = viewer.transport.timeline
        viewer.follow_time()
        after = viewer.transport.timeline
        if (before and before.count) != (after and after.count):
            viewer.changed()
