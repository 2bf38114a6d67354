// One ray: the numbers of its hits in `crossings` are added to the list of all, in whatever order rays come; those that
// are not listed, behind others, face the viewer.
#import generated/bindings

const HIT = 1u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) invocation: u32,
) {
    let ray = 64u * (group.y * groups.x + group.x) + invocation;
    if ray >= listing.rays || rays[2u * ray].w <= 0.0 {
        return;
    }
    var hits = 0u;
    while hits < listing.most && (crossings[ray * listing.answers + hits].w & 3u) == HIT {
        hits += 1u;
    }
    if hits == 0u {
        return;
    }
    let first = atomicAdd(&total[0], min(hits, listing.listed));
    for (var k = 0u; k < hits; k++) {
        let hit = ray * listing.most + k;
        if k < listing.listed {
            list[first + k] = hit;
        } else {
            gradients[hit] = vec4f(rays[2u * ray + 1u].xyz, 0.0);
        }
    }
}
