// The studio's light on a surface: a soft key light from over the viewer's left shoulder. Needs `frame`.

struct Light {
    diffuse: f32, // 0.22 in the deepest shade to 1.2
    sheen: f32, // 0 to 1
}

// normal of length 1 towards the viewer; direction of the line of sight, length 1.
fn studio_light(normal: vec3f, direction: vec3f) -> Light {
    let key = normalize(-frame.forward.xyz * 0.75 + normalize(frame.upward.xyz) * 0.8 - normalize(frame.right.xyz) * 0.45);
    // Wrapped round the form.
    let wrap = 0.5 + 0.5 * dot(normal, key);
    let bend = normalize(key - direction);
    return Light(0.22 + 0.98 * wrap * wrap, pow(clamp(dot(normal, bend), 0.0, 1.0), 28.0));
}
