// The finished picture onto a window's surface.
#import generated/bindings
#import lib/whole_tile
#import lib/srgb

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let size = vec2f(textureDimensions(image));
    // A coarse picture is spread over the viewport by its nearest texels' mean: cheap, and never blocky.
    let texel = (at.xy - node.place.xy) / node.place.zw * size - 0.5;
    let low = clamp(floor(texel), vec2f(0.0), size - 1.0);
    let high = clamp(low + 1.0, vec2f(0.0), size - 1.0);
    let part = clamp(texel - low, vec2f(0.0), vec2f(1.0));
    let top = mix(textureLoad(image, vec2i(low), 0), textureLoad(image, vec2i(vec2f(high.x, low.y)), 0), part.x);
    let bottom = mix(textureLoad(image, vec2i(vec2f(low.x, high.y)), 0), textureLoad(image, vec2i(high), 0), part.x);
    let colour = mix(top, bottom, part.y).rgb;
    return vec4f(select(colour, linear_of(colour), node.tile.z > 0.5), 1.0);
}
