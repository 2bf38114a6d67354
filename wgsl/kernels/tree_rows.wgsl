// What the kernels that take rows back share: a tile is ROWS rows of one octet of boxes, a member one of its boxes.
// Needs `step`, `tiles`, `relaxed`, `starts`, `rows`, `sums` and, unless FIRST, `forms`.
#import generated/tiles

const MEMBERS = 8u;
// What stands in `tiles` where a row is missing.
const NO_ROW = 0xffffu;
// Added to magnitudes before they are multiplied by a rounding, so that what underflows is inside too.
const LITTLE = 1e-12;

// Rows begin here: their coefficients are a layer's weights.
override FIRST: bool = false;
// The layer has products of pairs.
override PAIRS: bool = false;
// Constants are summed up.
override SUMS: bool = true;

var<private> tile: u32;
var<private> member: u32;
var<private> octet: u32;
var<private> units: vec4u;
var<private> forms_corner: vec2u;

var<private> row_slope: vec4f;
var<private> row_cross: vec4f;
var<private> row_low: vec4f;
var<private> row_high: vec4f;
var<private> row_strain: vec4f;
var<private> low_sums: array<vec4f, ROWS>;
var<private> high_sums: array<vec4f, ROWS>;
var<private> strain_sums: array<vec4f, ROWS>;

// False past the last tile: what is computed then is the last one's, and is not to be stored.
fn tile_begin(number: u32, index: u32) -> bool {
    let asked = number * TILES + index / MEMBERS;
    tile = min(asked, max(tiles[0].x, 1u) - 1u);
    member = index % MEMBERS;
    let at = tiles[1u + tile];
    octet = at.x;
    if !FIRST {
        forms_corner = forms_begin(step.groups, step.across);
    }
    units = vec4u(at.y & NO_ROW, at.y >> 16u, at.z & NO_ROW, at.z >> 16u);
    return tile == asked;
}

// Where the tile's coefficients begin in an image that holds some tiles side by side.
fn forms_begin(groups: u32, across: u32) -> vec2u {
    return vec2u((tile % across) * groups * MEMBERS + member, (tile / across) * ROWS);
}

fn relaxed_part(k: u32, part: u32) -> vec4f {
    return textureLoad(relaxed, vec2u(k * MEMBERS + member, octet * step.parts + part));
}

fn rows_enter(k: u32) {
    row_slope = relaxed_part(k, 0u);
    if PAIRS {
        row_cross = relaxed_part(k, 4u);
    }
    if SUMS {
        row_low = relaxed_part(k, 1u);
        row_high = relaxed_part(k, 2u);
        row_strain = relaxed_part(k, 3u);
    }
}

fn rows_form(k: u32, p: u32) -> vec4f {
    if FIRST {
        return textureLoad(starts, vec2u(k, select(units[p], 0u, units[p] == NO_ROW)));
    }
    return textureLoad(forms, forms_corner + vec2u(k * MEMBERS, p));
}

fn rows_scaled(k: u32, p: u32) -> vec4f {
    let a = rows_form(k, p);
    if SUMS {
        let above = max(a, vec4f(0.0));
        let below = min(a, vec4f(0.0));
        low_sums[p] += above * row_low + below * row_high;
        high_sums[p] += above * row_high + below * row_low;
        strain_sums[p] += (abs(a) + LITTLE) * row_strain;
    }
    if PAIRS {
        return a * row_slope + a.xxzz * row_cross;
    }
    return a * row_slope;
}

fn sum_of_four(v: vec4f) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

// Low, high and strain of a row so far.
fn row_sums(p: u32) -> vec3f {
    let own = vec3f(sum_of_four(low_sums[p]), sum_of_four(high_sums[p]), sum_of_four(strain_sums[p]));
    if FIRST {
        let bias = biases[select(units[p], 0u, units[p] == NO_ROW)];
        return own + vec3f(bias, bias, 0.0);
    }
    return own + sums[(tile * ROWS + p) * MEMBERS + member].xyz;
}
