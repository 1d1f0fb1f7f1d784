"""How people and programs outside the mesh reach its services."""
