"""The public names, nothing else. Each is imported when it is first used, so that `import engine` is quick.

import engine
picture = engine.render(engine.open_scene("marching"), size=(800, 600))
"""

import importlib
import sys
from types import ModuleType

from engine.scene import display

__version__ = "0.1.0"

# name -> the module it is in, and its name there where that differs
PUBLIC = {
    # networks
    "Mlp": "engine.network.mlp",
    "ConvNet": "engine.network.convnet",
    "load_convnet": "engine.formats.load_convnet",
    "Forward": "engine.kernels.forward",
    "Activation": "engine.network.activations",
    "random_mlp": "engine.network.random",
    "load": "engine.formats.load_mlp",
    "save_network": "engine.formats.load_mlp:save",
    # trainings
    "ImageData": "engine.training.image_data",
    "History": "engine.network.history",
    "Domain": "engine.network.history",
    "Recorder": "engine.training.recorder",
    "Recipe": "engine.training.trainer",
    "Trainer": "engine.training.trainer",
    "load_history": "engine.formats.tensors.history:load",
    "save_history": "engine.formats.tensors.history:save",
    # scenes
    "Scene": "engine.scene.scene",
    "Clock": "engine.scene.view_data",
    "Action": "engine.scene.view_data",
    "Reading": "engine.scene.view_data",
    "Timeline": "engine.scene.view_data",
    "TimeCurve": "engine.scene.view_data",
    "Units": "engine.scene.view_data",
    "UnitLayer": "engine.scene.view_data",
    "Diagram": "engine.scene.view_data",
    "Listing": "engine.scene.view_data",
    "ListingRow": "engine.scene.view_data",
    "Figure": "engine.scene.figure",
    "Step": "engine.scene.figure",
    "Camera": "engine.view.camera",
    "Number": "engine.scene.settings",
    "Integer": "engine.scene.settings",
    "Switch": "engine.scene.settings",
    "Choice": "engine.scene.settings",
    "Text": "engine.scene.settings",
    "Network": "engine.scene.data_settings",
    "Recorded": "engine.scene.data_settings",
    "Unfinished": "engine.scene.data_settings",
    "Image": "engine.scene.data_settings",
    "Convolutional": "engine.scene.data_settings",
    "ClassNames": "engine.scene.data_settings",
    "SpaceScene": "engine.scene.space_scene",
    # nodes
    "Node": "engine.draw.node",
    "LevelSurfaces": "engine.draw.surfaces.level_surfaces",
    "Region": "engine.draw.surfaces.level_surfaces",
    "Sparks": "engine.draw.surfaces.sparks",
    "HeightMap": "engine.draw.fields.height_map",
    "Plane": "engine.kernels.grid",
    "Plot": "engine.draw.fields.plot",
    "Curve": "engine.draw.fields.plot",
    "Points": "engine.draw.points",
    "Lines": "engine.draw.lines",
    "Axes": "engine.draw.axes",
    "Label": "engine.draw.words.label",
    "Labels": "engine.draw.words.labels",
    "Callout": "engine.draw.words.callout",
    "ImagePlane": "engine.draw.image_plane",
    "Ranking": "engine.draw.words.ranking",
    "Rank": "engine.draw.words.ranking",
    "Inset": "engine.draw.words.inset",
    "InsetImage": "engine.draw.words.inset",
    "NeuronCloud": "engine.draw.cloud.neuron_cloud",
    "Block": "engine.draw.cloud.neuron_cloud",
    "Legend": "engine.draw.words.legend",
    # pictures
    "render": "engine.app.make",
    "record": "engine.app.make",
    "save": "engine.app.make",
    "show": "engine.app.show",
    "export": "engine.app.export",
    "sheet": "engine.sheets.sheet",
    "figures": "engine.sheets.figures",
    "find_scene": "engine.app.lookup",
    "open_scene": "engine.app.lookup",
    # mistakes
    "NeurosceneError": "engine.errors",
}

__all__ = ["__version__", *PUBLIC]


class _Engine(ModuleType):
    def __setattr__(self, name, value):
        # Importing the room engine/render would bind it to the name of the function that people call. The room
        # stays reachable as `from engine.render.renderer import Renderer`.
        if name in PUBLIC and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Engine


def __getattr__(name):
    if name not in PUBLIC:
        raise AttributeError(f"module `engine` has no name `{name}`. It has: {', '.join(PUBLIC)}.")
    module, _, other = PUBLIC[name].partition(":")
    value = getattr(importlib.import_module(module), other or name)
    globals()[name] = value
    return value


def _mimebundle(scene):
    return importlib.import_module("engine.app.show").mimebundle(scene)


# A scene is shown by a room far above its own; like the public names, that is imported when it is first used.
display.mimebundle = _mimebundle


def __dir__():
    return sorted({*globals(), *PUBLIC})
