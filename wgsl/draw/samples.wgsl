// The colour of one sample from an array, premultiplied.
#import generated/bindings
#import lib/whole_tile

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    return samples[u32(at.y) * u32(frame.tile.x) + u32(at.x)];
}
