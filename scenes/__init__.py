"""The scenes that come with neuroscene, by the name a person types. A line here is all a new one needs to be found."""

# name -> "module:Class"
SCENES = {
    "marching": "scenes.marching:Marching",
    "random_networks": "scenes.random_networks.scene:RandomNetworks",
    "boundaries": "scenes.boundaries.scene:Boundaries",
    "activations": "scenes.activations.scene:Activations",
}
