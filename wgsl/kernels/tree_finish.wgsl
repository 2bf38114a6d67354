// A tile of rows taken back to the inputs, for one box each member: the ranges of units there, or the output's planes.
#import generated/bindings
#import lib/finite
#import kernels/tree_rows

const ROWS = 4u;
const ULP = 1.1920929e-7;
// No number that is proven is larger.
const MOST = 1e30;

// Rows are those of the output.
override LAST: bool = false;

fn input_weights(k: u32, j: u32) -> vec3f {
    return textureLoad(weights, vec2u(4u * k + j, 0u)).xyz;
}

// What becomes of row p, whose coefficients at the inputs are a.
fn row_finish(p: u32, a: vec3f) {
    if units[p] == NO_ROW {
        return;
    }
    let box = octet * MEMBERS + member;
    let centre = boxes[2u * box].xyz;
    let side = boxes[2u * box + 1u].xyz;
    let own = row_sums(p);
    let size = dot(abs(a), abs(centre) + side);
    let pad = own.z * 1.001 + 1e-30;
    let low = own.x - pad - 2.0 * ULP * abs(own.x);
    let high = own.y + pad + 2.0 * ULP * abs(own.y);
    let middle = dot(a, centre);
    let wide = dot(abs(a), side) + 8.0 * ULP * (size + abs(own.x) + abs(own.y));
    let least = low + middle - wide;
    let most = high + middle + wide;
    if LAST {
        let sure = bad[box] == 0u && is_finite(least) && is_finite(most) && abs(least) < MOST && abs(most) < MOST;
        let plane = sure && is_finite(size) && is_finite(low) && is_finite(high);
        planes[2u * box] = select(vec4f(0.0, 0.0, 0.0, -3e38), vec4f(a, low), plane);
        planes[2u * box + 1u] = select(vec4f(3e38, -3e38, 3e38, 0.0), vec4f(high, least, most, 1.0), plane);
    } else {
        let at = ((octet * step.all_groups + step.first + units[p] / 4u) * MEMBERS + member) * 2u;
        let c = units[p] % 4u;
        ranges[4u * at + c] = max(ranges[4u * at + c], least);
        ranges[4u * at + 4u + c] = min(ranges[4u * at + 4u + c], most);
    }
}

@compute @workgroup_size(TILES * MEMBERS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    if !tile_begin(group.x, index) {
        return;
    }
    // Written out: software drivers index arrays slowly.
    var a0 = vec3f(0.0);
    var a1 = vec3f(0.0);
    var a2 = vec3f(0.0);
    var a3 = vec3f(0.0);
    for (var k = 0u; k < step.groups; k++) {
        rows_enter(k);
        let w = mat4x3f(input_weights(k, 0u), input_weights(k, 1u), input_weights(k, 2u), input_weights(k, 3u));
        a0 += w * rows_scaled(k, 0u);
        a1 += w * rows_scaled(k, 1u);
        a2 += w * rows_scaled(k, 2u);
        a3 += w * rows_scaled(k, 3u);
    }
    row_finish(0u, a0);
    row_finish(1u, a1);
    row_finish(2u, a2);
    row_finish(3u, a3);
}
