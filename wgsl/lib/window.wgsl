// Where a window that slides over an array of channels reads: the row, column and block of channels of its element k.

// A window is gone through tap by tap, row by row, each tap block by block.
fn window_tap(k: u32, blocks: u32, columns: u32) -> vec3u {
    // Quotients by way of floats are exact up to 2^20; whole numbers are divided one by one on processors.
    let tap = u32((f32(k) + 0.5) / f32(blocks));
    let row = u32((f32(tap) + 0.5) / f32(columns));
    return vec3u(row, tap - row * columns, k - tap * blocks);
}

// Which of the four channels of group g exist, of so many channels.
fn window_used(g: u32, channels: u32) -> vec4<bool> {
    return vec4u(4u * g) + vec4u(0u, 1u, 2u, 3u) < vec4u(channels);
}
