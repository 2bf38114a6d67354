"""A window on the screen, by glfw through rendercanvas."""

import asyncio
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from engine.errors import NoDisplayError
from engine.gpu.native import instance
from engine.output.stopping import stopping

NO_DISPLAY = (
    "There is no display to open a window on. Over ssh use `ssh -X`; on a machine without a screen "
    "`apt-get install xvfb` and put `xvfb-run -a` before the command; `neuroscene render` needs no display."
)


# Frames a second. Each of a software driver takes some 40 ms of a processor.
FPS, SLOW_FPS = 60, 25
# Seconds between two looks at whether Ctrl-C came.
LISTENS = 0.05


def has_display() -> bool:
    """True when a window can be opened here."""
    # rendercanvas does not check this: without a display glfw's C code would end the process.
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        import glfw
    except ImportError:
        return False  # glfw's library cannot be loaded; `neuroscene doctor` says why
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(glfw.init())


def make_canvas(size: tuple[int, int] = (1280, 800), title: str = "neuroscene") -> Any:
    """A canvas in a new window (engine.output.canvas.Canvas).

    size   (width, height) in logical pixels

    Raises NoDisplayError, saying what to do, if no window can be opened.
    """
    if not has_display():
        raise NoDisplayError(NO_DISPLAY)
    from rendercanvas.glfw import RenderCanvas

    instance.will_show()

    # Frames are drawn on request, at most so many a second.
    return RenderCanvas(size=tuple(size), title=title, update_mode="ondemand", max_fps=FPS)


def show_slowly(canvas: Any) -> None:
    """Has a window show fewer frames a second: for drivers whose frames take the processor that pictures need."""
    canvas.set_update_mode("ondemand", max_fps=SLOW_FPS)


def on_drop(canvas: Any, take: Callable[[str], object]) -> None:
    """Calls a function with the path of each file that is dropped on a window."""
    import glfw

    def dropped(_: Any, paths: list[str]) -> None:
        for path in paths:
            take(path)

    # rendercanvas has no event for dropped files, and no public name for its glfw window.
    glfw.set_drop_callback(canvas._window, dropped)  # type: ignore[arg-type]  # its wrapper gives a list of paths


def run() -> None:
    """Shows windows until all are closed.

    Ctrl-C, and what stops work as it does, closes them between two frames. Raises KeyboardInterrupt once they are.
    """
    from rendercanvas.glfw import loop

    with stopping() as stopped:
        ours = signal.getsignal(signal.SIGINT)

        async def watch() -> None:
            # rendercanvas takes SIGINT when its loop begins, and closes windows wherever a frame is just then.
            with suppress(ValueError, TypeError):  # in another thread than the main one; a handler not of Python
                signal.signal(signal.SIGINT, ours)
            while not stopped.is_set():
                await asyncio.sleep(LISTENS)
            loop.stop()

        loop.add_task(watch)
        loop.run()
    if stopped.is_set():
        raise KeyboardInterrupt("Stopped: the window is closed.")
