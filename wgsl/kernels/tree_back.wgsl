// A tile of rows taken back through a layer to the responses of the layer before, for one box each member.
#import generated/bindings
#import generated/rows
#import kernels/tree_rows

// Groups of units of a row of the image of weights.
const ROW_GROUPS = 256u;

var<private> column: u32;
var<private> staged_corner: u32;
var<private> is_stored: bool;

fn rows_weights(k: u32, g: u32, j: u32) -> vec4f {
    let row = column * step.rows + k / ROW_GROUPS;
    return textureLoad(weights, vec2u(((k % ROW_GROUPS) * 4u + j) * GROUPS + g, row));
}

fn rows_store(p: u32, g: u32, value: vec4f) {
    let group = column * GROUPS + g;
    if is_stored && group < step.outputs {
        staged[staged_corner + (p * step.outputs_across * step.outputs + group) * MEMBERS] = value;
    }
}

fn sums_store(p: u32) {
    sums[(tile * ROWS + p) * MEMBERS + member] = vec4f(row_sums(p), 0.0);
}

@compute @workgroup_size(TILES * MEMBERS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    // Whole workgroups alone end here: the others load weights for each other, so all of their invocations go on.
    if group.x * TILES >= tiles[0].x {
        return;
    }
    is_stored = tile_begin(group.x, index);
    column = group.y + select(1u, 0u, SUMS);
    let corner = forms_begin(step.outputs, step.outputs_across);
    staged_corner = corner.y * step.outputs_across * step.outputs * MEMBERS + corner.x;
    rows_product(step.groups);
    if SUMS && is_stored {
        // Written out: software drivers index arrays slowly.
        sums_store(0u);
        sums_store(1u);
        sums_store(2u);
        sums_store(3u);
    }
}
