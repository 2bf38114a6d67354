// A function of the numbers at one place of up to three arrays, which are broadcast; one invocation a place.
#import generated/bindings
#import lib/quotient
#import generated/combined
#import generated/activated

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let place = id.y * broadcast.row + id.x;
    if place >= broadcast.count {
        return;
    }
    var rest = place;
    var at = broadcast.firsts.xyz;
    for (var k = 0u; k < min(broadcast.rank, 8u); k++) {
        let axis = broadcast.axes[broadcast.rank - 1u - k];
        let next = quotient(rest, axis.x, broadcast.count <= 1048576u);
        at += (rest - next * axis.x) * axis.yzw;
        rest = next;
    }
    let value = combined(first[at.x], second[at.y], third[at.z]);
    output[broadcast.firsts.w + place] = activated(vec4f(value)).x;
}
