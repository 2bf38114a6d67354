// One layer's bounds by workgroups: tiles of 32 pieces by 64 outputs in workgroup memory; an invocation takes 1 by 16.
#import generated/bindings
#import generated/layered

const SLAB = 4u;
const PIECES = 32u;
const WORKGROUP = 128u;
const GROUPS = 16u;

// Four blocks of inputs: the five parts of each piece, and the columns of weights.
var<workgroup> slab_responses: array<vec4f, 640>;
var<workgroup> slab_weights: array<vec4f, 256>;

var<private> invocation: u32;
var<private> corner: vec2u;

// A row holds the parts of 8 pieces: block k of their responses side by side.
fn place(piece: u32, part: u32, row: u32, k: u32) -> u32 {
    return ((5u * (piece / layer.across) + part) * row + k) * layer.across + piece % layer.across;
}

// Groups of an invocation are 4 apart: neighbours read neighbouring memory.
fn tile_group(g: u32) -> u32 {
    return invocation / PIECES + 4u * g;
}

fn layered_bias(g: u32) -> vec4f {
    return weights[4u * SLAB * layer.rows * layer.columns + corner.y + tile_group(g)];
}

fn layered_response(k: u32, part: u32) -> vec4f {
    return slab_responses[(part * SLAB + k) * PIECES + invocation % PIECES];
}

fn layered_weights(k: u32, g: u32, j: u32) -> vec4f {
    return slab_weights[(4u * k + j) * GROUPS + tile_group(g)];
}

fn layered_slab(s: u32) {
    workgroupBarrier();
    let piece = corner.x + invocation % PIECES;
    let k = s * SLAB + invocation / PIECES;
    for (var part = 0u; part < 5u; part++) {
        // Past the last input 0, since what lies there may not be a number.
        let at = place(piece, part, layer.before, min(k, layer.inputs - 1u));
        slab_responses[part * WORKGROUP + invocation] = select(vec4f(0.0), responses[at], k < layer.inputs);
    }
    for (var i = invocation; i < 4u * SLAB * GROUPS; i += WORKGROUP) {
        slab_weights[i] = weights[(4u * SLAB * s + i / GROUPS) * layer.columns + corner.y + i % GROUPS];
    }
    workgroupBarrier();
}

fn layered_kind(g: u32) -> u32 {
    return kinds[layer.kinds + corner.y + tile_group(g)];
}

fn layered_limits() -> vec3f {
    return vec3f(layer.terms, layer.least, layer.limit);
}

fn layered_store(g: u32, z: Parabola) {
    let piece = corner.x + invocation % PIECES;
    let group = corner.y + tile_group(g);
    if group < layer.groups {
        output[place(piece, 0u, layer.row, group)] = z.near;
        output[place(piece, 1u, layer.row, group)] = z.far;
        output[place(piece, 2u, layer.row, group)] = z.error_bound;
        output[place(piece, 3u, layer.row, group)] = z.middle;
        output[place(piece, 4u, layer.row, group)] = z.radius;
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    invocation = index;
    corner = group.xy * vec2u(PIECES, GROUPS);
    layered_tile(layer.rows);
}
