// The region a network is shown in: a ball or a box round the node's origin. Needs `surface`.

struct Chord {
    start: f32,
    length: f32,
}

struct Border {
    gap: f32,
    normal: vec3f,
}

// The part of a ray inside the region, from 0 on; length 0 where it misses. direction has length 1.
fn region_chord(origin: vec3f, direction: vec3f) -> Chord {
    var low: f32;
    var high: f32;
    if surface.region.w < 0.5 {
        let radius = surface.region.x;
        let b = dot(origin, direction);
        // The closest point's distance keeps its digits where b * b - c loses them.
        let closest = origin - direction * b;
        let under = radius * radius - dot(closest, closest);
        if under <= 0.0 {
            return Chord(0.0, 0.0);
        }
        let half_chord = sqrt(under);
        low = -b - half_chord;
        high = -b + half_chord;
    } else {
        // A direction along a side divides by zero to infinities of the right sign; a tiny number keeps NaN out.
        let safe = select(direction, vec3f(1e-30), abs(direction) < vec3f(1e-30));
        let a = (-surface.region.xyz - origin) / safe;
        let b = (surface.region.xyz - origin) / safe;
        let near = min(a, b);
        let far = max(a, b);
        low = max(near.x, max(near.y, near.z));
        high = min(far.x, min(far.y, far.z));
    }
    low = max(low, 0.0);
    return Chord(low, max(high - low, 0.0));
}

// Distance to the region's nearest side and that side's normal.
fn border(p: vec3f) -> Border {
    if surface.region.w < 0.5 {
        let r = length(p);
        return Border(surface.region.x - r, p / max(r, 1e-20));
    }
    let gaps = surface.region.xyz - abs(p);
    if gaps.x <= gaps.y && gaps.x <= gaps.z {
        return Border(gaps.x, vec3f(1.0, 0.0, 0.0));
    }
    if gaps.y <= gaps.z {
        return Border(gaps.y, vec3f(0.0, 1.0, 0.0));
    }
    return Border(gaps.z, vec3f(0.0, 0.0, 1.0));
}
