// The parts of softmax, which takes a whole layer: exponentials less the largest, to be divided by their sum.
#import lib/exponential
#import lib/finite
#import lib/partial

// used is 1 for a neuron and 0 for a component that only fills the last four.
fn softmax_exponential(z: vec4f, largest: f32, used: vec4f) -> vec4f {
    let below = z - largest;
    // Of NaN and of what is infinite there are no probabilities.
    return number_unless(is_nan(below) & (used > vec4f(0.5)), used * safe_exp(below));
}

// The largest of z over the used components, and of what was found before.
fn softmax_largest(z: vec4f, used: vec4f, before: f32) -> f32 {
    let m = select(vec4f(before), z, used > vec4f(0.5));
    return max(max(m.x, m.y), max(max(m.z, m.w), before));
}
