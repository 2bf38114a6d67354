// A number is written to another place; one invocation a number.
#import generated/bindings
#import lib/quotient

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let number = id.y * moving.row + id.x;
    if number >= moving.count {
        return;
    }
    var rest = number;
    var at = vec2i(moving.source_first, moving.offset);
    var is_there = true;
    for (var k = 0u; k < min(moving.rank, 8u); k++) {
        let axis = moving.axes[moving.rank - 1u - k];
        let next = quotient(rest, axis.x, moving.count <= 1048576u);
        let offsets = tables[axis.y + rest - next * axis.x];
        rest = next;
        is_there &= offsets.x >= 0;
        at += offsets;
    }
    output[at.y] = select(moving.filling, source[select(moving.source_first, at.x, is_there)], is_there);
}
