// Segments one pixel wide without depth, as the first original's axes.
#import generated/bindings

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) colour: vec4f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) segment: u32) -> Varying {
    let s = segments[segment];
    let p = select(s.start, s.end, i == 1u);
    let clip = frame.view_projection * node.world * vec4f(p.xyz, 1.0);
    return Varying(clip, select(s.start_colour, s.end_colour, i == 1u));
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    return vec4f(v.colour.rgb * v.colour.a, v.colour.a);
}
