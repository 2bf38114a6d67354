// Rays through the samples of a picture, and depth as distance along them. Needs `frame`.

struct Ray {
    origin: vec3f,
    direction: vec3f,
}

// The ray through the centre of a sample of the whole picture, row 0 on top.
fn sample_ray(at: vec2f) -> Ray {
    let x = (at.x + 0.5) / frame.size.x * 2.0 - 1.0;
    let y = 1.0 - (at.y + 0.5) / frame.size.y * 2.0;
    let offset = frame.right.xyz * x + frame.upward.xyz * y;
    if frame.forward.w > 0.5 {
        return Ray(frame.eye.xyz + offset, frame.forward.xyz);
    }
    return Ray(frame.eye.xyz, normalize(frame.forward.xyz + offset));
}

// World units a sample covers at a distance along its ray.
fn sample_width(distance: f32) -> f32 {
    let height = 2.0 * length(frame.upward.xyz) / frame.size.y;
    return select(height * distance, height, frame.forward.w > 0.5);
}

// Distance along a ray of this direction where the depth buffer holds `depth`.
fn depth_distance(depth: f32, direction: vec3f) -> f32 {
    let n = frame.near;
    let f = frame.far;
    if frame.forward.w > 0.5 {
        return n + depth * (f - n);
    }
    return n * f / (f - depth * (f - n)) / dot(direction, frame.forward.xyz);
}
