// Mean and spread of four columns of numbers, and how those of two sets are combined.

struct Spread {
    mean: vec4f,
    squares: vec4f,  // sum of squared distances from the mean
    count: f32,
}

// One number more in each column (Welford 1962).
fn spread_with(s: Spread, x: vec4f) -> Spread {
    let count = s.count + 1.0;
    let off = x - s.mean;
    let mean = s.mean + off / count;
    return Spread(mean, s.squares + off * (x - mean), count);
}

// Two sets as one (Chan, Golub and LeVeque 1979).
fn spread_of_both(a: Spread, b: Spread) -> Spread {
    let count = a.count + b.count;
    let share = b.count / max(count, 1.0);
    let off = b.mean - a.mean;
    return Spread(a.mean + off * share, a.squares + b.squares + off * off * (a.count * share), count);
}
