// One sample of a field as a colour: three outputs as red, green and blue, or one through a map.
#import generated/bindings
#import lib/whole_tile
#import lib/finite
#import lib/palette
#import lib/srgb

override MAPPED: bool = false;

fn output(sample: u32, k: u32) -> f32 {
    return values[sample * node.groups + k / 4u][k % 4u];
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let sample = u32(at.y) * u32(frame.tile.x) + u32(at.x);
    var value = vec3f(output(sample, node.outputs.x));
    if !MAPPED {
        value.g = output(sample, node.outputs.y);
        value.b = output(sample, node.outputs.z);
    }
    let place = (value - node.low.rgb) / (node.high.rgb - node.low.rgb);
    var colour: vec3f;
    if MAPPED {
        colour = palette_colour(place.x);
    } else {
        colour = linear_of(clamp(place, vec3f(0.0), vec3f(1.0)));
    }
    let known = is_finite(value.r) && is_finite(value.g) && is_finite(value.b);
    // A sample without alpha does not count; a pixel of only such samples is striped.
    return select(vec4f(0.0), vec4f(colour, 1.0), known);
}
