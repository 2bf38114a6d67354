// A whole narrow network's bounds over pieces of rays where lanes share loads: an invocation takes its lane's piece.
#import generated/bindings
#import generated/layered
#import lib/piece

// A copy of the uniform: llvmpipe reads a uniform anew, lane by lane, where it is named in a loop.
var<private> settings: Narrow;
var<private> lane: u32;

fn layered_weights(layer: u32, g: u32, i: u32) -> vec4f {
    return textureLoad(weights, vec2u(g * settings.columns + i * LANES + lane, layer));
}

fn layered_layer(layer: u32) -> vec4f {
    return layers[layer];
}

fn layered_kind(layer: u32, g: u32) -> u32 {
    return kinds[layer * GROUPS + g];
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
    let row = group.y * counts.x + group.x;
    let at = min(row * LANES + lane, settings.count - 1u) + settings.first;
    let network = settings.layers;
    layered_network(network, piece_ends(pieces[2u * at], pieces[2u * at + 1u]));
    let last = min(settings.outputs, GROUPS);
    let step = last * LANES;
    for (var g = 0u; g < last; g++) {
        let z = layered_found[GROUPS - last + g];
        let to = 5u * row * step + g * LANES + lane;
        output[to] = z.near;
        output[to + step] = z.far;
        output[to + 2u * step] = z.error_bound;
        output[to + 3u * step] = z.middle;
        output[to + 4u * step] = z.radius;
    }
}
