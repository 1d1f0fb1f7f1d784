"""What `bookmesh doctor` looks for: what goes wrong in practice, one module for each kind of it."""
