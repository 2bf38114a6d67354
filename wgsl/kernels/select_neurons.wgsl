// The visible neurons of a block: one invocation counts, then lists those in a run of vec4f of one group; then one
// invocation describes each neuron.
#import generated/bindings
#import lib/random

const RUN: u32 = 16u;
// Rows by which added tokens stand above the others.
const ABOVE: f32 = 1.5;
// 0 features, 1 an average pool, 2 the probabilities of classes.
override LOOK: u32 = 0u;

// How visible a response is; the rule is the original's. A block whose neurons are all alike shows none.
fn opacity_of(value: vec4f, mean: vec4f, deviation: vec4f) -> vec4f {
    if LOOK == 2u {
        return vec4f(1.0);
    }
    let known = deviation > vec4f(0.0);
    let d = select(vec4f(1.0), deviation, known);
    var found: vec4f;
    if LOOK == 1u {
        let e = max((value - mean) / d + 1.0, vec4f(0.0));
        found = min(e * e * e / 8.0, vec4f(1.0));
    } else {
        let u = max(value / d, vec4f(0.0));
        found = select(u * u * u * u * u / 4096.0, vec4f(1.0), u >= vec4f(4.0));
    }
    return select(vec4f(0.0), found, known);
}

// One formula for all layouts, without branches: Mesa 22's software driver kept memory at each dispatch of longer code.
fn place_of(channel: u32, pixel: u32, number: u32) -> vec3f {
    let is_added = pixel < block.parts_of.w;
    let shown = max(pixel, block.parts_of.w) - block.parts_of.w;
    let column = select(shown % block.divisors.w, pixel, is_added);
    let row = select(f32(shown / block.divisors.w), -ABOVE, is_added);
    let part = vec3f(channel / block.divisors.xyz % block.parts_of.xyz);
    let jitter = block.steps.w * (2.0 * f32(pcg(number) >> 8u) / 16777216.0 - 1.0);
    let off = part * block.steps.xyz + vec3f(f32(column) * block.origin.w, row * block.origin.w, jitter);
    return block.origin.xyz + vec3f(off.x, -off.y, -off.z);
}

// Which of four are seen; those past the last channel are no neurons.
fn seen(group: u32, opacity: vec4f) -> vec4<bool> {
    let channel = vec4u(group * 4u) + vec4u(0u, 1u, 2u, 3u);
    return (opacity >= vec4f(block.faint)) & (channel < vec4u(block.shape.x));
}

@compute @workgroup_size(64)
fn count(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= block.shape.w {
        return;
    }
    let group = id.x / block.parts;
    let by = table[block.firsts.y + group];
    let first = id.x % block.parts * RUN;
    let end = min(first + RUN, block.shape.y);
    var found = vec4u(0u);
    for (var pixel = first; pixel < end; pixel++) {
        let value = values[block.first_value + group * block.shape.y + pixel];
        found += select(vec4u(0u), vec4u(1u), seen(group, opacity_of(value, by.mean, by.deviation)));
    }
    counts[block.firsts.z + id.x] = found.x + found.y + found.z + found.w;
}

@compute @workgroup_size(64)
fn choose(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= block.shape.w {
        return;
    }
    let group = id.x / block.parts;
    let by = table[block.firsts.y + group];
    let first = id.x % block.parts * RUN;
    let end = min(first + RUN, block.shape.y);
    var next = counts[block.firsts.z + id.x];
    for (var pixel = first; pixel < end; pixel++) {
        let at = group * block.shape.y + pixel;
        let is_seen = seen(group, opacity_of(values[block.first_value + at], by.mean, by.deviation));
        let number = (block.firsts.x + at) * 4u;
        for (var component = 0u; component < 4u; component++) {
            if is_seen[component] {
                chosen[next].number = number + component;
                next++;
            }
        }
    }
}

@compute @workgroup_size(64)
fn describe(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= block.listed {
        return;
    }
    let i = block.first_listed + id.x;
    let number = chosen[i].number;
    let at = number / 4u - block.firsts.x;
    let component = number % 4u;
    let group = at / block.shape.y;
    let by = table[block.firsts.y + group];
    let all = values[block.first_value + at];
    let value = all[component];
    let deviation = by.deviation[component];
    let score = (value - by.mean[component]) / select(1.0, deviation, deviation > 0.0);
    var size = 1.5 * clamp(score / 4.0, 1.0, 2.0);
    var tone = clamp(score / 8.0, 0.0, 1.0);
    if LOOK == 2u {
        size = max(3.0, 10.0 * sqrt(max(value, 0.0)));
        // Classes have a ramp of their own, behind the other.
        tone = 2.0 + clamp(value, 0.0, 1.0);
    }
    let opacity = opacity_of(all, by.mean, by.deviation)[component];
    let look = vec2u(pack2x16float(vec2f(opacity, size)), pack2x16float(vec2f(tone, 0.0)));
    let place = place_of(group * 4u + component, at % block.shape.y, number);
    chosen[i] = Neuron(vec4f(place, value), look, number, block.firsts.w);
}
