// One number of each of 32 samples, in registers, and what is done to all of them.

const MANY = 32u;
const MANY_FOURS = 8u;

struct Many {
    a: vec4f,
    b: vec4f,
    c: vec4f,
    d: vec4f,
    e: vec4f,
    f: vec4f,
    g: vec4f,
    h: vec4f,
}

fn many_of(x: f32) -> Many {
    let all = vec4f(x);
    return Many(all, all, all, all, all, all, all, all);
}

// w x + y
fn many_product(w: f32, x: Many, y: Many) -> Many {
    let all = vec4f(w);
    return Many(
        fma(all, x.a, y.a), fma(all, x.b, y.b), fma(all, x.c, y.c), fma(all, x.d, y.d),
        fma(all, x.e, y.e), fma(all, x.f, y.f), fma(all, x.g, y.g), fma(all, x.h, y.h),
    );
}

fn many_sum(x: Many, y: Many) -> Many {
    return Many(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d, x.e + y.e, x.f + y.f, x.g + y.g, x.h + y.h);
}

// y where it is wanted, else x.
fn many_chosen(x: Many, y: Many, wanted: bool) -> Many {
    return Many(
        select(x.a, y.a, wanted), select(x.b, y.b, wanted), select(x.c, y.c, wanted), select(x.d, y.d, wanted),
        select(x.e, y.e, wanted), select(x.f, y.f, wanted), select(x.g, y.g, wanted), select(x.h, y.h, wanted),
    );
}

// Each sample's number from another lane.
fn many_from(lane: u32, x: Many) -> Many {
    return Many(
        subgroupShuffle(x.a, lane), subgroupShuffle(x.b, lane), subgroupShuffle(x.c, lane), subgroupShuffle(x.d, lane),
        subgroupShuffle(x.e, lane), subgroupShuffle(x.f, lane), subgroupShuffle(x.g, lane), subgroupShuffle(x.h, lane),
    );
}

fn many_total(x: Many) -> f32 {
    return dot(vec4f(1.0), ((x.a + x.b) + (x.c + x.d)) + ((x.e + x.f) + (x.g + x.h)));
}

// The sum over the samples of x y.
fn many_dot(x: Many, y: Many) -> f32 {
    var s = x.a * y.a;
    s = fma(x.b, y.b, s);
    s = fma(x.c, y.c, s);
    s = fma(x.d, y.d, s);
    s = fma(x.e, y.e, s);
    s = fma(x.f, y.f, s);
    s = fma(x.g, y.g, s);
    s = fma(x.h, y.h, s);
    return (s.x + s.y) + (s.z + s.w);
}
