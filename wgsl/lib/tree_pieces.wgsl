// Where along a piece of a ray a level may lie, by the planes of the box that it is in.
// Needs `nodes`, two vec4f each, and `tree`.

const TREE_ULP = 1.1920929e-7;
const TREE_NONE = 3.0e38;

// Whether a level may lie from `least` to `most`.
fn tree_holds(least: f32, most: f32) -> bool {
    let low = least - tree.level;
    let high = most - tree.level;
    if tree.single != 0u {
        return low <= 0.0 && high >= 0.0;
    }
    let slack = 8.0 * TREE_ULP * (abs(low) + abs(high) + abs(tree.level)) * tree.scale;
    return ceil(low * tree.scale - slack) <= floor(high * tree.scale + slack);
}

// Where from t0 to t1 a level may lie if f is from low + t slope to high + t slope, in levels: x > y for nowhere.
fn tree_piece(t0: f32, t1: f32, slope: f32, low: f32, high: f32) -> vec2f {
    let begin = vec2f(low, high) + t0 * slope;
    let end = vec2f(low, high) + t1 * slope;
    let nowhere = vec2f(TREE_NONE, -TREE_NONE);
    var first = vec2f(0.0);
    var last = vec2f(0.0);
    if tree.single == 0u {
        // The levels next to what f may be at either end.
        first = vec2f(ceil(begin.x) - 1.0, ceil(begin.x));
        last = vec2f(ceil(end.x) - 1.0, ceil(end.x));
    }
    var piece = vec2f(t0, t1);
    let steep = max(abs(slope), 1e-30);
    if begin.y < first.y {
        piece.x = select(TREE_NONE, t0 + (first.y - begin.y) / steep, slope > 0.0);
        if tree.single == 0u && slope <= 0.0 {
            piece.x = select(TREE_NONE, t0 + (begin.x - first.x) / steep, slope < 0.0);
        }
    } else if begin.x > first.y {
        piece.x = select(TREE_NONE, t0 + (begin.x - first.y) / steep, slope < 0.0);
    }
    if end.y < last.y {
        piece.y = select(-TREE_NONE, t1 - (last.y - end.y) / steep, slope < 0.0);
        if tree.single == 0u && slope >= 0.0 {
            piece.y = select(-TREE_NONE, t1 - (end.x - last.x) / steep, slope > 0.0);
        }
    } else if end.x > last.y {
        piece.y = select(-TREE_NONE, t1 - (end.x - last.y) / steep, slope > 0.0);
    }
    // The quotients' own rounding.
    let pad = 8.0 * TREE_ULP * (abs(t0) + abs(t1));
    piece = vec2f(max(t0, piece.x - pad), min(t1, piece.y + pad));
    return select(nowhere, piece, piece.x <= piece.y);
}

// The same in a leaf, by its planes.
fn tree_leaf(node: u32, origin: vec3f, direction: vec3f, t0: f32, t1: f32) -> vec2f {
    let plane = nodes[2u * node];
    let more = nodes[2u * node + 1u];
    if plane.w < -1e37 || more.x > 1e37 {
        return vec2f(t0, t1);
    }
    let here = dot(plane.xyz, origin);
    let slope = dot(plane.xyz, direction) * tree.scale;
    let size = dot(abs(plane.xyz), abs(origin) + t1 * abs(direction)) + abs(plane.w) + abs(more.x) + abs(tree.level);
    let pad = 16.0 * TREE_ULP * size * tree.scale;
    let low = (here + plane.w - tree.level) * tree.scale - pad;
    let high = (here + more.x - tree.level) * tree.scale + pad;
    return tree_piece(t0, t1, slope, low, high);
}
