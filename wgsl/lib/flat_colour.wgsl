// The fragment of shapes whose vertices have a colour, not premultiplied.

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) colour: vec4f,
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    return vec4f(v.colour.rgb * v.colour.a, v.colour.a);
}
