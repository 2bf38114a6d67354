// Lists of the rays of a search by beams.
#import generated/bindings
#import kernels/rays_listed

// In `cursors`: a ray is left to its own bounds.
const LEFT = 0xffffffffu;

// Lists those that go on by beams anew.
@compute @workgroup_size(64)
fn keep(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = listed(own_number(id, groups));
    if ray >= casting.rays {
        return;
    }
    load(ray);
    if !search_done && cursors[ray] != LEFT {
        list_open(ray);
    }
}

// Lists all that are open.
@compute @workgroup_size(64)
fn rest(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = own_number(id, groups);
    if ray >= casting.rays {
        return;
    }
    load(ray);
    if !search_done {
        list_open(ray);
    }
}
