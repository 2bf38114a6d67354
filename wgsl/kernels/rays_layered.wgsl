// The search along rays through a network that is bounded over pieces of many rays at once, an invocation a ray.
//
// `begin` starts all rays and lists the open ones. For a part of the list `aim` writes the pieces to be bounded next, and
// `take` goes on with what was found; `sift` lists those that are still open anew. `leave` gives up what is open.
// Where float32 leaves open on which side of a level f is, a ray waits: see `kernels/rays_exact`.
#import generated/bindings
#import kernels/rays_listed
#import kernels/rays_taken

@compute @workgroup_size(64)
fn begin(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = own_number(id, groups);
    if ray >= casting.rays {
        return;
    }
    search_begin(rays[2u * ray].w);
    if search_done {
        end(ray);
    } else if casting.walks == WALKS {
        search_waits = true;
        list_waiting(ray);
    } else {
        list_open(ray);
    }
    search_store(ray);
}

@compute @workgroup_size(64)
fn aim(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= part.count {
        return;
    }
    let ray = open[LIST + part.first + i];
    load(ray);
    let segment = search_segment();
    pieces[2u * i] = vec4f(rays[2u * ray].xyz, segment.x);
    pieces[2u * i + 1u] = vec4f(rays[2u * ray + 1u].xyz, segment.y);
}

@compute @workgroup_size(64)
fn take(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = own_number(id, groups);
    if i >= part.count {
        return;
    }
    let ray = open[LIST + part.first + i];
    load(ray);
    if search_done || search_waits {
        return;
    }
    take_bounds(ray, found[2u * i].zw, found[2u * i + 1u].xy);
    search_store(ray);
}

@compute @workgroup_size(64)
fn sift(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = listed(own_number(id, groups));
    if ray >= casting.rays {
        return;
    }
    load(ray);
    if search_waits {
        list_waiting(ray);
    } else if !search_done {
        list_open(ray);
    }
}

@compute @workgroup_size(64)
fn leave(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = listed(own_number(id, groups));
    if ray >= casting.rays {
        return;
    }
    load(ray);
    if search_done {
        return;
    }
    search_give_up();
    write(ray);
    end(ray);
    search_store(ray);
}
