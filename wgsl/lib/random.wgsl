// Random numbers from counters, the same on every device: a hash of 32 bits, and whole numbers below a bound.

// PCG's output function over one step of its generator (RXS-M-XS 32; O'Neill 2014, Jarzynski and Olano 2020).
fn pcg(v: u32) -> u32 {
    let s = v * 747796405u + 2891336453u;
    let q = ((s >> ((s >> 28u) + 4u)) ^ s) * 277803737u;
    return (q >> 22u) ^ q;
}

// The upper 32 bits of a product of 64, by halves.
fn high_product(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let m = ah * bl + ((al * bl) >> 16u);
    let n = al * bh + (m & 0xffffu);
    return ah * bh + (m >> 16u) + (n >> 16u);
}

// Number `counter` of the sequence `key`, whole and below `bound`; a result is at most bound / 2^32 likelier than another.
fn drawn_below(bound: u32, counter: u32, key: u32) -> u32 {
    return high_product(pcg(pcg(counter) + key), bound);
}
