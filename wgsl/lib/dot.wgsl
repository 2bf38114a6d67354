// A neuron as a dot on the screen: its place, radius, depth and opacity now. Needs `view`, `neurons` and `factors`.
#import lib/dot_edge
#import lib/random

// The part of a block's reveal during which one neuron appears, and the random part of when it begins to.
const FADE: f32 = 0.25;
const CHANCE: f32 = 0.3;
// How much larger the dots of a lit channel are, so that few of them among many are found.
const LIT: f32 = 1.6;

struct Dot {
    at: vec2f,  // of its centre, in samples of the whole picture
    radius: f32,  // samples; at least half of one, see `opacity`
    depth: f32,  // along the view
    depth_map: f32,  // as the depth buffer has it
    opacity: f32,  // 0: not drawn
}

// How much of one has appeared: a wave runs through the block's depth, and each has its own moment in it.
fn appeared_of(neuron: Neuron, appeared: f32, front: f32, deep: f32) -> f32 {
    let chance = f32(pcg(neuron.number ^ 0x9e3779b9u) >> 8u) / 16777216.0;
    let begin = mix(clamp((front - neuron.place.z) * deep, 0.0, 1.0), chance, select(1.0, CHANCE, deep > 0.0));
    return clamp((appeared * (1.0 + FADE) - begin) / FADE, 0.0, 1.0);
}

fn dot_of(i: u32) -> Dot {
    let neuron = neurons[i];
    let factor = factors[2u * neuron.block];
    let extent = factors[2u * neuron.block + 1u];
    let clip = view.transform * vec4f(neuron.place.xyz, 1.0);
    let depth = select(view.near + clip.z * (view.far - view.near), clip.w, view.perspective > 0.5);
    var d = Dot(vec2f(0.0), 0.0, depth, clip.z / clip.w, 0.0);
    if !(depth >= view.near && depth <= view.far) {
        return d;
    }
    d.at = (clip.xy / clip.w * vec2f(0.5, -0.5) + 0.5) * view.size;
    let opacity_size = unpack2x16float(neuron.look.x);
    let appeared = appeared_of(neuron, factor.y, extent.x, extent.y);
    let grown = 0.3 + 0.7 * appeared;
    // The four of a vec4f are four channels, of which one can be lit.
    let vector = neuron.number / 4u;
    let is_lit = vector >= view.lit.x && vector < view.lit.y && neuron.number % 4u == view.lit.z;
    let light = select(view.dimmed, 1.0, is_lit);
    let size = opacity_size.y * factor.z * grown * select(1.0, LIT, is_lit);
    let radius = size * view.spread / select(1.0, depth, view.perspective > 0.5);
    // A block's factor below 1 dims what is opaque too; above 1 it shows fainter dots, as exposure does.
    let exposed = min(opacity_size.x * view.exposure * max(factor.x, 1.0), 1.0) * min(factor.x, 1.0);
    let opacity = exposed * appeared * light;
    d.radius = max(radius, 0.5);
    // What is smaller than a sample is as much paler.
    let share = min(radius / 0.5, 1.0);
    let laid = 1.0 - pow(max(1.0 - opacity, 1e-6), view.opacity_power);
    d.opacity = select(0.0, laid * share * share, opacity >= view.faint);
    return d;
}

// Depth as a whole number of 24 bits that dots are ordered by: nearer ones first.
fn depth_key(depth: f32) -> u32 {
    return u32(clamp((depth - view.low) / (view.high - view.low), 0.0, 1.0) * 16777215.0);
}
