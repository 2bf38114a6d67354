// The first brackets of one ray in a tree: pieces where a level may lie.
#import generated/bindings
#import lib/tree

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let ray = id.x;
    if ray >= tree.rays {
        return;
    }
    let origin = rays[2u * ray];
    let direction = rays[2u * ray + 1u].xyz;
    var t = 0.0;
    var count = 0u;
    while count < tree.brackets && t < origin.w {
        let bracket = tree_next(origin.xyz, direction, t, origin.w);
        if bracket.x > origin.w {
            break;
        }
        brackets[ray * tree.brackets + count] = bracket;
        count += 1u;
        t = max(bracket.y, t + 1e-6 * origin.w);
    }
    counts[ray] = count;
}
