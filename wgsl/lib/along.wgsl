// Going through numbers of an array along some of its axes: where they lie, and sums over the invocations of a result.

// How many invocations share what a result goes through; a power of two, 64 at most.
override SHARING: u32;

var<workgroup> shares: array<f32, 64>;

// Offsets in the array, and in one beside it.
fn kept_place(number: u32) -> vec2u {
    var rest = number;
    var at = vec2u(0u);
    for (var k = 0u; k < 4u; k++) {
        at += rest % along.kept[k].x * along.kept[k].yz;
        rest /= along.kept[k].x;
    }
    return at;
}

fn through_place(number: u32) -> vec2u {
    var rest = number;
    var at = vec2u(0u);
    for (var k = 0u; k < 4u; k++) {
        at += rest % along.through[k].x * along.through[k].yz;
        rest /= along.through[k].x;
    }
    return at;
}

// All invocations of a workgroup call these together. `index` is the invocation's number in it.
fn all_summed(index: u32, share: f32) -> f32 {
    workgroupBarrier();
    shares[index] = share;
    workgroupBarrier();
    var total = 0.0;
    for (var k = 0u; k < min(SHARING, 64u); k++) {
        total += shares[index / SHARING * SHARING + k];
    }
    return total;
}

fn largest_of_all(index: u32, share: f32) -> f32 {
    workgroupBarrier();
    shares[index] = share;
    workgroupBarrier();
    var largest = share;
    for (var k = 0u; k < min(SHARING, 64u); k++) {
        largest = max(largest, shares[index / SHARING * SHARING + k]);
    }
    return largest;
}

fn all_multiplied(index: u32, share: f32) -> f32 {
    workgroupBarrier();
    shares[index] = share;
    workgroupBarrier();
    var product = 1.0;
    for (var k = 0u; k < min(SHARING, 64u); k++) {
        product *= shares[index / SHARING * SHARING + k];
    }
    return product;
}
