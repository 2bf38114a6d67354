// One neuron: its dot and paint, which squares of 8 x 8 samples it touches; then an entry in the list of each.
#import generated/bindings
#import lib/dot

// Samples.
const MARGIN: f32 = 0.0625;

// The squares from (x, y) to (z, w), both included; none where z < x.
fn squares_of(d: Dot) -> vec4i {
    // A little more than it covers: rounding may not leave out what another part of the picture draws.
    let reach = d.radius + edge_of(d.radius) + MARGIN;
    let at = d.at - view.offset;
    let low = max(vec2i(floor((at - reach) / 8.0)), vec2i(0));
    let high = min(vec2i(floor((at + reach) / 8.0)), vec2i(view.squares) - 1);
    return select(vec4i(0, 0, -1, -1), vec4i(low, high), d.opacity > 0.0 && all(low <= high));
}

fn paint_of(tone: f32) -> vec3f {
    // Two ramps of 64: up to 1, and from 2 on.
    let first = select(0.0, 64.0, tone > 1.5);
    let at = clamp(select(tone, tone - 2.0, tone > 1.5), 0.0, 1.0) * 63.0;
    let low = min(floor(at), 62.0);
    return mix(palette[u32(first + low)].rgb, palette[u32(first + low) + 1u].rgb, at - low);
}

@compute @workgroup_size(64)
fn project(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= view.count {
        return;
    }
    let slot = view.slot + i;
    let d = dot_of(view.first + i);
    let s = squares_of(d);
    counts[slot] = u32((s.z - s.x + 1) * (s.w - s.y + 1));
    if s.z < s.x {
        counts[slot] = 0u;
        return;
    }
    dots[slot] = vec4f(d.at, d.radius, d.depth_map);
    let colour = paint_of(unpack2x16float(neurons[view.first + i].look.y).x);
    paints[slot] = vec2u(pack2x16float(colour.rg), pack2x16float(vec2f(colour.b, d.opacity)));
    let square = u32(s.y) * view.squares.x + u32(s.x);
    spans[slot] = vec2u((square << view.depth_bits) | depth_key(d.depth), u32(s.z - s.x + 1));
}

@compute @workgroup_size(64)
fn enter(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let slot = id.x + id.y * groups.x * 64u;
    if slot >= view.count {
        return;
    }
    let first = counts[slot];
    let number = select(counts[slot + 1u], view.entries, slot + 1u == view.count) - first;
    if number == 0u {
        return;
    }
    let span = spans[slot];
    var across = 0u;
    var down = 0u;
    for (var k = 0u; k < number; k++) {
        keys[first + k] = span.x + ((down * view.squares.x + across) << view.depth_bits);
        order[first + k] = slot;
        across++;
        if across == span.y {
            across = 0u;
            down++;
        }
    }
}
