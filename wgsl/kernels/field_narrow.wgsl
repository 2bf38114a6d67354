// A narrow network at points with their derivatives where lanes share loads: an invocation takes its lane's point.
#import generated/bindings
#import generated/tangents

// A copy of the uniform: llvmpipe reads a uniform anew, lane by lane, where it is named in a loop.
var<private> settings: Narrow;
var<private> lane: u32;

fn beam_weights(layer: u32, g: u32, i: u32) -> vec4f {
    return textureLoad(weights, vec2u(g * settings.columns + i * LANES + lane, layer));
}

fn beam_layer(layer: u32) -> vec4f {
    return vec4f(f32(groups[layer]));
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) counts: vec3u,
    @builtin(subgroup_invocation_id) place: u32,
) {
    settings = narrow;
    lane = place;
    let number = (group.y * counts.x + group.x) * LANES + lane;
    let at = 4u * min(number, settings.count - 1u);
    let layers = settings.layers;
    let h = tangents_network(layers, Dual(points[at], points[at + 1u], points[at + 2u], points[at + 3u]));
    if number < settings.count {
        values[at] = h.value;
        values[at + 1u] = h.x;
        values[at + 2u] = h.y;
        values[at + 3u] = h.z;
    }
}
