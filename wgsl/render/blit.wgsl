// The finished picture onto a window's surface; a coarser one is enlarged by a cubic (Catmull and Rom 1974) that stays
// within the four texels around, so that it has neither blocks nor seams of light.
#import generated/bindings
#import lib/whole_tile
#import lib/srgb

fn at_texel(p: vec2f) -> vec3f {
    let size = vec2f(textureDimensions(image));
    return textureLoad(image, vec2i(clamp(p, vec2f(0.0), size - 1.0)), 0).rgb;
}

fn cubic(t: f32) -> vec4f {
    let s = t * t;
    let c = s * t;
    return vec4f(-0.5 * c + s - 0.5 * t, 1.5 * c - 2.5 * s + 1.0, -1.5 * c + 2.0 * s + 0.5 * t, 0.5 * c - 0.5 * s);
}

fn row_of(p: vec2f, w: vec4f) -> vec3f {
    return at_texel(p - vec2f(1.0, 0.0)) * w.x + at_texel(p) * w.y + at_texel(p + vec2f(1.0, 0.0)) * w.z
        + at_texel(p + vec2f(2.0, 0.0)) * w.w;
}

fn enlarged(texel: vec2f) -> vec3f {
    let low = floor(texel);
    let part = texel - low;
    let a = at_texel(low);
    let b = at_texel(low + vec2f(1.0, 0.0));
    let c = at_texel(low + vec2f(0.0, 1.0));
    let d = at_texel(low + vec2f(1.0, 1.0));
    let least = min(min(a, b), min(c, d));
    let most = max(max(a, b), max(c, d));
    // Where the four hardly differ, as in a background, their mean does.
    if all(most - least < vec3f(0.04)) {
        return mix(mix(a, b, part.x), mix(c, d, part.x), part.y);
    }
    let across = cubic(part.x);
    let down = cubic(part.y);
    let sum = row_of(low - vec2f(0.0, 1.0), across) * down.x + row_of(low, across) * down.y
        + row_of(low + vec2f(0.0, 1.0), across) * down.z + row_of(low + vec2f(0.0, 2.0), across) * down.w;
    return clamp(sum, least, most);
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let size = vec2f(textureDimensions(image));
    var colour: vec3f;
    if all(size == node.place.zw) {
        colour = textureLoad(image, vec2i(at.xy - node.place.xy), 0).rgb;
    } else {
        colour = enlarged((at.xy - node.place.xy) / node.place.zw * size - 0.5);
    }
    if node.tile.z > 0.5 {
        colour = linear_of(colour);
    }
    return vec4f(colour, 1.0);
}
