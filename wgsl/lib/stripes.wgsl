// The colour where the picture is undecided: fine grey stripes that no surface has.

fn stripes(pixel: vec2u) -> vec3f {
    return vec3f(0.45 + f32((pixel.x + pixel.y) / 2u % 2u) * 0.15);
}
