// The layers a ray crosses, packed into vec4u: distance, premultiplied colour as halves, whether it is undecided.

const LAYERS: u32 = 8u;
const NOTHING: f32 = 1e30;

fn pack_layer(distance: f32, colour: vec4f, undecided: bool) -> vec4u {
    return vec4u(bitcast<u32>(distance), pack2x16float(colour.rg), pack2x16float(colour.ba), u32(undecided));
}

fn layer_distance(layer: vec4u) -> f32 {
    return bitcast<f32>(layer.x);
}

fn layer_colour(layer: vec4u) -> vec4f {
    return vec4f(unpack2x16float(layer.y), unpack2x16float(layer.z));
}
