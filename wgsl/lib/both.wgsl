// An activation's value and slope at four numbers.

struct Both {
    value: vec4f,
    slope: vec4f,
}
