// Where an invocation stands in the 8 x 8 places of its workgroup, and back.

// Eight invocations run together on software drivers, so they take a block of 4 x 2: neighbours need similar times.
fn place_in_group(invocation: u32) -> vec2u {
    return vec2u((invocation & 3u) | ((invocation >> 1u) & 4u), ((invocation >> 2u) & 1u) | ((invocation >> 3u) & 6u));
}

// The number of a place, workgroup after workgroup, of which `across` are in a row.
fn number_of_place(at: vec2u, across: u32) -> u32 {
    let group = at / 8u;
    let p = at % 8u;
    let invocation = (p.x & 3u) | ((p.y & 1u) << 2u) | ((p.x & 4u) << 1u) | ((p.y & 6u) << 3u);
    return 64u * (group.y * across + group.x) + invocation;
}
