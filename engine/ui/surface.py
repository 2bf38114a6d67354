"""imgui on a canvas: it handles events before the picture does, and draws over a given texture view."""

from collections.abc import Callable
from typing import Any

import wgpu
from imgui_bundle import imgui
from wgpu.utils.imgui import ImguiRenderer

from engine.ui.theme import Colours, load_fonts, set_theme

# imgui's mouse position when there is no mouse: minus FLT_MAX.
NOWHERE = (-3.4028234663852886e38, -3.4028234663852886e38)
# Events before which imgui must be told where the pointer is and which keys are held.
PREPARED = ("pointer_move", "pointer_up", "pointer_down", "key_up", "key_down", "wheel", "char")
CURSORS = {
    imgui.MouseCursor_.text_input: "text",
    imgui.MouseCursor_.hand: "pointer",
    imgui.MouseCursor_.resize_ns: "ns_resize",
    imgui.MouseCursor_.resize_ew: "ew_resize",
}


def plain_format(canvas: Any, device: Any) -> str:
    """Configures a canvas, if that is not done, with a format that stores sRGB values unchanged; returns the format.

    imgui blends sRGB values: on an `-srgb` surface its soft edges and shadows would be too light.
    """
    context = canvas.get_wgpu_context()
    if context.get_configuration() is None:
        wanted = context.get_preferred_format(device.adapter)
        try:
            context.configure(device=device, format=wanted.removesuffix("-srgb"))
        except (ValueError, RuntimeError, wgpu.GPUError):
            context.configure(device=device, format=wanted)
    return context.get_configuration()["format"]


class Surface(ImguiRenderer):
    """One canvas's imgui: its context, fonts and events.

    Its handlers stop events that belong to a widget, so that the picture's handlers do not get them.
    """

    def __init__(self, device: Any, canvas: Any):
        self.format = plain_format(canvas, device)
        super().__init__(device, canvas)
        self.device, self.canvas = device, canvas
        # imgui spreads fast events over several frames: a press and its release in one frame are both seen.
        self.backend.io.config_input_trickle_event_queue = True
        self.backend.io.config_windows_move_from_title_bar_only = True
        # An exception in a scene may end a frame half-way: imgui then closes what was left open, without asserting.
        self.backend.io.config_error_recovery_enable_assert = False
        self.backend.io.config_error_recovery_enable_tooltip = False
        canvas.add_event_handler(self._prepare, *PREPARED, order=-100)
        canvas.add_event_handler(self._on_leave, "pointer_leave", order=-99)
        self.fonts = load_fonts()
        self.has_popup = False
        # awaits_text: True from the opening of a field until imgui gives it the keyboard, two frames later.
        self.awaits_text = self._is_active = False
        self._typed = ""
        self._theme: Colours | None = None
        self._cursor: str | None = None
        self._drawn: tuple[tuple[float, float], float] | None = None  # the size and ratio of the last draw

    def set_theme(self, theme: Colours) -> None:
        """Draws in a theme's colours from now on."""
        if theme is not self._theme:
            imgui.set_current_context(self.imgui_context)
            set_theme(theme)
            self._theme = theme

    def draw(self, view: Any, size: tuple[float, float], ratio: float, step: float, gui: Callable[[], None]) -> None:
        """Calls gui() and draws the result over a view.

        size    (width, height) in logical pixels; the view is `ratio` times as large
        step    seconds since the last draw
        """
        imgui.set_current_context(self.imgui_context)
        io = self.backend.io
        io.display_size = imgui.ImVec2(*size)
        io.display_framebuffer_scale = imgui.ImVec2(ratio, ratio)
        # Not 0, since imgui divides by it.
        io.delta_time = max(step, 1e-4)
        if self._typed and self._is_active:
            io.add_input_characters_utf8(self._typed)
            self._typed = ""
        imgui.new_frame()
        try:
            gui()
            self._is_active = imgui.is_any_item_active()
            self.has_popup = imgui.is_popup_open("", imgui.PopupFlags_.any_popup)
        finally:
            imgui.render()
        self._drawn = size, ratio
        self._render(view)
        self._show_cursor()

    def draws_again(self, view: Any, size: tuple[float, float], ratio: float) -> bool:
        """Draws what `draw` has drawn last; False if that was for another size."""
        imgui.set_current_context(self.imgui_context)
        if self._drawn != (size, ratio):
            return False
        self._render(view)
        return True

    def _render(self, view):
        encoder = self.device.create_command_encoder()
        attachment = {"view": view, "load_op": "load", "store_op": "store"}
        render_pass = encoder.begin_render_pass(color_attachments=[attachment])
        self.backend.render(imgui.get_draw_data(), render_pass)
        render_pass.end()
        self.device.queue.submit([encoder.finish()])

    @property
    def has_keys(self) -> bool:
        return self.backend.io.want_capture_keyboard or self.backend.io.want_text_input

    def close(self) -> None:
        """Frees the context; the surface must not be used afterwards."""
        for handler, types in (
            (self._prepare, PREPARED),
            (self._on_resize, ("resize",)),
            (self._on_mouse_move, ("pointer_move",)),
            (self._on_mouse, ("pointer_up", "pointer_down")),
            (self._on_key, ("key_up", "key_down")),
            (self._on_wheel, ("wheel",)),
            (self._on_char_input, ("char",)),
            (self._on_leave, ("pointer_leave",)),
        ):
            self.canvas.remove_event_handler(handler, *types)
        imgui.destroy_context(self.imgui_context)

    def _on_leave(self, event):
        # Once the pointer has left, nothing is hovered; a drag goes on, since the pointer may come back.
        imgui.set_current_context(self.imgui_context)
        if not imgui.is_any_item_active():
            self.backend.io.add_mouse_pos_event(*NOWHERE)

    def _prepare(self, event):
        # A touch or a script presses at a place without a move event before.
        if "x" in event:
            self.backend.io.add_mouse_pos_event(event["x"], event["y"])
        # Every event states which of shift, control ... are down; their own press or release may have been missed.
        for name, key in self.KEY_MAP_MOD.items():
            self.backend.io.add_key_event(key, name in event.get("modifiers", ()))

    def _on_char_input(self, event):
        if self._typed or (self.awaits_text and not self.backend.io.want_text_input):
            self._typed += event.get("data") or event.get("char_str") or ""
            event["stop_propagation"] = True
        else:
            super()._on_char_input(event)

    def _show_cursor(self):
        wanted = CURSORS.get(imgui.MouseCursor_(imgui.get_mouse_cursor()), "default")
        if wanted != self._cursor and not self.canvas.get_closed():  # a window that is gone has no cursor
            self._cursor = wanted
            self.canvas.set_cursor(wanted)
