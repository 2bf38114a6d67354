// One ray: the part of it where a tree of boxes leaves a level possible, 0 to 1, beside what the search cost.
#import generated/bindings
#import lib/tree

// Brackets of a ray that are summed one by one; from the last on all is counted.
const MOST = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) invocation: u32,
) {
    let ray = 64u * (group.y * groups.x + group.x) + invocation;
    let start = rays[2u * ray];
    if ray >= tree.rays || start.w <= 0.0 {
        return;
    }
    let direction = rays[2u * ray + 1u].xyz;
    var t = 0.0;
    var left = 0.0;
    var count = 0u;
    loop {
        let bracket = tree_next(start.xyz, direction, t, start.w);
        if bracket.x >= start.w {
            break;
        }
        count += 1u;
        let end = select(min(bracket.y, start.w), start.w, count >= MOST);
        left += end - bracket.x;
        t = max(end, bracket.x + 1e-6 * start.w);
        if t >= start.w {
            break;
        }
    }
    costs[ray].y = bitcast<u32>(left / start.w);
}
