// Where placed dots lie in their images, which software drivers load several times faster than arrays.

// Texels in a row.
const ROW: u32 = 8192u;

fn place_in_image(i: u32) -> vec2u {
    return vec2u(i % ROW, i / ROW);
}
