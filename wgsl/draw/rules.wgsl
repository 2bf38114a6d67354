// Upright rectangles in whole pixels of the picture: the lines of a flat plot, sharp at every size.
#import generated/bindings
#import lib/flat_colour

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) instance: u32) -> Varying {
    let rule = items[instance];
    let corner = vec2f(select(rule.place.x, rule.place.z, (i & 1u) == 1u), select(rule.place.y, rule.place.w, i >= 2u));
    let at = (corner * frame.grid - frame.offset) / frame.tile;
    return Varying(vec4f(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), rule.colour);
}
