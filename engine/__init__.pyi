"""The public names: what scenes, scripts and notebooks are written on. Each stands here once, for type checkers and for
engine/__init__.py, which reads this file. A name may differ from the one it has in its module: `render as render`.
"""

# Grouped by what they are for, each with its alias (what a type checker takes as public), so not sorted.
# ruff: noqa: E402, F401, I001

__version__: str
PUBLIC: dict[str, tuple[str, str]]

# Scenes, and what a scene gives a view.
from engine.scene.scene import Scene as Scene
from engine.scene.space_scene import SpaceScene as SpaceScene
from engine.scene.flat_scene import FlatScene as FlatScene
from engine.scene.memo import Keeping as Keeping
from engine.scene.figure import Figure as Figure, Step as Step
from engine.scene.view_data import Clock as Clock, Action as Action, Reading as Reading
from engine.scene.view_data import Timeline as Timeline, TimeCurve as TimeCurve, SPACINGS as SPACINGS
from engine.scene.view_data import Units as Units, UnitLayer as UnitLayer, Diagram as Diagram
from engine.scene.view_data import Listing as Listing, ListingRow as ListingRow
from engine.view.camera import Camera as Camera

# Settings.
from engine.scene.settings import Number as Number, Integer as Integer, Switch as Switch, Choice as Choice, Text as Text
from engine.scene.data_settings import Network as Network, Recorded as Recorded, Unfinished as Unfinished
from engine.scene.data_settings import Image as Image, Convolutional as Convolutional, ClassNames as ClassNames

# Nodes: surfaces, fields, boundaries of neurons, neurons in space, words.
from engine.draw.node import Node as Node
from engine.draw.surfaces.level_surfaces import LevelSurfaces as LevelSurfaces, Region as Region
from engine.draw.surfaces.sparks import Sparks as Sparks
from engine.draw.surfaces.classic import ClassicSurfaces as ClassicSurfaces, ClassicSparks as ClassicSparks
from engine.draw.surfaces.classic import ClassicAxes as ClassicAxes
from engine.draw.fields.field_image import FieldImage as FieldImage, RGB as RGB
from engine.draw.fields.height_map import HeightMap as HeightMap
from engine.kernels.grid import Plane as Plane
from engine.draw.fields.plot import Plot as Plot, Curve as Curve
from engine.draw.boundaries.boundaries import Boundaries as Boundaries
from engine.draw.cloud.neuron_cloud import NeuronCloud as NeuronCloud, Block as Block
from engine.draw.points import Points as Points
from engine.draw.lines import Lines as Lines
from engine.draw.axes import Axes as Axes
from engine.draw.image_plane import ImagePlane as ImagePlane
from engine.draw.words.label import Label as Label
from engine.draw.words.labels import Labels as Labels
from engine.draw.words.callout import Callout as Callout
from engine.draw.words.ranking import Ranking as Ranking, Rank as Rank
from engine.draw.words.inset import Inset as Inset, InsetImage as InsetImage
from engine.draw.words.key import Key as Key, KeyRow as KeyRow
from engine.draw.words.legend import Legend as Legend

# What goes with nodes: colours, looks, placing, rays.
from engine.draw.frame import THEMES as THEMES, linear as linear_rgb
from engine.draw.words.legend import srgb as srgb
from engine.draw.words.inset import FRAMED as FRAMED
from engine.draw.colour import names as map_names, colours as map_colours
from engine.draw.boundaries.boundaries import BACKGROUNDS as BACKGROUNDS, LOSS_MAP as LOSS_MAP, MOST_LOSS as MOST_LOSS
from engine.draw.boundaries.layer_styles import LOOKS as LOOKS, layer_styles as layer_styles
from engine.draw.cloud import cloud_layout as cloud_layout
from engine.draw.drawable import Aim as Aim
from engine.vector.ticks import ticks as ticks
from engine.vector.boundaries import boundaries_drawing as boundaries_drawing
from engine.vector.region_colours import prediction_colours as prediction_colours

# Networks: layers of weights, and graphs of convolutions with their `nodes`; made, loaded, cut into `parts`, evaluated.
from engine.network.mlp import Mlp as Mlp
from engine.network.convnet import ConvNet as ConvNet
from engine.network import nodes as nodes
from engine.network.activations import Activation as Activation, ACTIVATIONS as ACTIVATIONS
from engine.network.random import random_mlp as random_mlp, DISTRIBUTIONS as DISTRIBUTIONS
from engine.network import parts as parts
from engine.network import closed_paths as closed_paths
from engine.network.rounding import float32_error as float32_error
from engine.network.preprocess import PREPROCESSES as PREPROCESSES
from engine.network.photo import fit as fit_photo
from engine.formats.load_mlp import load as load, save as save_network
from engine.formats.load_convnet import load_convnet as load_convnet
from engine.formats.squeezenet import small_squeezenet as small_squeezenet
from engine.formats.downloads import cached as downloaded_file
from engine.kernels.forward import Forward as Forward

# Trainings.
from engine.training.image_data import ImageData as ImageData, shrunk as shrunk_image
from engine.network.history import History as History, Domain as Domain
from engine.network.recipe import Recipe as Recipe
from engine.training.recorder import Recorder as Recorder
from engine.training.trainer import Trainer as Trainer
from engine.formats.histories.history import load as load_history, save as save_history
from engine.formats.histories.history import from_bytes as history_from_bytes, to_bytes as history_to_bytes

# What is found in networks and trainings.
from engine.regions.linear_regions import regions as linear_regions
from engine.regions.contours import contours as zero_contours
from engine.regions.local import local as local_map
from engine.analysis.findings import findings as findings
from engine.analysis.motion import motion as boundary_motion
from engine.analysis.responses import grid as domain_grid
from engine.analysis.attribution import influences as influences
from engine.analysis.neuron_selection import read_units as read_units, write_units as write_units
from engine.analysis.stages import all_called as short_names, stages as stages
from engine.analysis.stages import squeezenet_blocks as squeezenet_blocks

# Pictures, films, sheets, files.
from engine.app.lookup import find_scene as find_scene, open_scene as open_scene
from engine.app.make import render as render, record as record, save as save
from engine.app.show import show as show
from engine.app.export import export as export
from engine.sheets.sheet import sheet as sheet
from engine.sheets.figures import figures as figures

# Mistakes, each told in a line.
from engine.errors import NeurosceneError as NeurosceneError, SettingError as SettingError, SceneError as SceneError
from engine.errors import NetworkError as NetworkError, FileError as FileError, ShapeError as ShapeError
from engine.errors import near as near
