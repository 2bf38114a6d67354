// Arithmetic in a plane: four neurons' sums or responses at a sample with their derivatives along x and y.
#import arithmetic/plain

struct Plane {
    v: vec4f,
    x: vec4f,
    y: vec4f,
}

// z + m h
fn plane_add(z: Plane, m: mat4x4f, h: Plane) -> Plane {
    return Plane(plain_add(z.v, m, h.v), plain_add(z.x, m, h.x), plain_add(z.y, m, h.y));
}

fn plane_product(z: Plane) -> Plane {
    return Plane(plain_product(z.v, 0.0), product_change(z.v, z.x), product_change(z.v, z.y));
}

fn plane_select(p: Plane, q: Plane, mask: vec4<bool>) -> Plane {
    return Plane(select(p.v, q.v, mask), select(p.x, q.x, mask), select(p.y, q.y, mask));
}

// Which of four neurons, by their numbers, are from low on and before high.
fn units_between(units: vec4u, low: u32, high: u32) -> vec4<bool> {
    return (units >= vec4u(low)) & (units < vec4u(high));
}
