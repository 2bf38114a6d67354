// Going through numbers of an array along some of its axes: where they lie.
// Needs `along`, the uniform of engine.gpu.layout.along.
#import lib/quotient

// How many invocations share what a result goes through; a power of two, 64 at most.
override SHARING: u32;

// Offsets in the array, and in one beside it.
fn kept_place(number: u32) -> vec2u {
    var rest = number;
    var at = vec2u(0u);
    for (var k = 0u; k < 4u; k++) {
        let next = quotient(rest, along.kept[k].x, along.count <= 1048576u);
        at += (rest - next * along.kept[k].x) * along.kept[k].yz;
        rest = next;
    }
    return at;
}

fn through_place(number: u32) -> vec2u {
    var rest = number;
    var at = vec2u(0u);
    for (var k = 0u; k < 4u; k++) {
        let next = quotient(rest, along.through[k].x, along.length <= 1048576u);
        at += (rest - next * along.through[k].x) * along.through[k].yz;
        rest = next;
    }
    return at;
}

// A sum and the part of it that is still small, with one more number, the k-th: parts are of 64, to round less.
fn added(sum: vec2f, number: f32, k: u32) -> vec2f {
    let part = sum.y + number;
    return select(vec2f(sum.x, part), vec2f(sum.x + part, 0.0), k % 64u == 63u);
}
