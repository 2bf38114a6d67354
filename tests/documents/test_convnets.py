"""The program in docs/convnets.md, run on the network that comes along."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

from engine.kernels.forward import Forward
from engine.network.activations import ACTIVATIONS
from engine.network.convnet import ConvNet
from engine.network.graph import nodes
from engine.network.graph.nodes import Input
from tools.drawn.objects import draw

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "convnets.md").read_text()


def test_the_program_of_the_document_prints_what_a_picture_shows(tmp_path):
    (program,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    shutil.copy(ROOT / "scenes" / "data" / "small_squeezenet.safetensors", tmp_path / "network.safetensors")
    Image.fromarray(draw("cat", 3, 200)).save(tmp_path / "cat.jpg", quality=95)
    (tmp_path / "program.py").write_text(program.replace("network.onnx", "network.safetensors"))
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert re.match(r" *\d+\.\d%  cat$", lines[0])
    assert lines[5] == "image (3, 97, 97)" and lines[-1] == "prob (16, 1, 1)"


def test_what_the_document_says_of_a_forward_is_there():
    forward = Forward(ConvNet([Input("image", (), (1, 3, 2, 2))]))
    named = set(re.findall(r"`forward\.(\w+)", TEXT))
    assert len(named) >= 6 and all(hasattr(forward, name) for name in named)


def test_every_node_that_computes_is_in_the_document_and_the_other_way_round():
    table = TEXT.split("| node | with |")[1].split("\n\n")[0]
    named = set(re.findall(r"\b[A-Z]\w+", " ".join(row.split("|")[1] for row in table.splitlines() if row)))
    every = {name for name, kind in vars(nodes).items() if isinstance(kind, type) and issubclass(kind, nodes.GraphNode)}
    bases = {"GraphNode", "Binary", "Pool", "Weighted", "Input", "Constant", "Cast"}
    assert named == every - bases


def test_every_activation_that_the_document_names_is_there():
    (row,) = re.findall(r"^\| Elementwise \| every activation of ours: (.*) and more \|$", TEXT, re.MULTILINE)
    assert set(row.split(", ")) <= set(ACTIVATIONS)
