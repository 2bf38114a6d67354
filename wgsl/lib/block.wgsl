// Where an invocation stands in the 8 x 8 places of its workgroup.

// Eight lanes run together on software drivers, so they take a block of 4 x 2: neighbours take much the same time.
fn place_in_group(lane: u32) -> vec2u {
    return vec2u((lane & 3u) | ((lane >> 1u) & 4u), ((lane >> 2u) & 1u) | ((lane >> 3u) & 6u));
}
