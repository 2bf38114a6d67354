// One vertex of a spark: normalised gradient steps from its seed, and the network's value where they end.
#import generated/bindings
#import generated/network
#import lib/uphill

// Constant, so that the loop's bound is.
override STEPS: u32 = 20u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= sparks.count {
        return;
    }
    let seed = id.x / sparks.vertices;
    let number = i32(id.x % sparks.vertices);
    let step = sparks.step * f32(number - (i32(sparks.vertices) / 2 - 1));
    var p = seeds[seed].xyz;
    // One iteration more than there are steps, so that the network is called in one place: compilers copy it into each.
    for (var iteration = 0u; iteration <= STEPS; iteration++) {
        let here = network_sample(p, sparks.output);
        if iteration == STEPS {
            vertices[id.x] = vec4f(p, here.value);
            return;
        }
        p += step * uphill(here.gradient);
    }
}
