"""The scenes that come with neuroscene, by the name a person types. A line here is all a new one needs to be found."""

# name -> "module:Class"
SCENES = {
    "marching": "scenes.marching:Marching",
    "random_networks": "scenes.random_networks:RandomNetworks",
    "boundaries": "scenes.boundaries:Boundaries",
    "activations": "scenes.activations:Activations",
}
