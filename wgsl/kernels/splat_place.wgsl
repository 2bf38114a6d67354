// One neuron: its dot and colour in the whole picture, and its depth as a key to be sorted by.
#import generated/bindings
#import lib/dot

fn colour_of(tone: f32) -> vec3f {
    // Two ramps of 64: up to 1, and from 2 on.
    let first = select(0.0, 64.0, tone > 1.5);
    let at = clamp(select(tone, tone - 2.0, tone > 1.5), 0.0, 1.0) * 63.0;
    let low = min(floor(at), 62.0);
    return mix(palette[u32(first + low)].rgb, palette[u32(first + low) + 1u].rgb, at - low);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= view.count {
        return;
    }
    let slot = view.slot + i;
    let d = dot_of(view.first + i);
    // Without a radius nothing is drawn.
    dots[slot] = vec4f(d.at, select(0.0, d.radius, d.opacity > 0.0), d.depth_map);
    let own = colour_of(unpack2x16float(neurons[view.first + i].look.y).x);
    let extent = factors[2u * neurons[view.first + i].block + 1u];
    let colour = mix(own, view.shade.rgb, view.shade.w * clamp((d.depth - extent.z) * extent.w, 0.0, 1.0));
    colours[slot] = vec2u(pack2x16float(colour.rg), pack2x16float(vec2f(colour.b, d.opacity)));
    keys[slot] = depth_key(d.depth);
    order[slot] = slot;
}
