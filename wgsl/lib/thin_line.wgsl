// Lines one pixel wide, the same on every adapter: in each column (row, if the line is steeper) the pixel it passes.

// The clip place of corner i of the parallelogram that covers just those pixels' centres. Needs `frame`.
fn thin_line(a: vec4f, b: vec4f, i: u32) -> vec4f {
    let at = select(a, b, i >= 2u);
    if a.w < 1e-4 || b.w < 1e-4 {
        return vec4f(0.0, 0.0, 2.0, 1.0);
    }
    let along = abs((b.xy / b.w - a.xy / a.w) * frame.tile);
    let across = select(vec2f(0.0, 1.0), vec2f(1.0, 0.0), along.y > along.x);
    let left = f32(i & 1u) * 2.0 - 1.0;
    // Half a sample to either side; clip space is two units wide.
    return at + vec4f(across * left / frame.tile * at.w, 0.0, 0.0);
}
