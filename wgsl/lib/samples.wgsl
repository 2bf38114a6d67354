// Where the samples of a grid's tile lie, in steps from the grid's middle: exact, for grids up to 2^22 samples a side.

// width: samples in a row of the tile; corner: where its sample 0 lies.
fn sample_place(i: u32, width: u32, corner: vec2f) -> vec2f {
    return corner + vec2f(f32(i % width), f32(i / width));
}
