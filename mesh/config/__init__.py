"""What is written in files, read into frozen data and checked: manifests, the address book, and their graph."""
