// A neuron as a square that faces the camera, round by its fragments' opacity; as `splat_project` has its place and paint.
#import generated/bindings
#import lib/dot

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) away: vec2f,
    @location(1) radius: f32,
    @location(2) colour: vec4f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) number: u32) -> Varying {
    let d = dot_of(number);
    let reach = d.radius + edge_of(d.radius);
    let away = (vec2f(f32(i & 1u), f32(i >> 1u)) * 2.0 - 1.0) * reach;
    let at = (d.at + away) / view.size * vec2f(2.0, -2.0) + vec2f(-1.0, 1.0);
    let tone = unpack2x16float(neurons[number].look.y).x;
    let entry = u32(select(tone * 63.0, 64.0 + (tone - 2.0) * 63.0, tone > 1.5));
    // A square of no size where nothing is drawn.
    return Varying(vec4f(select(vec2f(2.0), at, d.opacity > 0.0), d.depth_map, 1.0), away, d.radius,
        vec4f(palette[entry].rgb, d.opacity));
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    let edge = edge_of(v.radius);
    let alpha = clamp((v.radius + edge - length(v.away)) / (2.0 * edge), 0.0, 1.0) * v.colour.a;
    return vec4f(v.colour.rgb * alpha, alpha);
}
