// Upright rectangles in whole pixels of the picture: the lines of a flat plot, sharp at every size.
#import generated/bindings

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) colour: vec4f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) instance: u32) -> Varying {
    let rule = rules[instance];
    let corner = vec2f(select(rule.place.x, rule.place.z, (i & 1u) == 1u), select(rule.place.y, rule.place.w, i >= 2u));
    let at = (corner * frame.grid - frame.offset) / frame.tile;
    return Varying(vec4f(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), rule.colour);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    return vec4f(v.colour.rgb * v.colour.a, v.colour.a);
}
