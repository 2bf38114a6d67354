"""The public names: what scenes, scripts and notebooks are written on. engine/__init__.py reads the lines that import;
type checkers read all of it.
"""

# Grouped by what they are for, so not sorted.
# ruff: noqa: E402, I001, RUF022

__version__: str
PUBLIC: dict[str, tuple[str, str]]

# Scenes, and what a scene gives a view.
from engine.scene.scene import Scene
from engine.scene.space_scene import SpaceScene
from engine.scene.flat_scene import FlatScene
from engine.scene.figure import Figure, Step
from engine.scene.view_data import Clock, Action, Reading, Timeline, TimeCurve, SPACINGS, Units, UnitLayer, Diagram
from engine.scene.view_data import Listing, ListingRow
from engine.view.camera import Camera

# Settings.
from engine.scene.settings import Number, Integer, Switch, Choice, Colours, Text, in_group
from engine.scene.data_settings import Network, Recorded, Unfinished, Image, Convolutional, ClassNames, HeldInputs

# Nodes: surfaces, fields, boundaries of neurons, neurons in space, words.
from engine.draw.node import Node
from engine.draw.surfaces.level_surfaces import LevelSurfaces, Region
from engine.draw.surfaces.sparks import Sparks
from engine.draw.surfaces.classic import ClassicSurfaces, ClassicSparks, ClassicAxes
from engine.draw.fields.field_image import FieldImage, RGB
from engine.draw.fields.height_map import HeightMap
from engine.kernels.grid import Plane
from engine.draw.fields.plot import Plot, Curve
from engine.draw.boundaries.boundaries import Boundaries
from engine.draw.cloud.neuron_cloud import NeuronCloud, Block
from engine.draw.points import Points
from engine.draw.spots import Spots
from engine.draw.lines import Lines
from engine.draw.axes import Axes
from engine.draw.words.flat_axes import FlatAxes
from engine.draw.image_plane import ImagePlane
from engine.draw.words.label import Label
from engine.draw.words.labels import Labels
from engine.draw.words.callout import Callout
from engine.draw.words.ranking import Ranking, Rank
from engine.draw.words.inset import Inset, InsetImage
from engine.draw.words.key import Key, KeyRow
from engine.draw.words.legend import Legend

# What goes with nodes: colours, looks, placing, rays.
from engine.draw.frame import THEMES
from engine.draw.colour import linear as linear_rgb, srgb
from engine.draw.words.inset import FRAMED
from engine.draw.catalogue import is_diverging, names as map_names
from engine.draw.colour import colours as map_colours
from engine.draw.boundaries.boundaries import BACKGROUNDS, LOSS_MAP, MOST_LOSS
from engine.draw.boundaries.boundary_styles import sample_colours
from engine.draw.boundaries.layer_styles import LOOKS, LayerStyle, layer_styles
from engine.draw.cloud import cloud_layout, cloud_rows
from engine.draw.cloud.cloud_layout import BlockLayout
from engine.draw.drawable import Aim, Hit
from engine.vector.ticks import ticks
from engine.vector.page import Drawing, hexadecimal
from engine.vector.boundaries import boundaries_drawing
from engine.vector.region_colours import prediction_colours

# Networks: layers of weights, and graphs of convolutions with their `nodes`; made, loaded, cut into `parts`, evaluated.
from engine.network.mlp import Mlp
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.network.activations import Activation, ACTIVATIONS
from engine.network.random import random_mlp, DISTRIBUTIONS
from engine.network import parts, closed_paths
from engine.network.rounding import rounding
from engine.network.preprocess import PREPROCESSES
from engine.network.preprocess import fit as fit_photo
from engine.network.preprocess import white_of as white_of
from engine.formats.load_mlp import load, save as save_network
from engine.formats.held_inputs import held_inputs, missing_inputs
from engine.formats.load_convnet import load_convnet
from engine.formats.load_convnet import small_squeezenet
from engine.formats.downloads import cached as downloaded_file
from engine.kernels.forward import Forward

# Trainings.
from engine.training.image_data import ImageData, shrunk as shrunk_image
from engine.network.history import History, Domain
from engine.network.recipe import Recipe
from engine.training.recorder import Recorder
from engine.training.trainer import Trainer
from engine.formats.tensors.history import load as load_history, save as save_history
from engine.formats.tensors.history import from_bytes as history_from_bytes, to_bytes as history_to_bytes

# What is found in networks and trainings.
from engine.regions.linear_regions import Partition, regions as linear_regions
from engine.regions.contours import Contours, contours as zero_contours
from engine.regions.local import local as local_map
from engine.network.units.bends import first_kinks, has_linear_regions, places as boundary_places
from engine.analysis.findings import findings
from engine.analysis.motion import motion as boundary_motion
from engine.analysis.survey import grid as domain_grid
from engine.analysis.vision.attribution import Contributions, contributions
from engine.analysis.vision.levels import joined as joined_by_skips, levels, long_skips, u_blocks
from engine.analysis.vision.outputs import KINDS as OUTPUT_KINDS, OutputKind, output_kind, takes_code
from engine.analysis.vision.outputs import between as output_range, with_probabilities
from engine.analysis.vision.tokens import ADDED as ADDED_TOKEN, Attention, TokenGrid, tokens
from engine.analysis.neuron_selection import read_units, write_units
from engine.analysis.stages import all_called as short_names, stages, squeezenet_blocks

# Pictures, films, sheets, files.
from engine.app.lookup import find_scene, open_scene
from engine.app.make import render, record, save
from engine.app.jobs import renderer
from engine.kernels.search.budget import Budget
from engine.render.picture import Report
from engine.app.show import show
from engine.app.export import export
from engine.sheets.sheet import sheet
from engine.sheets.figures import figures

# Vector drawings of fields, and of scenes in space.
from engine.regions.contours import level_lines
from engine.vector.fields import ColourBar, Level, levels_drawing
from engine.vector.pictured import picture_size, pictured
from engine.draw.surfaces.curves import surface_curves

# Mistakes, each told in a line.
from engine.errors import NeurosceneError, SettingError, SceneError, NetworkError, FileError, ShapeError
from engine.errors import near, whole_number

__all__ = [
    "__version__", "Scene", "SpaceScene", "FlatScene", "Figure", "Step", "Clock", "Action", "Reading", "Timeline",
    "TimeCurve", "SPACINGS", "Units", "UnitLayer", "Diagram", "Listing", "ListingRow", "Camera", "Number", "Integer",
    "Switch", "Choice", "Colours", "Text", "in_group", "Network", "Recorded", "Unfinished", "Image", "Convolutional",
    "ClassNames", "HeldInputs", "Node", "LevelSurfaces", "Region", "Sparks", "ClassicSurfaces", "ClassicSparks",
    "ClassicAxes", "FieldImage", "RGB", "HeightMap", "Plane", "Plot", "Curve", "Boundaries", "NeuronCloud", "Block",
    "Points", "Spots", "Lines", "Axes", "FlatAxes", "ImagePlane", "Label", "Labels", "Callout", "Ranking", "Rank",
    "Inset", "InsetImage",
    "Key", "KeyRow", "Legend", "THEMES", "linear_rgb", "srgb", "FRAMED", "is_diverging", "map_names", "map_colours",
    "BACKGROUNDS", "LOSS_MAP", "MOST_LOSS", "sample_colours", "LOOKS",
    "LayerStyle", "layer_styles", "cloud_layout", "cloud_rows",
    "BlockLayout", "Aim", "Hit", "ticks", "Drawing", "hexadecimal", "boundaries_drawing", "prediction_colours", "Mlp",
    "ConvNet", "nodes", "Activation", "ACTIVATIONS", "random_mlp", "DISTRIBUTIONS", "parts", "closed_paths", "rounding",
    "PREPROCESSES", "fit_photo", "white_of", "load", "save_network", "held_inputs", "missing_inputs", "load_convnet",
    "small_squeezenet", "downloaded_file", "Forward", "ImageData", "shrunk_image", "History", "Domain", "Recipe",
    "Recorder", "Trainer", "load_history", "save_history", "history_from_bytes", "history_to_bytes", "Partition",
    "linear_regions", "Contours", "zero_contours", "local_map", "first_kinks", "has_linear_regions", "boundary_places",
    "findings", "boundary_motion", "domain_grid", "Contributions", "contributions", "joined_by_skips",
    "levels", "long_skips", "u_blocks", "OUTPUT_KINDS", "OutputKind", "output_kind", "takes_code", "output_range",
    "with_probabilities", "ADDED_TOKEN", "Attention", "TokenGrid", "tokens", "read_units", "write_units", "short_names",
    "stages", "squeezenet_blocks", "find_scene", "open_scene", "render", "record", "save", "renderer", "Budget",
    "Report", "show", "export", "sheet", "figures",
    "level_lines", "ColourBar", "Level", "levels_drawing", "picture_size", "pictured", "surface_curves",
    "NeurosceneError", "SettingError", "SceneError", "NetworkError", "FileError",
    "ShapeError", "near", "whole_number",
]  # fmt: skip
