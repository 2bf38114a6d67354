// One digit's pass of a stable sort of keys with values: each invocation counts, then moves, a stretch of neighbours.
#import generated/bindings

const DIGITS: u32 = 256u;

fn digit_of(key: u32) -> u32 {
    return (key >> pass_now.shift) & (DIGITS - 1u);
}

// Counters stand digit by digit, within one stretch by stretch: their prefix sums are where each stretch's keys of a
// digit go, so equal digits keep their order and nothing depends on who comes first.
@compute @workgroup_size(64)
fn count(@builtin(global_invocation_id) id: vec3u) {
    let stretch = id.x;
    if stretch >= pass_now.stretches {
        return;
    }
    for (var digit = 0u; digit < DIGITS; digit++) {
        counters[digit * pass_now.stretches + stretch] = 0u;
    }
    let end = min((stretch + 1u) * pass_now.length, pass_now.count);
    for (var i = stretch * pass_now.length; i < end; i++) {
        counters[digit_of(keys[i]) * pass_now.stretches + stretch] += 1u;
    }
}

@compute @workgroup_size(64)
fn move_keys(@builtin(global_invocation_id) id: vec3u) {
    let stretch = id.x;
    if stretch >= pass_now.stretches {
        return;
    }
    let end = min((stretch + 1u) * pass_now.length, pass_now.count);
    for (var i = stretch * pass_now.length; i < end; i++) {
        let key = keys[i];
        let at = digit_of(key) * pass_now.stretches + stretch;
        let place = counters[at];
        counters[at] = place + 1u;
        sorted_keys[place] = key;
        sorted_values[place] = values[i];
    }
}
