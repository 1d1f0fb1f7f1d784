"""What runs services: their code is loaded and bound, listened for, minded, drained and ended."""
