// One invocation walks one ray in equal steps until the whole part of f changes, then takes steps of regula falsi: the
// search of the program of 2016, to be measured against.
#import generated/bindings
#import generated/network

const STEPS = 64;
const REFINEMENTS = 10;

fn along(o: vec3f, d: vec3f, t: f32) -> f32 {
    return network_output(o + t * d, 0u) - casting.level;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = id.y * groups.x * 64u + id.x;
    if ray >= casting.rays {
        return;
    }
    let o = rays[2u * ray].xyz;
    let length = rays[2u * ray].w;
    let d = rays[2u * ray + 1u].xyz;
    let step = length / f32(STEPS);
    let base = floor(along(o, d, 0.0));
    var at = 0;
    for (var i = 1; i < STEPS; i++) {
        if floor(along(o, d, step * f32(i))) != base {
            at = i;
            break;
        }
    }
    if at == 0 {
        crossings[ray] = vec4f(length, 0.0, 0.0, 0.0);
        return;
    }
    var l = step * f32(at - 1);
    var r = step * f32(at);
    var fl = along(o, d, l);
    var fr = along(o, d, r);
    let level = floor(max(fl, fr));
    var t = l;
    for (var i = 0; i < REFINEMENTS; i++) {
        t = l - (l - r) / (fl - fr) * (fl - level);
        let v = along(o, d, t);
        if (v - level) * (fr - level) < 0.0 {
            fl = v;
            l = t;
        } else {
            fr = v;
            r = t;
        }
    }
    crossings[ray] = vec4f(t, 1.0, level, 0.0);
}
