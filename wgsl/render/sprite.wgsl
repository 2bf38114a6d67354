// A picture of words or a legend, laid over the finished picture pixel by pixel.
#import generated/bindings
#import lib/srgb

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) texel: vec2f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32) -> Varying {
    let corner = vec2f(f32(i & 1u), f32(i >> 1u));
    let pixel = node.place.xy + corner * node.place.zw;
    let ndc = vec2f(pixel.x / node.tile.x * 2.0 - 1.0, 1.0 - pixel.y / node.tile.y * 2.0);
    return Varying(vec4f(ndc, 0.0, 1.0), corner * node.place.zw);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    let c = textureLoad(image, vec2i(v.texel), 0);
    let srgb = c.rgb / max(c.a, 1e-6);
    return vec4f(select(c.rgb, linear_of(srgb) * c.a, node.tile.z > 0.5), c.a);
}
