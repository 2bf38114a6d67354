// The two ends of a piece of a ray: the network's value there, a bound of its rounding; and products with weights.
#import arithmetic/bounds

var<private> near_value: f32;
var<private> near_error: f32;
var<private> far_value: f32;
var<private> far_error: f32;
// f's slope there, where the enclosure has it.
var<private> near_slope: f32;
var<private> far_slope: f32;

fn sum_of(v: vec4f) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

// W p of three inputs, and |W| p.
fn block_times(at: u32, p: vec3f) -> vec4f {
    return fma(weights[at + 2u], vec4f(p.z), fma(weights[at + 1u], vec4f(p.y), weights[at] * p.x));
}

fn block_times_abs(at: u32, p: vec3f) -> vec4f {
    return fma(abs(weights[at + 2u]), vec4f(p.z), fma(abs(weights[at + 1u]), vec4f(p.y), abs(weights[at]) * p.x));
}
