"""What every output format and every canvas fulfils; the tests hold each of them to exactly this."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Writer(Protocol):
    """Takes frames and makes a file, or a folder, of them: whole or not at all.

    Made as `Writer(path, size, fps, text=None)`:
    path   where the result goes; what stands there stays until `close` has everything
    size   (width, height) of every frame
    fps    frames a second
    text   None or a function of the frame's index giving {keyword: text} to store; formats without text ignore it

    A writer is a context manager: leaving the block closes it, an error or Ctrl-C aborts it.
    """

    default_fps: float

    def add(self, pixels: Any) -> None:
        """Takes the next frame: (H, W, 4) or (H, W, 3) uint8, row 0 on top; alpha is dropped."""

    def close(self) -> None:
        """Finishes the file and puts it in its place. Raises FileError when no frame was added."""

    def abort(self) -> None:
        """Leaves nothing behind; an earlier file stays as it was. After `close` it does nothing."""

    def __enter__(self) -> "Writer": ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None: ...


@runtime_checkable
class Canvas(Protocol):
    """What a viewer needs of a canvas: a window, a notebook's widget or one off screen.

    Each of window, notebook and offscreen gives one by `make_canvas(size, title)`; rendercanvas' canvases are such.
    """

    def get_wgpu_context(self) -> Any: ...

    def get_physical_size(self) -> tuple[int, int]: ...

    def get_logical_size(self) -> tuple[float, float]: ...

    def get_pixel_ratio(self) -> float: ...

    def request_draw(self, draw_function: Any = None) -> None: ...

    def add_event_handler(self, *args: Any, **kwargs: Any) -> Any: ...

    def set_title(self, title: str) -> None: ...

    def set_update_mode(self, *args: Any, **kwargs: Any) -> None: ...

    def get_closed(self) -> bool: ...

    def close(self) -> None: ...
