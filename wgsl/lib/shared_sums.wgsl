// Sums, products and the largest of what the invocations of a result found; SHARING of them wait for each other.
// Needs `SHARING`, as lib/along has it.
#import lib/finite

var<workgroup> shares: array<f32, 64>;

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
        largest = larger(largest, shares[index / SHARING * SHARING + k]);
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
