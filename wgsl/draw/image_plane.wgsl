// An image on a rectangle in space, each of its pixels an even square.
#import generated/bindings
#import lib/srgb

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) place: vec2f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32) -> Varying {
    let place = vec2f(f32(i & 1u), f32(i >> 1u));
    let p = vec4f(node.corner.xyz + node.right.xyz * place.x + node.down.xyz * place.y, 1.0);
    return Varying(frame.view_projection * node.world * p, place);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    let size = vec2f(textureDimensions(image));
    let texel = textureLoad(image, vec2u(clamp(v.place * size, vec2f(0.0), size - 1.0)), 0);
    return vec4f(linear_of(texel.rgb) * node.opacity, node.opacity);
}
