// Where the output may be at a point of a piece of a ray, from what bounds the piece.
// Needs `upper_bound` and `bounds_mirrored` of the arithmetic that bounds it.

// near, far: the value at each end and a bound of its rounding; x from 0 to 1.
fn between(near: vec2f, far: vec2f, b: Bounds, x: f32) -> vec2f {
    let rise = far.x - near.x;
    // The bounds are of the real network, so they begin at what it may really be at both ends.
    let drift = far.y - near.y;
    let most = near.x + near.y + upper_bound(b, rise + drift, x);
    let least = near.x - near.y - upper_bound(bounds_mirrored(b), drift - rise, x);
    let slack = 16.0 * ULP * (abs(near.x) + abs(far.x) + abs(least) + abs(most));
    return vec2f(least - slack, most + slack);
}
