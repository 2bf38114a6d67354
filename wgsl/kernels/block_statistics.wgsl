// Mean and standard deviation of a block's channels, of whole blocks, or of all blocks together, in three steps.
#import generated/bindings
#import lib/spread

// What the means are taken over: 0 a block, 1 a channel, 2 everything.
override OVER: u32 = 0u;

fn part_spread(at: u32, count: f32) -> Spread {
    return Spread(parts[at].mean, parts[at].deviation, count);
}

// How many of a group's numbers are in one of its parts: every so many-th, so that neighbours read neighbours.
fn part_count(part: u32, pixels: u32, count: u32) -> u32 {
    return (pixels + count - 1u - part) / count;
}

// A part of one group of four channels.
@compute @workgroup_size(64)
fn sum_parts(@builtin(global_invocation_id) id: vec3u) {
    let b = blocks[stage.block];
    let part = id.x;
    let group = id.y;
    if part >= b.parts || group >= b.rows {
        return;
    }
    var s = Spread(vec4f(0.0), vec4f(0.0), 0.0);
    for (var i = part; i < b.pixels; i += b.parts) {
        s = spread_with(s, values[b.first_value + group * b.pixels + i]);
    }
    parts[b.first_part + group * b.parts + part] = Statistics(s.mean, s.squares);
}

// A group: its parts one after another.
@compute @workgroup_size(64)
fn join_parts(@builtin(global_invocation_id) id: vec3u) {
    let b = blocks[stage.block];
    if id.x >= b.rows {
        return;
    }
    let first = b.first_part + id.x * b.parts;
    var s = part_spread(first, f32(part_count(0u, b.pixels, b.parts)));
    for (var part = 1u; part < b.parts; part++) {
        s = spread_of_both(s, part_spread(first + part, f32(part_count(part, b.pixels, b.parts))));
    }
    // Kept as squares: whole blocks need them.
    table[b.first_row + id.x] = Statistics(s.mean, s.squares);
}

// A block: its channels one after another, each as many numbers. Component x alone of a vec4f is in use.
@compute @workgroup_size(64)
fn join_channels(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= stage.blocks {
        return;
    }
    let b = blocks[id.x];
    var whole = Spread(vec4f(0.0), vec4f(0.0), 0.0);
    for (var row = 0u; row < b.rows; row++) {
        let found = table[b.first_row + row];
        // Components past the last channel hold zeros that are no neurons.
        for (var component = 0u; component < min(4u, b.channels - row * 4u); component++) {
            whole = spread_of_both(whole, Spread(vec4f(found.mean[component]), vec4f(found.deviation[component]), f32(b.pixels)));
        }
    }
    wholes[id.x] = Statistics(whole.mean, whole.squares);
}

// A row of the table: the means and deviations that normalise its four channels.
@compute @workgroup_size(64)
fn fill_table(@builtin(global_invocation_id) id: vec3u) {
    let row = id.x;
    if row >= stage.rows {
        return;
    }
    var own = 0u;
    var all = Spread(vec4f(0.0), vec4f(0.0), 0.0);
    for (var i = 0u; i < stage.blocks; i++) {
        let b = blocks[i];
        if b.first_row <= row {
            own = i;
        }
        all = spread_of_both(all, Spread(wholes[i].mean, wholes[i].deviation, f32(b.channels * b.pixels)));
    }
    let b = blocks[own];
    if OVER == 0u {
        all = Spread(wholes[own].mean, wholes[own].deviation, f32(b.channels * b.pixels));
    } else if OVER == 1u {
        all = Spread(table[row].mean, table[row].deviation, f32(b.pixels));
    }
    table[row] = Statistics(all.mean, sqrt(all.squares / all.count));
}
