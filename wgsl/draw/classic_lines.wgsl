// Segments one pixel wide without depth, as the first original's axes.
#import generated/bindings
#import lib/thin_line

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) colour: vec4f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) segment: u32) -> Varying {
    let s = segments[segment];
    let a = frame.view_projection * node.world * vec4f(s.start.xyz, 1.0);
    let b = frame.view_projection * node.world * vec4f(s.end.xyz, 1.0);
    return Varying(thin_line(a, b, i), select(s.start_colour, s.end_colour, i >= 2u));
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    return vec4f(v.colour.rgb * v.colour.a, v.colour.a);
}
