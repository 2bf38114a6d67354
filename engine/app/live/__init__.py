"""What a live view does besides drawing: it follows a saved file, and goes on after its device was lost."""
