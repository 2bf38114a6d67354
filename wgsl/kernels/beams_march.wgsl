// How f bends along all rays of a beam, piece by piece, where lanes share loads: an invocation takes its lane's beam.
#import generated/bindings
#import generated/tube
#import generated/sizes
#import lib/beam
#import lib/finite

// A copy of the uniform: llvmpipe reads a uniform anew, lane by lane, where it is named in a loop.
var<private> settings: March;
var<private> lane: u32;

fn beam_weights(layer: u32, g: u32, i: u32) -> vec4f {
    return textureLoad(weights, vec2u(g * settings.columns + i * LANES + lane, layer));
}

fn beam_layer(layer: u32) -> vec4f {
    return beams[layer];
}

// The shortest piece, as a part of its beam; and how much longer the next may be.
const SHORTEST = 0.004;
const LONGER = 2.0;

// How far a value is from the nearest level.
fn from_level(value: f32) -> f32 {
    let x = value - settings.level;
    return abs(x - select(settings.spacing * round(x / settings.spacing), 0.0, settings.single != 0u));
}

// Nothing returns early: broadcasts need all lanes.
@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) counts: vec3u,
    @builtin(subgroup_invocation_id) place: u32,
) {
    settings = march;
    lane = place;
    let number = (group.y * counts.x + group.x) * LANES + lane;
    let beam = settings.first + min(number, settings.count - 1u);
    let b = beam_load(beam);
    // Where it stands, how long the next piece is, how many there are, and whether it is done.
    let own = beam_first(beam);
    var at = beams[own + MARK];
    let network = settings.layers;
    // Places are rounded, so that pieces are bounded a little beyond their ends.
    let beyond = 64.0 * ULP * (length(b.origin) + b.end);
    for (var turn = 0u; turn < settings.turns; turn++) {
        if !subgroupAny(at.w == 0.0) {
            break;
        }
        let s0 = at.x;
        let s1 = min(at.x + at.y, b.end);
        let first = s0 - beyond;
        let last = s1 + beyond;
        let near = b.origin + first * b.direction;
        let far = b.origin + last * b.direction;
        let off_near = vec2f(b.off_u, b.off_v) + b.spread * max(first, 0.0);
        let off_far = vec2f(b.off_u, b.off_v) + b.spread * max(last, 0.0);
        let along = vec3f(b.along + b.spread.x * beyond + b.spread.y * beyond);
        let size = b.end + 4.0 * (max(abs(near), abs(far)) + off_far.x + off_far.y + along);
        var point: Tube;
        point.near = vec4f(near, 0.0);
        point.far = vec4f(far, 0.0);
        point.near_u = vec4f(off_near.x * b.u, 0.0);
        point.near_v = vec4f(off_near.y * b.v, 0.0);
        point.far_u = vec4f(off_far.x * b.u, 0.0);
        point.far_v = vec4f(off_far.y * b.v, 0.0);
        point.middle = vec4f(0.0);
        point.radius = vec4f(0.0);
        point.rest = vec4f(along, 0.0);
        point.error_bound = vec4f(2.0 * ULP * size + TINY, 0.0);
        let turned = min(vec2f(2.0), b.turn * (last - first) / (off_near * off_near));
        let f = tube_network(network, point, turned);
        let radius = f.radius.x;
        let wide = last - first;
        let rise = abs(f.far.x - f.near.x);
        let level = min(from_level(f.near.x), from_level(f.far.x));
        let wanted = max(settings.level_share * level, settings.rise_share * rise) + settings.least + 4.0 * f.error_bound.x;
        // From the second derivative how far f strays between the ends.
        let stray = 0.125 * radius;
        let known = stray < 1e30 && is_finite(f.middle.x) && is_finite(stray) && is_finite(f.error_bound.x);
        let shortest = SHORTEST * b.end;
        let fits = known && (stray <= wanted || s1 - s0 <= 1.01 * shortest);
        let factor = select(0.25, clamp(pow(0.7 * wanted / max(stray, 1e-37), 1.0 / 3.0), 0.25, LONGER), known);
        let open = at.w == 0.0;
        if open && fits && number < settings.count {
            // Both for a length of 1, padded.
            let per = 1.0 / (wide * wide);
            let pad = 32.0 * ULP * (abs(f.middle.x) + radius);
            beams[own + PIECES + u32(at.z)] = vec4f(
                s1, (f.middle.x - radius - pad) * per, (f.middle.x + radius + pad) * per, f.error_bound.x * 1.00001,
            );
        }
        let next = select(at.x, s1, fits);
        let count = at.z + select(0.0, 1.0, fits);
        let width = (s1 - s0) * select(min(factor, 0.9), factor, fits);
        let ends = next >= b.end || u32(count) >= MOST || (!known && s1 - s0 <= 1.01 * shortest);
        at = select(at, vec4f(next, max(width, shortest), count, select(0.0, 1.0, ends)), open);
    }
    if number < settings.count {
        beams[own + MARK] = at;
        if at.w == 0.0 {
            atomicAdd(&found[0], 1u);
        }
    }
}
