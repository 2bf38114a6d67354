// The original's sparks: lines one pixel wide, each drawn twice, added without depth.
#import generated/bindings
#import lib/exponential
#import lib/thin_line

override PAPER: bool = false;  // drawn over white

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) local: vec3f,
    @location(1) value: f32,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) segment: u32) -> Varying {
    let per_spark = u32(sparks.vertices) - 1u;
    let at = segment / per_spark * (per_spark + 1u) + segment % per_spark;
    let start = vertices[at];
    let end = vertices[at + 1u];
    // Outside the ball nothing of it is seen; a segment bulges inwards by far less than this.
    let outside = sparks.region.x * sparks.region.x * 1.01;
    if dot(start.xyz, start.xyz) > outside && dot(end.xyz, end.xyz) > outside {
        return Varying(vec4f(0.0, 0.0, 2.0, 1.0), vec3f(0.0), 0.0);
    }
    let a = frame.view_projection * sparks.world * vec4f(start.xyz, 1.0);
    let b = frame.view_projection * sparks.world * vec4f(end.xyz, 1.0);
    let p = select(start, end, i >= 2u);
    return Varying(thin_line(a, b, i), p.xyz, p.w);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    if dot(v.local, v.local) > sparks.region.x * sparks.region.x {
        discard;
    }
    let alpha = 0.4 * safe_exp_one(-7.0 * fract(sparks.level - v.value));
    let colour = clamp(vec3f(0.5 + v.value / 10.0, 0.25 - v.value / 10.0, 0.5 - v.value / 4.0), vec3f(0.0), vec3f(1.0));
    return vec4f(2.0 * colour * alpha, select(0.0, 2.0 * alpha, PAPER));
}
