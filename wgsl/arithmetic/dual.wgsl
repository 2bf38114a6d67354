// Arithmetic over dual numbers: four neurons' responses at one point with their derivatives along three inputs.
#import arithmetic/plain

struct Dual {
    value: vec4f,
    x: vec4f,
    y: vec4f,
    z: vec4f,
}

fn dual_start(bias: vec4f) -> Dual {
    return Dual(bias, vec4f(0.0), vec4f(0.0), vec4f(0.0));
}

// z + m h
fn dual_add(z: Dual, m: mat4x4f, h: Dual) -> Dual {
    return Dual(plain_add(z.value, m, h.value), plain_add(z.x, m, h.x), plain_add(z.y, m, h.y), plain_add(z.z, m, h.z));
}

// z + m p for the block of inputs that holds those derived by: they are its columns from `first` on.
fn dual_enter(z: Dual, m: mat4x4f, p: vec4f, first: i32) -> Dual {
    let value = plain_add(z.value, m, p);
    if first == 0 {
        return Dual(value, z.x + m[0], z.y + m[1], z.z + m[2]);
    }
    let column = vec4i(0, 1, 2, 3) - first;
    return Dual(
        value,
        z.x + m * vec4f(column == vec4i(0)),
        z.y + m * vec4f(column == vec4i(1)),
        z.z + m * vec4f(column == vec4i(2)),
    );
}

// The chain rule: s(z) from s and s' at z's value.
fn dual_chain(z: Dual, value: vec4f, slope: vec4f) -> Dual {
    return Dual(value, slope * z.x, slope * z.y, slope * z.z);
}

// Softmax's derivative p (dz - sum of p dz), from its value p and that sum; and that of its logarithm.
fn dual_softmax(z: Dual, p: vec4f, mean: vec3f) -> Dual {
    return Dual(p, p * (z.x - mean.x), p * (z.y - mean.y), p * (z.z - mean.z));
}

fn dual_log_softmax(z: Dual, value: vec4f, mean: vec3f) -> Dual {
    return Dual(value, z.x - mean.x, z.y - mean.y, z.z - mean.z);
}

fn dual_product(z: Dual, a: f32) -> Dual {
    let v = z.value;
    return Dual(plain_product(v, a), product_change(v, z.x), product_change(v, z.y), product_change(v, z.z));
}

fn dual_select(p: Dual, q: Dual, mask: vec4<bool>) -> Dual {
    return Dual(select(p.value, q.value, mask), select(p.x, q.x, mask), select(p.y, q.y, mask), select(p.z, q.z, mask));
}
