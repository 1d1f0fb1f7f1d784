"""How well the book search answers: what is asked of it about a catalogue, and how often the answer is right."""
