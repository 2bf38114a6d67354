"""What the keys of a live view stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ui.control.keyboard import Keyboard, Keys

if TYPE_CHECKING:  # the viewer imports this module; here its name is needed for types alone
    from engine.app.viewer import Viewer


def keyboard(viewer: Viewer) -> Keyboard:
    """The Keyboard of a viewer, given as a weak proxy, so that the keys do not hold it."""
    keys: Keys = {
        " ": lambda: viewer.transport.toggle(), "r": lambda: viewer.reset_view(), "h": lambda: viewer.toggle_help(),
        "?": lambda: viewer.toggle_help(), "Tab": lambda: _fold(viewer), "F12": lambda: viewer.save_picture(),
        "q": lambda: viewer.quit(), "Escape": lambda: _escape(viewer),
    }  # fmt: skip
    control: Keys = {"z": lambda: viewer.undo(), "y": lambda: viewer.redo(), "Shift+z": lambda: viewer.redo()}
    return Keyboard(keys, control, lambda: viewer.key_actions(), lambda work: viewer.run(work))


def _fold(viewer: Viewer) -> None:
    if viewer.overlay is not None:
        viewer.overlay.panel.is_open = not viewer.overlay.panel.is_open


def _escape(viewer: Viewer) -> None:
    if (viewer.overlay is None or not viewer.overlay.escape()) and not viewer.picking.unpin():
        viewer.quit()
