// Sums, products and the largest of what the one invocation of a result found: nothing waits.

fn all_summed(index: u32, share: f32) -> f32 {
    return share;
}

fn largest_of_all(index: u32, share: f32) -> f32 {
    return share;
}

fn all_multiplied(index: u32, share: f32) -> f32 {
    return share;
}
