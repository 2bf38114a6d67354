// The units of a layer over one box: relaxed over their ranges, with what rounding may make of a row taken through them.
#import generated/bindings
#import generated/relax
#import lib/finite

const MEMBERS = 8u;
// Ranges further out are given up.
const MOST = 1e15;
// Responses as large, and those over a gap, have no bounds.
const OPEN = 1e30;
// Added to factors of a rounding, so that what underflows is inside too.
const LITTLE = 1e-12;
// Units whose relaxation is off by less, relative to their size, need no closer range in boxes inside.
const EXACT = 1e-5;

// Of fill.
const NO_KIND = 0xffffffffu;

// The layer has products of pairs.
override PAIRS: bool = false;

fn finite(v: vec4f) -> vec4<bool> {
    return vec4<bool>(is_finite(v.x), is_finite(v.y), is_finite(v.z), is_finite(v.w));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let box = id.x;
    if box >= tiles[0].y {
        return;
    }
    let octet = box / MEMBERS;
    let member = box % MEMBERS;
    let norm = norms[box];
    var squares = vec4f(0.0);
    var failed = bad[box];
    for (var group = 0u; group < step.groups; group++) {
        let at = ((octet * step.all_groups + step.first + group) * MEMBERS + member) * 2u;
        var z = Range(ranges[at], ranges[at + 1u]);
        let entry = entries[group];
        let used = entry.kinds != vec4u(NO_KIND);
        let inside = finite(z.low) & finite(z.high) & (max(abs(z.low), abs(z.high)) < vec4f(MOST));
        failed = select(1u, failed, all(inside | !used));
        z = Range(select(vec4f(0.0), z.low, inside), select(vec4f(0.0), max(z.low, z.high), inside));
        let r = relaxed(z, entry.kinds);
        // The magnitude of the sum that z is, in terms of the layer before: by Cauchy and Schwarz.
        let terms = entry.norm * norm + abs(entry.bias);
        let slopes = abs(r.slope) + LITTLE;
        let crosses = select(vec4f(0.0), (abs(r.cross.yxwz) + LITTLE) * terms.yxwz, PAIRS);
        // Biases are moved from z into the constants.
        let shift = r.slope * entry.bias + select(vec4f(0.0), r.cross.yxwz * entry.bias.yxwz, PAIRS);
        let sizes = abs(r.slope * entry.bias) + crosses + abs(r.low) + abs(r.high);
        let pad = select(4.0 * ULP * sizes, vec4f(0.0), relaxed_exact(r) & (r.cross.yxwz == vec4f(0.0)));
        let low = r.low + shift - pad;
        let high = r.high + shift + pad;
        let strain = step.rounding * (slopes * terms + crosses + max(abs(low), abs(high)) + LITTLE);
        let place = octet * step.parts * step.width + group * MEMBERS + member;
        staged[place] = r.slope;
        staged[place + step.width] = low;
        staged[place + 2u * step.width] = high;
        staged[place + 3u * step.width] = strain;
        if PAIRS {
            staged[place + 4u * step.width] = r.cross;
        }
        let loose = used & (r.high - r.low > EXACT * max(abs(z.low), abs(z.high)));
        needs[box * step.all_groups + step.first + group] = dot(vec4u(loose), vec4u(1u, 2u, 4u, 8u));
        let size = select(vec4f(0.0), r.size, used);
        failed = select(1u, failed, all(finite(size) & (size < vec4f(OPEN))));
        squares += size * size;
    }
    norms[box] = sqrt((squares.x + squares.y) + (squares.z + squares.w)) * (1.0 + 64.0 * ULP) * step.sum_rounding;
    bad[box] = failed;
}
