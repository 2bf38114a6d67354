// A finished picture as a camera sees it that has moved since: a grid of what lies on a ball, moved to its new place.
#import generated/bindings
#import lib/srgb

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) texel: vec2f,
}

// Squares along each side of the grid; one instance is a strip of them.
const SIDE = 48u;

// Where the old camera has seen, in [0, 1] from the top left, what the present one sees at a place in [-1, 1].
fn before(ndc: vec2f) -> vec2f {
    let across = node.right.xyz * (node.right.w * ndc.x) + node.upward.xyz * (node.upward.w * ndc.y);
    let parallel = node.forward.w > 0.5;
    let eye = node.eye.xyz + select(vec3f(0.0), across, parallel);
    let ray = normalize(node.forward.xyz + select(across, vec3f(0.0), parallel));
    // Where a ray passes the ball it is the place nearest to the middle: the two meet at the rim.
    let middle = node.middle.xyz - eye;
    let nearest = dot(middle, ray);
    let off = middle - ray * nearest;
    let seen = eye + ray * max(nearest - sqrt(max(node.middle.w * node.middle.w - dot(off, off), 0.0)), 1e-3);
    let rel = seen - node.old_eye.xyz;
    let depth = select(max(dot(rel, node.old_forward.xyz), 1e-6), 1.0, node.old_forward.w > 0.5);
    let old = vec2f(
        dot(rel, node.old_right.xyz) / (depth * node.old_right.w),
        dot(rel, node.old_upward.xyz) / (depth * node.old_upward.w),
    );
    return clamp(old, vec2f(-1e3), vec2f(1e3)) * vec2f(0.5, -0.5) + 0.5;
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) row: u32) -> Varying {
    let at = vec2f(f32(i / 2u), f32(row + i % 2u)) / f32(SIDE);
    let ndc = vec2f(2.0, -2.0) * at + vec2f(-1.0, 1.0);
    return Varying(vec4f(ndc, 0.0, 1.0), before(ndc));
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    var colour = textureSampleLevel(image, between, v.texel, 0.0).rgb;
    if node.clear.w > 0.5 {
        colour = linear_of(colour);
    }
    // Beside a picture in space its edge goes on, which is background.
    let outside = node.middle.w == 0.0 && any(abs(v.texel - 0.5) > vec2f(0.5));
    return vec4f(select(colour, node.clear.xyz, outside), 1.0);
}
