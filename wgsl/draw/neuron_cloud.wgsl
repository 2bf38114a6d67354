// A picture of samples, premultiplied, drawn over what is there sample by sample.
#import generated/bindings
#import lib/whole_tile

@fragment
fn fragment(@builtin(position) position: vec4f) -> @location(0) vec4f {
    return textureLoad(picture, vec2u(position.xy), 0);
}
