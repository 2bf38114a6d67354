// A product of matrices, many side by side: an invocation computes 4 x 8 numbers by itself, as software drivers like it.
#import generated/bindings

fn store(row: u32, column: u32, first: u32, value: vec4f) {
    for (var i = 0u; i < 4u; i++) {
        if row < product.rows && column + i < product.columns {
            output[first + row * product.columns + column + i] = value[i];
        }
    }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    var rest = id.z;
    var matrix = vec2u(0u);
    for (var k = 0u; k < 4u; k++) {
        matrix += rest % product.batch[k].x * product.batch[k].yz;
        rest /= product.batch[k].x;
    }
    let row = 4u * id.y;
    let column = 8u * id.x;
    if row >= product.rows || column >= product.columns {
        return;
    }
    let first_left = product.firsts.x + matrix.x * product.rows * product.length;
    let first_right = product.firsts.y + matrix.y * product.length * product.columns;
    // Past the last row and column the last again; what is computed there is not stored.
    let rows = first_left + min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(product.rows - 1u)) * product.length;
    let near = min(vec4u(column) + vec4u(0u, 1u, 2u, 3u), vec4u(product.columns - 1u));
    let far = min(vec4u(column) + vec4u(4u, 5u, 6u, 7u), vec4u(product.columns - 1u));
    var a = vec4f(0.0);
    var b = vec4f(0.0);
    var c = vec4f(0.0);
    var d = vec4f(0.0);
    var e = vec4f(0.0);
    var f = vec4f(0.0);
    var g = vec4f(0.0);
    var h = vec4f(0.0);
    // llvmpipe ends loops after 65,535 iterations.
    for (var k = 0u; k < min(product.length, 65000u); k++) {
        let at = first_right + k * product.columns;
        let y = vec4f(right[at + near.x], right[at + near.y], right[at + near.z], right[at + near.w]);
        let z = vec4f(right[at + far.x], right[at + far.y], right[at + far.z], right[at + far.w]);
        let p = vec4f(left[rows.x + k]);
        let q = vec4f(left[rows.y + k]);
        let r = vec4f(left[rows.z + k]);
        let s = vec4f(left[rows.w + k]);
        a = fma(p, y, a);
        b = fma(q, y, b);
        c = fma(r, y, c);
        d = fma(s, y, d);
        e = fma(p, z, e);
        f = fma(q, z, f);
        g = fma(r, z, g);
        h = fma(s, z, h);
    }
    let first = product.firsts.z + id.z * product.rows * product.columns;
    store(row, column, first, a);
    store(row + 1u, column, first, b);
    store(row + 2u, column, first, c);
    store(row + 3u, column, first, d);
    store(row, column + 4u, first, e);
    store(row + 1u, column + 4u, first, f);
    store(row + 2u, column + 4u, first, g);
    store(row + 3u, column + 4u, first, h);
}
