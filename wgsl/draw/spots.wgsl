// Dots as discs with an outline that face the camera, a constant width in pixels, their edges smooth.
#import generated/bindings

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) @interpolate(flat) dot: u32,
    @location(1) from_middle: vec2f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) dot: u32) -> Varying {
    let place = items[dot].place;
    let clip = frame.view_projection * node.world * vec4f(place.xyz, 1.0);
    let corner = vec2f(f32(i & 1u), f32(i >> 1u)) * 2.0 - 1.0;
    // A sample more, for the edge.
    let reach = node.half * frame.scale * frame.grid + 1.0;
    let inside = all(place.xy >= node.clip.xy) && all(place.xy <= node.clip.zw);
    let shown = select(0.0, 1.0, inside);
    return Varying(clip + vec4f(corner * reach * shown / (frame.tile * 0.5) * clip.w, 0.0, 0.0), dot, corner * reach);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    let pixel = frame.scale * frame.grid;
    let far = length(v.from_middle);
    let covered = clamp(node.half * pixel + 0.5 - far, 0.0, 1.0);
    let fill = clamp((node.half - node.rim) * pixel + 0.5 - far, 0.0, 1.0);
    let colour = mix(items[v.dot].edge.rgb, items[v.dot].colour.rgb, fill);
    return vec4f(colour * covered, covered);
}
