"""SqueezeNet 1.0 as the model zoo has it: an ONNX file of Caffe2's, each step named by what it writes and how often."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

# torchvision's numbers of the fire modules.
FIRES = {2: 3, 3: 4, 4: 5, 5: 7, 6: 8, 7: 9, 8: 10, 9: 12}


def write(path, weights, *, size=227, bgr=False):
    """Writes torchvision's weights, {key: array}, with an input of size x size; blue first if asked."""
    nodes, held = [], []

    def add(kind, source, out, **more):
        nodes.append(helper.make_node(kind, [source] if isinstance(source, str) else source, [out], **more))
        return out

    def hold(array, name):
        held.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def convolved(source, name, key, pad=0, stride=1):
        w = weights[f"{key}.weight"]
        w = w[:, ::-1] if bgr and source == "data_0" else w
        names = [source, hold(w, f"{name}_w_0"), hold(weights[f"{key}.bias"], f"{name}_b_0")]
        add("Conv", names, f"{name}_1", kernel_shape=list(w.shape[2:]), strides=[stride] * 2, pads=[pad] * 4)
        return add("Relu", f"{name}_1", f"{name}_2")

    def pooled(source, name):
        return add("MaxPool", source, name, kernel_shape=[3, 3], strides=[2, 2], pads=[0] * 4)

    at = pooled(convolved("data_0", "conv1", "features.0", stride=2), "pool1_1")
    for number, module in FIRES.items():
        at = pooled(at, f"pool{number - 1}_1") if number in (5, 9) else at
        name, key = f"fire{number}", f"features.{module}"
        squeezed = convolved(at, f"{name}/squeeze1x1", f"{key}.squeeze")
        parts = [
            convolved(squeezed, f"{name}/expand1x1", f"{key}.expand1x1"),
            convolved(squeezed, f"{name}/expand3x3", f"{key}.expand3x3", pad=1),
        ]
        at = add("Concat", parts, f"{name}/concat_1", axis=1)
    at = add("Dropout", at, "fire9/concat_2", ratio=0.5)
    at = add("GlobalAveragePool", convolved(at, "conv10", "classifier.1", pad=1), "pool10_1")
    add("Softmax", at, "softmaxout_1")
    given, got = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("data_0", [1, 3, size, size]), ("softmaxout_1", [1, 1000, 1, 1]))
    )
    graph = helper.make_graph(nodes, "squeezenet_old", [given], [got], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    checker.check_model(model)
    save(model, str(path))
