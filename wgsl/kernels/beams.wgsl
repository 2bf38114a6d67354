// Beams of a picture's rays. `gather` finds what holds the rays of each, an invocation a beam.
#import generated/bindings
#import arithmetic/bounds
#import generated/sizes
#import lib/beam

@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let beam = id.y * groups.x * 64u + id.x;
    if beam >= march.beams {
        return;
    }
    var sum = vec3f(0.0);
    var count = 0.0;
    var origin = vec3f(0.0);
    for (var i = 0u; i < march.side * march.side; i++) {
        let ray = beam_ray(beam, i);
        let start = rays[2u * ray];
        let there = start.w > 0.0;
        sum += select(vec3f(0.0), rays[2u * ray + 1u].xyz, there);
        origin += select(vec3f(0.0), start.xyz, there);
        count += select(0.0, 1.0, there);
    }
    let d = normalize(select(vec3f(1.0, 0.0, 0.0), sum, count > 0.0));
    // To the sides of the block, where rays spread.
    let row = rays[2u * beam_ray(beam, march.side - 1u) + 1u].xyz - rays[2u * beam_ray(beam, 0u) + 1u].xyz;
    let other = select(vec3f(0.0, 1.0, 0.0), vec3f(1.0, 0.0, 0.0), abs(d.x) < 0.6);
    let v = normalize(cross(d, select(other, row, dot(row, row) > 1e-10)));
    let u = cross(v, d);
    let middle = origin / max(count, 1.0);
    var first = 0.0;
    for (var i = 0u; i < march.side * march.side; i++) {
        let start = rays[2u * beam_ray(beam, i)];
        first = select(first, min(first, dot(start.xyz - middle, d)), start.w > 0.0);
    }
    var b = Beam(middle + first * d, 0.0, d, 0.0, u, 0.0, v, 0.0, vec2f(0.0), vec2f(0.0));
    var reach = 0.0;
    var tilt = 0.0;
    for (var i = 0u; i < march.side * march.side; i++) {
        let ray = beam_ray(beam, i);
        let start = rays[2u * ray];
        let way = rays[2u * ray + 1u].xyz;
        if start.w > 0.0 {
            let place = beam_place(b, start.xyz);
            let off = start.xyz - b.origin - place * way;
            b.end = max(b.end, place + start.w);
            reach = max(reach, length(start.xyz) + start.w);
            tilt = max(tilt, abs(1.0 - dot(way, d)));
            b.off_u = max(b.off_u, abs(dot(off, u)));
            b.off_v = max(b.off_v, abs(dot(off, v)));
            b.spread = max(b.spread, abs(vec2f(dot(way, u), dot(way, v))));
        }
    }
    for (var i = 0u; i < march.side * march.side; i++) {
        let ray = beam_ray(beam, i);
        let start = rays[2u * ray];
        let way = rays[2u * ray + 1u].xyz;
        if start.w > 0.0 {
            let off = start.xyz - b.origin - beam_place(b, start.xyz) * way;
            let offs = vec2f(dot(off, u), dot(off, v));
            let ways = vec2f(dot(way, u), dot(way, v));
            b.turn = max(b.turn, abs(ways * vec2f(b.off_u, b.off_v) - offs * b.spread));
        }
    }
    // What all of this is off by, also where it is computed again.
    let pad = 64.0 * ULP * (reach + length(b.origin) + b.end);
    b.along = 2.0 * b.end * (tilt + 8.0 * ULP) + pad;
    let offs = vec2f(b.off_u, b.off_v) + pad;
    // (off + spread s): what a ray's share of it turns by is `turn` / (off + spread s)^2 for each unit of s.
    let turn = b.turn * (1.0 + 64.0 * ULP) + 2.0 * pad * (b.spread + 64.0 * ULP) + 64.0 * ULP * offs;
    let first_place = beam_first(beam);
    beams[first_place] = vec4f(b.origin, b.end);
    beams[first_place + 1u] = vec4f(d, b.along);
    beams[first_place + 2u] = vec4f(u, offs.x);
    beams[first_place + 3u] = vec4f(v, offs.y);
    beams[first_place + 4u] = vec4f(b.spread * (1.0 + 64.0 * ULP), turn);
    let widest = max(offs.x + b.spread.x * b.end, offs.y + b.spread.y * b.end);
    atomicMax(&found[0], bitcast<u32>(select(0.0, widest, b.end > 0.0)));
    beams[first_place + MARK] = vec4f(0.0, 0.02 * b.end, 0.0, select(0.0, 1.0, b.end <= 0.0));
}
