// The search along rays through a network that is bounded over pieces of many rays at once, an invocation a ray.
//
// `begin` starts all rays and lists the open ones. For a part of the list `aim` writes the pieces to be bounded next, and
// `take` goes on with what was found; `sift` lists those that are still open anew. `leave` gives up what is open.
// Where float32 leaves open on which side of a level f is, a ray waits: see `kernels/rays_exact`.
#import generated/bindings
#import kernels/rays_listed

// After so many segments bounds are taken to be what rounding leaves, and f to be known to so many times as much.
const PATIENCE = 512u;
const ROOM = 2.5;
// Pieces whose bounds are at most so many times the rounding of f.
const ASKED = 0.5;

@compute @workgroup_size(64)
fn begin(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let ray = own_number(id, groups);
    if ray >= casting.rays {
        return;
    }
    search_begin(rays[2u * ray].w);
    if search_done {
        end(ray);
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
    var far = found[2u * i].zw;
    let range = found[2u * i + 1u];
    if search_known {
        far = exact_end(Bounds(range.x, range.y), far);
        search_known = false;
    } else if casting.share > 0.0 && asks(Bounds(range.x, range.y), far) {
        search_waits = true;
        search_store(ray);
        return;
    }
    if search_take(Bounds(range.x, range.y), far) {
        write(ray);
    }
    if search_done {
        end(ray);
    }
    search_store(ray);
}

// Whether f is wanted in float64: where it is near a level, and a shorter piece would be bounded no better than f is known.
fn asks(bounds: Bounds, far: vec2f) -> bool {
    return bounds_excess(bounds) <= ASKED * far.y && search_is_open(far);
}

// f at the far end in float64. It counts as known as well as bounds of short pieces tell it, most of which are there
// from rounding: where they leave more than is usual, shorter pieces would go on without end.
fn exact_end(bounds: Bounds, far: vec2f) -> vec2f {
    let left = select(0.0, ROOM * bounds_excess(bounds), search_count >= PATIENCE);
    let error = max(max(casting.share * far.y, left), casting.exact_error) + ULP * abs(search_exact);
    return select(far, vec2f(search_exact, error), error < far.y);
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
