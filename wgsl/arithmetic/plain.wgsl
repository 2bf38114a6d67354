// Arithmetic over plain numbers: four neurons' responses at one point.

fn plain_start(bias: vec4f) -> vec4f {
    return bias;
}

// z + m h, as multiply-adds: on software drivers twice as fast as the matrix product.
fn plain_add(z: vec4f, m: mat4x4f, h: vec4f) -> vec4f {
    return fma(m[3], h.wwww, fma(m[2], h.zzzz, fma(m[1], h.yyyy, fma(m[0], h.xxxx, z))));
}

fn plain_enter(z: vec4f, m: mat4x4f, x: vec4f) -> vec4f {
    return plain_add(z, m, x);
}

// Which neurons of a group are the first of a pair, whose product it becomes; the second is carried on.
const FIRSTS = vec4<bool>(true, false, true, false);

fn plain_product(z: vec4f, a: f32) -> vec4f {
    return select(z, z * z.yyww, FIRSTS);
}

// What product changes by, where z changes by d.
fn product_change(z: vec4f, d: vec4f) -> vec4f {
    return select(d, fma(z, d.yyww, z.yyww * d), FIRSTS);
}
