// A gradient's direction, or 0 where there is none; scaled first, since the squares of small ones would vanish.
fn uphill(gradient: vec3f) -> vec3f {
    let largest = max(abs(gradient.x), max(abs(gradient.y), abs(gradient.z)));
    if largest == 0.0 {
        return vec3f(0.0);
    }
    return normalize(gradient / largest);
}
