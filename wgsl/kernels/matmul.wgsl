// A product of matrices, many side by side: 32 x 32 of its numbers a workgroup, 4 x 4 an invocation.
#import generated/bindings

const TILE = 32u;
const SLAB = 16u;

// 16 columns of 32 rows of the left matrix, and 16 rows of 32 columns of the right one.
var<workgroup> lefts: array<vec4f, 128>;
var<workgroup> rights: array<vec4f, 128>;

// Four numbers of a matrix: down its rows, or along one.
fn four(row: u32, column: u32, first: u32) -> vec4f {
    var found = vec4f(0.0);
    for (var i = 0u; i < 4u; i++) {
        if row + i < product.rows && column < product.length {
            found[i] = left[first + (row + i) * product.length + column];
        }
    }
    return found;
}

fn four_right(row: u32, column: u32, first: u32) -> vec4f {
    var found = vec4f(0.0);
    for (var i = 0u; i < 4u; i++) {
        if row < product.length && column + i < product.columns {
            found[i] = right[first + row * product.columns + column + i];
        }
    }
    return found;
}

fn store(row: u32, column: u32, first: u32, value: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        if row < product.rows && column + i < product.columns {
            output[first + row * product.columns + column + i] = value[i];
        }
    }
}

// Nothing returns early: all wait for each other.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    var rest = group.z;
    var matrix = vec2u(0u);
    for (var k = 0u; k < 4u; k++) {
        matrix += rest % product.batch[k].x * product.batch[k].yz;
        rest /= product.batch[k].x;
    }
    let first_left = product.firsts.x + matrix.x * product.rows * product.length;
    let first_right = product.firsts.y + matrix.y * product.length * product.columns;
    let row = group.y * TILE;
    let column = group.x * TILE;
    let down = index / 8u;
    let across = index % 8u;
    var a = vec4f(0.0);
    var b = vec4f(0.0);
    var c = vec4f(0.0);
    var d = vec4f(0.0);
    // llvmpipe ends loops after 65,535 iterations, all summed.
    for (var slab = 0u; slab < min(product.slabs, 1638u); slab++) {
        workgroupBarrier();
        // Two groups of four of each: of column `at % 16` on the left, of row `at / 8` on the right.
        for (var half = 0u; half < 2u; half++) {
            let at = index + 64u * half;
            lefts[at % SLAB * 8u + at / SLAB] = four(row + 4u * (at / SLAB), slab * SLAB + at % SLAB, first_left);
            rights[at] = four_right(slab * SLAB + at / 8u, column + 4u * (at % 8u), first_right);
        }
        workgroupBarrier();
        for (var k = 0u; k < SLAB; k++) {
            let x = lefts[k * 8u + down];
            let y = rights[k * 8u + across];
            a = fma(vec4f(x.x), y, a);
            b = fma(vec4f(x.y), y, b);
            c = fma(vec4f(x.z), y, c);
            d = fma(vec4f(x.w), y, d);
        }
    }
    let first = product.firsts.z + group.z * product.rows * product.columns;
    store(row + 4u * down, column + 4u * across, first, a);
    store(row + 4u * down + 1u, column + 4u * across, first, b);
    store(row + 4u * down + 2u, column + 4u * across, first, c);
    store(row + 4u * down + 3u, column + 4u * across, first, d);
}
