// Arithmetic over four points at once: each weight is loaded once for all of them.
#import arithmetic/plain

struct Four {
    a: vec4f,
    b: vec4f,
    c: vec4f,
    d: vec4f,
}

fn four_start(bias: vec4f) -> Four {
    return Four(bias, bias, bias, bias);
}

// z + m h
fn four_add(z: Four, m: mat4x4f, h: Four) -> Four {
    return Four(plain_add(z.a, m, h.a), plain_add(z.b, m, h.b), plain_add(z.c, m, h.c), plain_add(z.d, m, h.d));
}

fn four_enter(z: Four, m: mat4x4f, a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> Four {
    return four_add(z, m, Four(a, b, c, d));
}
