// One ray: between which of its places the network's output crosses levels, and about where. What lies between two
// places on one side of a level is missed: nothing here is certain.
#import generated/bindings

const MISS = 0u;
const HIT = 1u;
const RISES = 4u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= drafting.count {
        return;
    }
    let ray = drafting.first + id.x;
    let length = rays[2u * ray].w;
    let gap = length / f32(drafting.places - 1u);
    let scale = 1.0 / drafting.spacing;
    var answers = 0u;
    var here = (values[id.x * drafting.places].x - drafting.level) * scale;
    var place = 1u;
    loop {
        let next = (values[id.x * drafting.places + place].x - drafting.level) * scale;
        var above = floor(here);
        var past = floor(next);
        if drafting.single != 0u {
            above = clamp(above, -1.0, 0.0);
            past = clamp(past, -1.0, 0.0);
        }
        let rises = past > above;
        var left = select(0u, u32(min(abs(past - above), 64.0)), length > 0.0);
        // The first level met: the one above if f rises, else the one below.
        var level = select(above, above + 1.0, rises);
        while left > 0u && answers < drafting.answers {
            let t = gap * (f32(place - 1u) + clamp((level - here) / (next - here), 0.0, 1.0));
            let kind = HIT | select(0u, RISES, rises);
            crossings[ray * drafting.answers + answers] =
                vec4u(bitcast<u32>(t), bitcast<u32>(gap), bitcast<u32>(level), kind);
            answers += 1u;
            level += select(-1.0, 1.0, rises);
            left -= 1u;
        }
        here = next;
        place += 1u;
        if place >= drafting.places || answers >= drafting.answers {
            break;
        }
    }
    if answers < drafting.answers {
        crossings[ray * drafting.answers + answers] = vec4u(bitcast<u32>(length), 0u, 0u, MISS);
    }
    costs[ray] = vec2u(drafting.places - 1u, drafting.places);
}
