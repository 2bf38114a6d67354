// Segments one pixel wide without depth, as the original's axes.
#import generated/bindings
#import lib/flat_colour
#import lib/thin_line

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) segment: u32) -> Varying {
    let s = items[segment];
    let a = frame.view_projection * node.world * vec4f(s.start.xyz, 1.0);
    let b = frame.view_projection * node.world * vec4f(s.end.xyz, 1.0);
    return Varying(thin_line(a, b, i), select(s.start_colour, s.end_colour, i >= 2u));
}
