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
