// A product's tile in workgroup memory, 128 points by 64 outputs, four blocks of inputs at once; 8 by 8 an invocation.

const SLAB = 4u;
const SLAB_POINTS = 128u;
const SLAB_GROUPS = 16u;

var<workgroup> slab_responses: array<vec4f, 512>;
var<workgroup> slab_weights: array<vec4f, 256>;

// The invocation's number in its workgroup; the first point and group of outputs of the tile.
var<private> invocation: u32;
var<private> corner: vec2u;

// Points of an invocation are 16 apart and its groups 8: neighbours read neighbouring memory, without bank conflicts.
fn tile_point(p: u32) -> u32 {
    return invocation / 8u + 16u * p;
}

fn tile_group(g: u32) -> u32 {
    return invocation % 8u + 8u * g;
}

fn product_response(k: u32, p: u32) -> vec4f {
    return slab_responses[k * SLAB_POINTS + tile_point(p)];
}

fn product_weights(k: u32, g: u32, j: u32) -> vec4f {
    return slab_weights[(4u * k + j) * SLAB_GROUPS + tile_group(g)];
}

// Where rows of `row` groups hold the bias of a group of the tile, after so many slabs; and the invocation's weights of slab s.
fn bias_place(slabs: u32, row: u32, g: u32) -> u32 {
    return 4u * SLAB * slabs * row + corner.y + tile_group(g);
}

fn weights_place(s: u32, row: u32) -> u32 {
    return (4u * SLAB * s + invocation / SLAB_GROUPS) * row + corner.y + invocation % SLAB_GROUPS;
}
