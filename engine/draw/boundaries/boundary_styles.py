"""How boundaries look, as data for the shader: styles and reaches of lines, and background colours."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from engine.draw.colour import linear_light
from engine.errors import SettingError
from engine.gpu.structs import struct

STYLE = struct(
    "BoundaryStyle",
    colour="vec4f",  # linear RGB and opacity
    dash="vec4f",  # lengths of marks and gaps alternately, samples; zeros: solid
    half="f32",  # half the width, samples
    halo_half="f32",  # half the width of the halo under a hovered line, samples
    halo="f32",  # the halo's opacity
)
# A hovered neuron's line is drawn over a halo of this many times its width, at half opacity, as in GINN.
HALO, HALO_OPACITY = 2.5, 0.5
# Sixteen colours of regions for each theme: lightnesses, chroma and hues in Oklch (Ottosson 2020). Cool hues, different
# enough to be distinguished and similar enough not to hide the lines over them.
FAMILY = {"dark": ((0.25, 0.31, 0.37, 0.43), 0.045), "paper": ((0.86, 0.895, 0.93, 0.965), 0.04)}
HUES = (195.0, 235.0, 275.0, 315.0)
# (lightness of classes' colours, of the colour for no class); the hues are Okabe and Ito's, 2008, for the colour-blind.
CLASS_LIGHT = {"dark": (0.62, 0.28), "paper": (0.78, 0.96)}


def lines(
    colours: np.ndarray,
    opacities: np.ndarray,
    widths: np.ndarray,
    dashes: Sequence[Sequence[float]],
    hovered: int | None,
    scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(styles, reaches): how the shader draws each line.

    colours     (N, 3) linear RGB
    opacities   (N,), 0 hides
    widths      (N,) in pixels of a picture 720 high
    dashes      N tuples of lengths in line widths
    hovered     the number of the hovered line, or None
    scale       samples in a pixel of a picture 720 high
    returns     (N,) of STYLE's dtype, and (N,) float32: the distance to which each is visible, samples; -1 if hidden
    """
    styles = np.zeros(len(colours), STYLE.dtype)
    samples = widths * scale
    # A line thinner than a sample is drawn one sample wide, and fainter in proportion.
    wide = np.maximum(samples, 1.0)
    styles["colour"][:, :3] = colours
    styles["colour"][:, 3] = opacities * np.minimum(samples, 1.0)
    styles["half"] = wide / 2.0
    for k, dash in enumerate(dashes):
        # A list of odd length is repeated, as in SVG.
        full = tuple(dash) * (1 + len(dash) % 2)
        styles["dash"][k, : len(full)] = np.array(full) * wide[k]
    shown = (opacities > 0.0) & (widths > 0.0)
    if hovered is not None and shown[hovered]:
        styles["halo_half"][hovered] = HALO * wide[hovered] / 2.0
        styles["halo"][hovered] = HALO_OPACITY * opacities[hovered]
    reach = np.maximum(styles["half"], styles["halo_half"]) + 0.5
    return styles, np.where(shown, reach, -1.0).astype(np.float32)


def checked_dash(dash: Sequence[float]) -> tuple[float, ...]:
    """A dash as a tuple. Raises SettingError for one that cannot be drawn."""
    dash = tuple(float(v) for v in dash)
    if len(dash) * (1 + len(dash) % 2) > 4 or any(not 0.0 < v < 1e4 for v in dash):
        raise SettingError(f"The dash {dash} cannot be drawn; it takes up to 4 lengths above 0, in line widths.")
    return dash


@cache
def region_colours(theme: str) -> np.ndarray:
    """(16, 3) linear RGB of similar soft colours; consecutive ones differ in hue."""
    lights, chroma = FAMILY["dark" if theme == "dark" else "paper"]
    return np.array([oklch(lights[(k // 4 + k) % 4], chroma, HUES[k % 4]) for k in range(16)])


@cache
def class_colours(theme: str) -> np.ndarray:
    """(17, 3) linear RGB: sixteen classes, then the colour for no class."""
    light, none = CLASS_LIGHT["dark" if theme == "dark" else "paper"]
    hues = (250.0, 45.0, 165.0, 85.0, 350.0, 110.0, 300.0, 20.0)
    first = [oklch(light - 0.1 * (k // 8), 0.11, hues[k % 8]) for k in range(16)]
    return np.array([*first, oklch(none, 0.005, 260.0)])


def sample_colours(wanted: np.ndarray, task: str, outputs: int, theme: str) -> np.ndarray:
    """(N, 3) linear RGB of samples, as the prediction has them where it is right.

    wanted    (N,) classes or (N, outputs) values
    """
    if task == "classes" and outputs > 2:
        return class_colours(theme)[np.asarray(wanted, int) % 16]
    values = np.asarray(wanted, float).reshape(len(wanted), -1)
    shown = values if values.shape[1] == 3 and task == "values" else values[:, :1]
    return linear_light(np.clip(np.repeat(shown, 3 // shown.shape[1], axis=1), 0.0, 1.0))


def oklch(light: float, chroma: float, hue: float) -> np.ndarray:
    """Linear sRGB (3,) of an Oklch colour (Ottosson 2020), hue in degrees; clipped to sRGB's gamut."""
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    cubes = np.array([[0.3963377774, 0.2158037573], [-0.1055613458, -0.0638541728], [-0.0894841775, -1.2914855480]])
    lms = (light + cubes @ (a, b)) ** 3
    to_rgb = [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
    return np.clip(np.array(to_rgb) @ lms, 0.0, 1.0)
