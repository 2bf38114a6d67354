"""The scenes that come with neuroscene, under the names that people type. A new scene needs only a row here."""

# name -> "module:Class"
SCENES = {
    "marching": "scenes.marching:Marching",
    "random_networks": "scenes.random_networks:RandomNetworks",
    "boundaries": "scenes.boundaries:Boundaries",
    "activations": "scenes.activations:Activations",
}
