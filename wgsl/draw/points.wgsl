// Points as round discs that face the camera, a constant width in pixels.
#import generated/bindings

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) colour: vec4f,
    @location(1) corner: vec2f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) point: u32) -> Varying {
    let p = items[point];
    let clip = frame.view_projection * node.world * vec4f(p.place.xyz, 1.0);
    let corner = vec2f(f32(i & 1u), f32(i >> 1u)) * 2.0 - 1.0;
    let half_width = p.place.w * frame.scale * frame.grid * 0.5;
    return Varying(clip + vec4f(corner * half_width / (frame.tile * 0.5) * clip.w, 0.0, 0.0), p.colour, corner);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    if dot(v.corner, v.corner) > 1.0 {
        discard;
    }
    return vec4f(v.colour.rgb * v.colour.a, v.colour.a);
}
