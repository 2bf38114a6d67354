// One number of each of 16 samples, in registers, and what is done to all of them.

const MANY = 16u;
const MANY_FOURS = 4u;

struct Many {
    a: vec4f,
    b: vec4f,
    c: vec4f,
    d: vec4f,
}

fn many_of(x: f32) -> Many {
    let all = vec4f(x);
    return Many(all, all, all, all);
}

// w x + y
fn many_product(w: f32, x: Many, y: Many) -> Many {
    let all = vec4f(w);
    return Many(
        fma(all, x.a, y.a), fma(all, x.b, y.b), fma(all, x.c, y.c), fma(all, x.d, y.d),
    );
}

fn many_sum(x: Many, y: Many) -> Many {
    return Many(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d);
}

// y where it is wanted, else x.
fn many_chosen(x: Many, y: Many, wanted: bool) -> Many {
    return Many(
        select(x.a, y.a, wanted), select(x.b, y.b, wanted), select(x.c, y.c, wanted), select(x.d, y.d, wanted),
    );
}

// Each sample's number from another lane.
fn many_from(lane: u32, x: Many) -> Many {
    return Many(
        subgroupShuffle(x.a, lane), subgroupShuffle(x.b, lane), subgroupShuffle(x.c, lane), subgroupShuffle(x.d, lane),
    );
}

fn many_total(x: Many) -> f32 {
    return dot(vec4f(1.0), (x.a + x.b) + (x.c + x.d));
}

// The sum over the samples of x y.
fn many_dot(x: Many, y: Many) -> f32 {
    var s = x.a * y.a;
    s = fma(x.b, y.b, s);
    s = fma(x.c, y.c, s);
    s = fma(x.d, y.d, s);
    return (s.x + s.y) + (s.z + s.w);
}
