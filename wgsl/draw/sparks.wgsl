// Sparks: short paths along the gradient, lit as a level passes, added as light (on paper, shade), dimmed by surfaces.
#import generated/bindings
#import lib/exponential
#import lib/layers
#import lib/palette

// Whether there is no background: light is then painted, since nothing can be added to what is transparent.
override CLEAR: bool = false;

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) world: vec3f,
    @location(1) value: f32,
    @location(2) along: f32,
    @location(3) local: vec3f,
}

@vertex
fn vertex(@builtin(vertex_index) i: u32, @builtin(instance_index) segment: u32) -> Varying {
    let per_spark = u32(sparks.vertices) - 1u;
    let at = segment / per_spark * (per_spark + 1u) + segment % per_spark;
    let start = vertices[at];
    let stop = vertices[at + 1u];
    let end = f32(i >> 1u);
    let a_world = sparks.world * vec4f(start.xyz, 1.0);
    let b_world = sparks.world * vec4f(stop.xyz, 1.0);
    let a = frame.view_projection * a_world;
    let b = frame.view_projection * b_world;
    if a.w < 1e-4 || b.w < 1e-4 {
        return Varying(vec4f(0.0, 0.0, 2.0, 1.0), vec3f(0.0), 0.0, 0.0, vec3f(0.0));
    }
    var along = (b.xy / b.w - a.xy / a.w) * frame.tile;
    along = select(vec2f(1.0, 0.0), normalize(along), dot(along, along) > 1e-12);
    let left = f32(i & 1u) * 2.0 - 1.0;
    let clip = mix(a, b, end);
    // At least a sample wide, or it would be dashed in small pictures; `strength` makes up for it.
    let width = max(sparks.width * frame.scale * frame.grid, 1.0);
    let offset = vec2f(-along.y, along.x) * left * width / frame.tile * clip.w;
    let k = f32(segment % per_spark) + end;
    return Varying(
        clip + vec4f(offset, 0.0, 0.0),
        mix(a_world, b_world, end).xyz,
        mix(start.w, stop.w, end),
        k / f32(per_spark),
        mix(start.xyz, stop.xyz, end),
    );
}

// What the surfaces in front of a distance let through at this sample.
fn through(at: vec2f, distance: f32) -> f32 {
    let tile = vec2u(frame.tile);
    let sample = u32(at.y) * tile.x + u32(at.x);
    var left = 1.0;
    for (var list = 0u; list < min(frame.lists, 4u); list++) {
        for (var k = 0u; k < LAYERS; k++) {
            let layer = layers[(list * tile.x * tile.y + sample) * LAYERS + k];
            if layer_distance(layer) >= distance {
                break;
            }
            left *= 1.0 - layer_colour(layer).a;
        }
    }
    return left;
}

fn inside(p: vec3f) -> bool {
    if sparks.region.w < 0.5 {
        return dot(p, p) <= sparks.region.x * sparks.region.x;
    }
    return all(abs(p) <= sparks.region.xyz);
}

@fragment
fn fragment(v: Varying) -> @location(0) vec4f {
    if !inside(v.local) {
        discard;
    }
    // Lit as the level passes, as the original has it; a faint trace stays, so that the field is seen between.
    let behind = (sparks.level - v.value) / sparks.spacing;
    let alone = select(safe_exp_one(-7.0 * max(behind, 0.0)), 0.0, behind < 0.0);
    let lit = 0.10 + select(safe_exp_one(-7.0 * fract(behind)), alone, sparks.single > 0.5);
    let taper = sin(clamp(v.along, 0.0, 1.0) * 3.14159);
    var distance = length(v.world - frame.eye.xyz);
    if frame.forward.w > 0.5 {
        distance = dot(v.world - frame.eye.xyz, frame.forward.xyz);
    }
    let thin = min(sparks.width * frame.scale * frame.grid, 1.0);
    let strength = lit * taper * thin * sparks.strength * through(v.position.xy, distance);
    let colour = palette_colour((v.value - sparks.low) / (sparks.high - sparks.low));
    if frame.paper > 0.5 {
        // It takes away the light that is not its colour.
        return vec4f(mix(vec3f(1.0), colour * 0.75, clamp(strength, 0.0, 1.0)), 1.0);
    }
    let painted = clamp(strength, 0.0, 1.0);
    return select(vec4f((colour + 0.12) * strength, 0.0), vec4f(colour * painted, painted), CLEAR);
}
