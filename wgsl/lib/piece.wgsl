// A piece of a ray as a network's first layer takes it: the coordinates of its ends, as four neurons' responses.
#import arithmetic/parabola

// From origin and t at the near end, direction and t at the far end.
fn piece_ends(start: vec4f, end: vec4f) -> Parabola {
    let near = start.xyz + start.w * end.xyz;
    let far = start.xyz + end.w * end.xyz;
    // A point is off by an ulp of t d and one of itself; and what `parabola_of` puts in for the products that follow.
    let size = max(abs(start.w), abs(end.w)) * abs(end.xyz) + 4.0 * max(abs(near), abs(far));
    let none = vec4f(0.0);
    return Parabola(vec4f(near, 0.0), vec4f(far, 0.0), vec4f(ULP * size + TINY, 0.0), none, none);
}
