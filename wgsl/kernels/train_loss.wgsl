// Losses of some points, summed; an invocation takes every STRIDE-th point, so that few sums are left to add.
#import generated/bindings
#import lib/exponential

override STRIDE: u32 = 2048u;
// Whether targets are classes, the loss softmax cross-entropy; else values, and the loss is the mean squared error.
override CLASSES: bool = true;

fn output(point: u32, k: u32) -> f32 {
    return outputs[(point * loss.stride + k / 4u)][k % 4u];
}

fn cross_entropy(point: u32) -> f32 {
    var most = output(point, 0u);
    for (var k = 1u; k < loss.outputs; k++) {
        most = max(most, output(point, k));
    }
    var all = 0.0;
    for (var k = 0u; k < loss.outputs; k++) {
        all += safe_exp_one(output(point, k) - most);
    }
    let missed = most - output(point, u32(targets[loss.first + point]));
    // The logarithm of 1 + u keeps its accuracy where all but the largest output vanish.
    return missed + log_one_and_more(all);
}

// log(x) for x from 1 to the count of outputs, within some ulp of 1.
fn log_one_and_more(x: f32) -> f32 {
    let half = x > 2.0;
    let u = select(x - 1.0, 0.0, half);
    return select(log1p_unit(vec4f(u)).x, log(x), half);
}

fn squared_error(point: u32) -> f32 {
    var sum = 0.0;
    for (var k = 0u; k < loss.outputs; k++) {
        let error = output(point, k) - targets[(loss.first + point) * loss.outputs + k];
        sum = fma(error, error, sum);
    }
    return sum / f32(loss.outputs);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= STRIDE {
        return;
    }
    var sum = 0.0;
    for (var point = id.x; point < loss.count; point += STRIDE) {
        if CLASSES {
            sum += cross_entropy(point);
        } else {
            sum += squared_error(point);
        }
    }
    sums[loss.slot + id.x] = sum;
}
