"""ONNX graphs with one float input [rows, columns] and one float output, written byte-identically for equal content."""

import onnx
from onnx import TensorProto, checker, helper

#: What ONNX Runtime 1.29 and onnx 1.12 both speak.
OPSETS = (("", 17), ("ai.onnx.ml", 3))
IR_VERSION = 8


def serialize(nodes, inputs, outputs, initializers=(), name="model"):
    """The bytes of a checked model.

    inputs and outputs: (tensor's name, columns) of the one input and the one output.
    """
    graph = helper.make_graph(
        list(nodes), name,
        [helper.make_tensor_value_info(inputs[0], TensorProto.FLOAT, ["rows", inputs[1]])],
        [helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, ["rows", outputs[1]])],
        list(initializers))
    model = helper.make_model(
        graph, producer_name="streamengine", ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS])
    checker.check_model(model)
    return model.SerializeToString(deterministic=True)
