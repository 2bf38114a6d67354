// A colour map at a position in [0, 1]. Needs `palette`, a uniform array of 64 vec4f of linear RGB.

const PALETTE_STEPS: f32 = 64.0;

fn palette_colour(place: f32) -> vec3f {
    let at = clamp(place, 0.0, 1.0) * (PALETTE_STEPS - 1.0);
    let low = min(u32(at), u32(PALETTE_STEPS) - 2u);
    return mix(palette[low].rgb, palette[low + 1u].rgb, at - f32(low));
}
