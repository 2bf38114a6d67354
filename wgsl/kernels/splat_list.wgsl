// One dot, in the order of depth: which bins of 8 x 8 samples it touches; then an entry in the list of each.
#import generated/bindings
#import lib/dot_edge
#import lib/dot_image

// Samples.
const MARGIN: f32 = 0.0625;

@compute @workgroup_size(64)
fn count(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= view.count {
        return;
    }
    let d = textureLoad(dots, place_in_image(order[i]));
    // A little more than it covers: rounding must not leave out a dot that another part of the picture draws.
    let reach = d.z + edge_of(d.z) + MARGIN;
    let at = d.xy - view.offset;
    let last = vec2i(view.bins) - 1;
    let low = clamp(vec2i(floor((at - reach) / 8.0)), vec2i(0), last + 1);
    let high = clamp(vec2i(floor((at + reach) / 8.0)), vec2i(-1), last);
    let size = select(vec2u(0u), vec2u(high - low + 1), d.z > 0.0 && all(low <= high));
    counts[i] = size.x * size.y;
    spans[i] = vec2u(u32(low.y) * view.bins.x + u32(low.x), size.x);
}

@compute @workgroup_size(64)
fn enter(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= view.count {
        return;
    }
    let first = counts[i];
    let number = select(counts[i + 1u], view.entries, i + 1u == view.count) - first;
    if number == 0u {
        return;
    }
    let span = spans[i];
    let own = order[i];
    var across = 0u;
    var bin = span.x;
    for (var k = 0u; k < number; k++) {
        bins[first + k] = bin + across;
        list[first + k] = own;
        across++;
        if across == span.y {
            across = 0u;
            bin += view.bins.x;
        }
    }
}
