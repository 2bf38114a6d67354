// Segments as quads that face the camera, a constant width in pixels.
#import generated/bindings
#import lib/flat_colour

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) segment: u32) -> Varying {
    let s = items[segment];
    let a = frame.view_projection * node.world * vec4f(s.start.xyz, 1.0);
    let b = frame.view_projection * node.world * vec4f(s.end.xyz, 1.0);
    // Ends behind the eye are drawn back to the near plane, or the quad would turn inside out.
    let least = 1e-4;
    if a.w < least && b.w < least {
        return Varying(vec4f(0.0, 0.0, 2.0, 1.0), vec4f(0.0));
    }
    let cut = clamp((least - a.w) / (b.w - a.w + select(0.0, least, a.w == b.w)), 0.0, 1.0);
    let p = select(a, mix(a, b, cut), a.w < least);
    let q = select(b, mix(a, b, cut), b.w < least);
    let p_px = p.xy / p.w * frame.tile * 0.5;
    let q_px = q.xy / q.w * frame.tile * 0.5;
    var along = q_px - p_px;
    along = select(vec2f(1.0, 0.0), normalize(along), dot(along, along) > 1e-12);
    let side = vec2f(-along.y, along.x);
    let end = f32(i >> 1u);
    let left = f32(i & 1u) * 2.0 - 1.0;
    // At least a sample wide, or the line would be dashed in small pictures.
    let half_width = max(node.width * frame.scale * frame.grid, 1.0) * 0.5;
    // Each end reaches half a width further, so that joined segments leave no notch.
    let at = mix(p, q, end);
    let offset = side * left * half_width + along * (end * 2.0 - 1.0) * half_width * node.cap;
    let clip = at + vec4f(offset / (frame.tile * 0.5) * at.w, 0.0, 0.0);
    return Varying(clip, mix(s.start_colour, s.end_colour, end));
}
