// The background behind everything: a faint glow to the centre.
#import generated/bindings
#import lib/whole_tile

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let p = ((at.xy + frame.offset) / frame.size - 0.5) * 2.0;
    // A smooth fall that is flat at the centre and at the corners.
    let r = clamp(length(p) / 1.4142, 0.0, 1.0);
    let glow = 1.0 - r * r * (3.0 - 2.0 * r);
    return vec4f(mix(frame.background.rgb, frame.glow.rgb, glow), 1.0);
}
