"""The twenty figures of "A Visual Exploration of Random Neural Networks", each as settings of random_networks.

The article's networks were drawn from another random generator, so the pictures differ; sizes, activations,
distributions, scales and views are the article's where it states them.
"""

from engine import Figure, Mlp, Step

# Figure 3: sigmoid(0.4 x1 + 1.0 x2 - 0.3).
SINGLE = Mlp([[[0.4, 1.0]]], [[-0.3]], ["sigmoid"], name="sigmoid(0.4 x1 + x2 - 0.3)")
# Figure 4: three tanh curves, their linear combination, and tanh of that.
CURVES = Mlp([[[1.6], [-2.2], [1.1]], [[1.1, 0.9, -1.3]]], [[2.4, 0.4, -1.9], [0.1]], ["tanh", "tanh"], name="1-3-1")
# Figure 5: the same with two inputs and sigmoids.
SURFACES = Mlp(
    [[[1.2, 0.7], [-0.5, 1.4], [0.9, -1.1]], [[2.6, -2.2, 1.9]]],
    [[1.0, -0.8, -0.6], [-1.0]],
    ["sigmoid", "sigmoid"],
    name="2-3-1",
)
DEEP = {"seed": 32, "scale": 0.6, "width": 30}
# Glorot's distribution keeps the size of responses the same through layers of tanh, He's through layers of relu.
FIGURES = (
    Figure(
        1, "landscape", "a wide landscape of one deep network",
        settings={"seed": 10, "scale": 0.62, "extent": 2.4}, size=(1440, 531),
    ),
    Figure(
        2, "cross-section", "a network of four inputs: x, y, and two that go round a circle",
        settings={"seed": 4, "inputs": 4, "depth": 8, "scale": 0.75, "extent": 3.0, "swing": 0.8, "period": 6.0},
        size=(400, 400), loop=True, supersample=1,
    ),
    Figure(
        3, "single-layer", "one neuron, sigmoid(0.4 x1 + 1.0 x2 - 0.3): heights, and the same from above",
        settings={"net": SINGLE, "extent": 16.0, "colour": "grey", "legend_shown": False},
        columns=(Step("as heights", {"show": "relief"}), Step("as an image", {"show": "image"})),
    ),
    Figure(
        4, "curves", "three tanh curves, a linear combination of them, tanh of that",
        settings={"net": CURVES, "show": "curves", "extent": 8.0},
        columns=(
            Step("three tanh curves", {"layer": 1, "curves": 3}),
            Step("a linear combination", {"signal": "sum"}),
            Step("tanh of it", {}),
        ),
    ),
    Figure(
        5, "surfaces", "three sigmoid surfaces, a linear combination of them, and that from above",
        settings={"net": SURFACES, "show": "relief", "extent": 14.0, "colour": "grey", "legend_shown": False},
        columns=(
            *(Step(f"neuron {k + 1}", {"layer": 1, "unit": k}) for k in range(3)),
            Step("a linear combination", {"signal": "sum"}),
            Step("from above", {"signal": "sum", "show": "image"}),
        ),
    ),
    Figure(
        6, "channels", "three fields as greys; as red, green and blue they are one image",
        settings={"seed": 5, "depth": 6, "scale": 0.7, "extent": 3.0, "legend_shown": False},
        columns=(
            *(Step(name, {"colour": "grey", "unit": k}) for k, name in enumerate(("red", "green", "blue"))),
            Step("all three", {"colour": "rgb"}),
        ),
    ),
    Figure(
        7, "one-layer", "networks of one layer",
        settings={"depth": 0, "scale": 5.0}, columns={"seed": range(1, 9)}, wrap=4,
    ),
    Figure(
        8, "two-layers", "networks of two layers, with 10 hidden neurons",
        settings={"depth": 1, "width": 10, "scale": 3.0}, columns={"seed": range(1, 9)}, wrap=4,
    ),
    Figure(
        9, "layers", "each row one network; each column the image after one layer more",
        settings={"depth": 10, "width": 30, "scale": 0.75, "extent": 3.0},
        columns={"layer": range(1, 11)}, rows={"seed": range(1, 6)}, size=(400, 400),
    ),
    Figure(
        10, "eighteen-layers", "one network after 1 to 18 layers of 30 neurons",
        settings={**DEEP, "depth": 40}, columns={"layer": range(1, 19)}, wrap=6,
    ),
    Figure(
        11, "twenty-seven-layers", "the same network after 27 layers",
        settings={**DEEP, "depth": 40, "layer": 27}, size=(800, 800),
    ),
    Figure(
        12, "forty-layers", "the same network after 40 layers",
        settings={**DEEP, "depth": 40, "layer": 40}, size=(800, 800),
    ),
    Figure(
        13, "activations", "three activation functions: sigmoid, tanh, relu",
        settings={"show": "curves", "extent": 8.0, "curves": 1},
        columns=tuple(Step(n, {"net": Mlp([[[1.0]]], [[0.0]], [n], name=n)}) for n in ("sigmoid", "tanh", "relu")),
    ),
    Figure(
        14, "relu", "tanh above, relu below, at 5 layers more a column; sigmoid on the last",
        settings={"seed": 6, "weights": "he", "scale": 1.06, "width": 30, "extent": 8.0},
        columns={"depth": [5, 10, 15, 20, 25]}, rows={"activation": ["tanh", "relu"]},
    ),
    Figure(
        15, "neurons", "14 layers with 10 to 400 neurons each",
        settings={"seed": 2, "depth": 14, "scale": 0.5}, columns={"width": [10, 20, 40, 80, 120, 400]}, wrap=3,
    ),
    Figure(
        16, "neurons-closer", "thirty times closer to the network of 400 neurons",
        settings={"seed": 2, "depth": 14, "scale": 0.5, "width": 400, "extent": 2.0 / 30.0}, supersample=1,
    ),
    Figure(
        17, "wider-view", "the network of 27 layers on [-2.6, 2.6] squared",
        settings={**DEEP, "depth": 40, "layer": 27, "extent": 5.2}, size=(800, 800),
    ),
    Figure(
        18, "zooms", "nine looks at it, from [-40, 40] squared, each twice as close",
        settings={**DEEP, "depth": 40, "layer": 27},
        columns={"extent": [80.0 / 2**k for k in range(9)]}, wrap=3,
    ),
    Figure(
        19, "scales", "27 layers of 30 neurons; weights from 0.5 to 1 in equal ratios",
        settings={**DEEP, "depth": 27}, columns="scale=0.5..1*25:log", wrap=5,
    ),
    Figure(
        20, "growing-weights", "the scale of the weights from 0.4 to 0.8 and back",
        settings={**DEEP, "depth": 27, "scale": 0.4, "morph": "scale", "to_scale": 0.8, "period": 8.0},
        size=(400, 400), loop=True, fps=20.0, supersample=1,
    ),
)  # fmt: skip
