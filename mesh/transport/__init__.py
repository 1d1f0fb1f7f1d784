"""How calls travel: one generated stub over two transports, in process and gRPC."""
