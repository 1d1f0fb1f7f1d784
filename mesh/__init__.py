"""A service-binding mesh for Python on gRPC: entrypoints, typed bindings, and layers that hold on every transport."""
