"""An activation as a kernel applies it to four sums: the WGSL function `activated`."""

from engine.codegen.text import header
from engine.network.activations import Activation


def activated(activation: Activation | None) -> str:
    """The text of `generated/activated`; None, or an activation that is not elementwise, leaves sums as they are."""
    value, imports = "z", ""
    if activation is not None and activation.name != "identity" and activation.rule.elementwise:
        value = f"nan_kept(z, {activation.wgsl('value', 'z')})"
        imports = f"#import activations/{activation.name}\n#import lib/finite\n"
    top = "\n".join(header(f"What becomes of sums: {activation or 'identity'}."))
    return f"{top}\n{imports}fn activated(z: vec4f) -> vec4f {{\n    return {value};\n}}\n"
