// Along a ray through a tree of boxes: the next piece where a level may lie, by the planes of leaves; elsewhere none is.
// Needs `nodes`, two vec4f each, and `tree`.
#import lib/tree_pieces

// Boxes visited for a bracket, summed over their depths; what is left is one bracket then.
const TREE_STEPS = 16384u;
// Origins further out, in half sides, are not taken through the tree.
const TREE_FAR_OUT = 32.0;
// Components of a direction that are smaller count as 0: over a ray they move less than a box's margin.
const TREE_FLAT = 1e-20;
// Pieces that are closer, as a part of the tree's size, are one.
const TREE_JOINED = 1e-5;

// Of the last bracket that was looked for: the level that f lies beside where it was looked for, and on which side, 1 or
// -1; the side is 0 where the box there does not tell.
var<private> tree_beside: vec2f;

fn tree_side(least: f32) -> vec2f {
    let low = (least - tree.level) * tree.scale;
    return select(vec2f(floor(low), 1.0), vec2f(0.0, select(-1.0, 1.0, low > 0.0)), tree.single != 0u);
}

// The next bracket [x, y] of the ray from t on; x is TREE_NONE where no level is from t to its length.
fn tree_next(origin: vec3f, direction: vec3f, t: f32, length: f32) -> vec2f {
    tree_beside = vec2f(0.0);
    let side = tree.half * (1.0 + TREE_FAR_OUT * 8.0 * TREE_ULP);
    if any(abs(origin) > TREE_FAR_OUT * tree.half) {
        return vec2f(t, length);
    }
    let flat = abs(direction) < vec3f(TREE_FLAT);
    let inverse = 1.0 / select(direction, vec3f(1.0), flat);
    let p = (-side - origin) * inverse;
    let q = (side - origin) * inverse;
    let near = select(min(p, q), vec3f(-TREE_NONE), flat);
    let far = select(max(p, q), vec3f(TREE_NONE), flat);
    let enters = max(max(near.x, near.y), near.z);
    let leaves = min(min(far.x, far.y), far.z);
    if any(flat & (abs(origin) > side)) || enters >= leaves || leaves <= t || enters >= length {
        return vec2f(t, length);
    }
    if enters > t {
        // What lies before the tree is searched without it.
        return vec2f(t, enters);
    }
    let joined = TREE_JOINED * max(max(tree.half.x, tree.half.y), tree.half.z);
    // A ray that ends just outside is within the margin of the boxes there.
    let behind = leaves + joined < length;
    let end = select(length, leaves, behind);
    var found = vec2f(TREE_NONE, -TREE_NONE);
    var here = t;
    var node = 0u;
    var centre = vec3f(0.0);
    var size = tree.half;
    var until = end;
    var ended = false;
    // Down from the root to the leaf at `here`, then on from where the ray leaves it.
    for (var step = 0u; step < TREE_STEPS; step++) {
        let facts = nodes[2u * node + 1u];
        let child = bitcast<u32>(facts.w);
        let clear = !tree_holds(facts.y, facts.z);
        if clear || child == 0u {
            if clear && here == t {
                tree_beside = tree_side(facts.y);
            }
            if !clear {
                let piece = tree_leaf(node, origin, direction, here, until);
                if piece.x <= piece.y {
                    if found.x < TREE_NONE && piece.x > found.y + joined {
                        return found;
                    }
                    found = vec2f(min(found.x, piece.x), piece.y);
                }
            }
            if until >= end {
                ended = true;
                break;
            }
            if found.x < TREE_NONE && until > found.y + joined {
                return found;
            }
            here = until;
            node = 0u;
            centre = vec3f(0.0);
            size = tree.half;
            until = end;
            continue;
        }
        // The half on each axis that holds the point at `here`, and where the ray leaves it for the other.
        let crossing = (centre - origin) * inverse;
        let passed = vec3f(here) >= crossing;
        let upper = select(passed == (direction > vec3f(0.0)), origin >= centre, flat);
        let later = select(vec3f(TREE_NONE), crossing, !passed & !flat);
        until = min(until, min(min(later.x, later.y), later.z));
        size *= 0.5;
        centre += select(-size, size, upper);
        node = child + dot(vec3u(upper), vec3u(1u, 2u, 4u));
    }
    if !ended {
        return vec2f(min(found.x, here), length);
    }
    // What lies behind the tree likewise.
    if behind && !(found.x < TREE_NONE && leaves > found.y + joined) {
        return vec2f(min(found.x, leaves), length);
    }
    return found;
}
