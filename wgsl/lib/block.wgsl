// Where an invocation stands in the 8 x 8 places of its workgroup.

// Eight invocations run together on software drivers, so they take a block of 4 x 2: neighbours need similar times.
fn place_in_group(invocation: u32) -> vec2u {
    return vec2u((invocation & 3u) | ((invocation >> 1u) & 4u), ((invocation >> 2u) & 1u) | ((invocation >> 3u) & 6u));
}
