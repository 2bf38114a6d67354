"""What lies between the engine and wgpu's library: its instance, the adapters it finds, and its errors."""
