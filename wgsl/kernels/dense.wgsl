// Four outputs of a dense layer of one vector; sixteen invocations each sum a share of the inputs.
#import generated/bindings
#import generated/activated
#import lib/window

const OUTPUTS = 8u;
const SHARES = 16u;

var<workgroup> sums: array<vec4f, 128>;

// Nothing returns early: all wait for each other.
@compute @workgroup_size(8, 16)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let group = workgroup.x * OUTPUTS + local.x;
    // Past the last output the last again, which is not stored.
    let column = min(group, dense.groups - 1u);
    var sum = vec4f(0.0);
    // llvmpipe ends loops after 65,535 iterations.
    for (var iteration = 0u; iteration < min(dense.iterations, 65535u); iteration++) {
        let k = iteration * SHARES + local.y;
        if k < dense.blocks {
            let number = responses[dense.source_first + k];
            let at = 4u * k * dense.groups + column;
            sum = fma(weights[at], vec4f(number.x), sum);
            sum = fma(weights[at + dense.groups], vec4f(number.y), sum);
            sum = fma(weights[at + 2u * dense.groups], vec4f(number.z), sum);
            sum = fma(weights[at + 3u * dense.groups], vec4f(number.w), sum);
        }
    }
    sums[local.y * OUTPUTS + local.x] = sum;
    workgroupBarrier();
    if local.y == 0u && group < dense.groups {
        // The bias is the row after the last weights.
        var total = weights[4u * dense.blocks * dense.groups + group];
        for (var share = 0u; share < SHARES; share++) {
            total += sums[share * OUTPUTS + local.x];
        }
        let used = window_used(group, dense.channels);
        output[dense.offset + group] = select(vec4f(0.0), activated(total), used);
    }
}
